/** @file Placeholder of the view. */
import type { CompareRoute } from "../router.js";

/** To come. */
export default function CompareView({ route }: { readonly route: CompareRoute }) {
  return <h1>{route.view}</h1>;
}
