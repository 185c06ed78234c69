/** @file Placeholder of the view. */
import type { RunsRoute } from "../router.js";

/** To come. */
export default function RunsView({ route }: { readonly route: RunsRoute }) {
  return <h1>{route.view}</h1>;
}
