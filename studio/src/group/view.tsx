/** @file Placeholder of the view. */
import type { EvaluationRoute, GroupRoute } from "../router.js";

/** To come. */
export default function GroupView({ route }: { readonly route: GroupRoute | EvaluationRoute }) {
  return <h1>{route.view}</h1>;
}
