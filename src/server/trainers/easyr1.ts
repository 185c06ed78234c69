/** @file EasyR1: `compute_score` of a batch (REWARD_TYPE "batch", its default), or of one sample ("sequential"). */
import { z } from "zod";
import type { ScoredResponse } from "../group-job.js";
import type { RewardRoute } from "../call.js";
import { schemaError } from "../truths.js";
import { completionText, parseRowOptions, rowOptionsSchema, scoreRows } from "./rows.js";

const inputSchema = z.looseObject({
  response: z.string(),
  response_length: z.number().optional(),
  ground_truth: z.unknown().meta({
    description:
      "ground truth (a line of `dip-r1 data convert --to jsonl`, as text or object), or the id of a sample of the server's dataset",
  }),
});

/** One reward input, or a list of them. */
export const easyR1Schema = z
  .union([z.array(inputSchema).min(1), inputSchema])
  .meta({ title: "EasyR1's reward inputs" });

const scoreSchema = z.looseObject({
  overall: z.number(),
  format: z.number(),
  accuracy: z.number(),
  look: z.number().optional(),
});

/** One score, or a list of them. */
export const easyR1AnswerSchema = z.union([z.array(scoreSchema), scoreSchema]);

function answer(score: ScoredResponse) {
  return {
    overall: score.total,
    format: score.format,
    accuracy: score.accuracy,
    ...(score.look !== null && { look: score.look }),
    precision: score.precision,
    recall: score.recall,
    strict: score.grade === "strict" ? 1 : 0,
    failed: score.error === undefined ? 0 : 1,
  };
}

/** EasyR1. */
export const easyR1Route: RewardRoute = {
  path: "/v1/easyr1",
  operationId: "scoreEasyR1",
  summary: "EasyR1: the argument of compute_score",
  request: easyR1Schema,
  answer: easyR1AnswerSchema,
  query: rowOptionsSchema,
  async handle(body, query, context) {
    const options = parseRowOptions(query);
    const schema = z.array(inputSchema).min(1);
    const parsed = schema.safeParse(Array.isArray(body) ? body : [body]);
    if (!parsed.success) throw schemaError(parsed.error, "body");
    const rows = parsed.data.map(({ response, ground_truth }, i) => ({
      text: completionText(response, `[${i}]`),
      truth: context.truths.fromText(ground_truth, options.frame, `[${i}]`),
    }));
    const scores = (await scoreRows("easyr1", rows, options, context)).map(answer);
    return Array.isArray(body) ? scores : scores[0];
  },
};
