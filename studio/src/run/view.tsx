/** @file Placeholder of the view. */
import type { RunRoute } from "../router.js";

/** To come. */
export default function RunView({ route }: { readonly route: RunRoute }) {
  return <h1>{route.view}</h1>;
}
