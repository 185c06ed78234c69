/** @file Placeholder of the view. */
import type { DetectRoute } from "../router.js";

/** To come. */
export default function DetectView({ route }: { readonly route: DetectRoute }) {
  return <h1>{route.view}</h1>;
}
