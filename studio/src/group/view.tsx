/** @file One picture and what was said of it: a group of a training step, or an evaluation's image through all steps. */
import type { EvaluationRoute, GroupRoute } from "../router.js";
import { EvaluationPage } from "./evaluation-page.js";
import { GroupPage } from "./group-page.js";

/** The view of both routes; they share the overlay, the text and the tables. */
export default function GroupView({ route }: { readonly route: GroupRoute | EvaluationRoute }) {
  return route.view === "group" ? <GroupPage route={route} /> : <EvaluationPage route={route} />;
}
