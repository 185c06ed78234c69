/** @file Every path that scores: the one table that the server, the OpenAPI document and their tests read. */
import type { RewardRoute } from "./call.js";
import { scoreGroups } from "./score-groups.js";
import { swiftRoute, trlRoute } from "./trainers/columns.js";
import { easyR1Route } from "./trainers/easyr1.js";
import { openRlhfRoute } from "./trainers/openrlhf.js";
import { verlRoute } from "./trainers/verl.js";
import { scoreAnswerSchema, scoreRequestSchema } from "./wire.js";

/** Routes by path. */
export const rewardRoutes: readonly RewardRoute[] = [
  {
    path: "/v1/score",
    operationId: "scoreGroups",
    summary: "Whole groups: rewards in total and by part",
    request: scoreRequestSchema,
    answer: scoreAnswerSchema,
    handle: (body, _query, context) => scoreGroups(body, context),
  },
  trlRoute,
  verlRoute,
  easyR1Route,
  swiftRoute,
  openRlhfRoute,
];
