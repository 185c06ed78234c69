/** @file verl: `compute_score` of one sample, or of a batch (reward manager `batch`). */
import { z } from "zod";
import type { ScoredResponse } from "../group-job.js";
import { HttpError } from "../http-error.js";
import type { RewardRoute } from "../call.js";
import { schemaError } from "../truths.js";
import { completionText, parseRowOptions, rowOptionsSchema, scoreRows, type Row } from "./rows.js";

const truth = z.unknown().meta({
  description:
    "ground truth (a line of `dip-r1 data convert --to jsonl`, as text or object), or the id of a sample of the server's dataset",
});
const extra = z.looseObject({ group_id: z.union([z.string(), z.number()]).optional() }).nullish();

const oneSchema = z.looseObject({
  data_source: z.unknown().optional(),
  solution_str: z.string(),
  ground_truth: truth,
  extra_info: extra,
});
const batchSchema = z.looseObject({
  data_sources: z.array(z.unknown()).optional(),
  solution_strs: z.array(z.string()).min(1),
  ground_truths: z.array(truth),
  extra_infos: z.array(extra).nullish(),
});

/** The arguments of compute_score. */
export const verlSchema = z.union([batchSchema, oneSchema]).meta({ title: "verl's compute_score" });

const scoreSchema = z.looseObject({
  score: z.number(),
  format: z.number(),
  look: z.number().optional(),
  accuracy: z.number(),
});

/** One object for one sample, a list for a batch; all keys but `score` are logged by verl. */
export const verlAnswerSchema = z.union([z.array(scoreSchema), scoreSchema]);

/** Numbers alone, and the same keys in every row: verl makes a column of each. */
function answer(score: ScoredResponse) {
  return {
    score: score.total,
    format: score.format,
    ...(score.look !== null && { look: score.look }),
    accuracy: score.accuracy,
    precision: score.precision,
    recall: score.recall,
    strict: score.grade === "strict" ? 1 : 0,
    failed: score.error === undefined ? 0 : 1,
  };
}

/** verl. */
export const verlRoute: RewardRoute = {
  path: "/v1/verl",
  operationId: "scoreVerl",
  summary: "verl: the keyword arguments of compute_score, of one sample or of a batch",
  request: verlSchema,
  answer: verlAnswerSchema,
  query: rowOptionsSchema,
  async handle(body, query, context) {
    const options = parseRowOptions(query);
    const batch = typeof body === "object" && body !== null && "solution_strs" in body;
    const parsed = (batch ? batchSchema : oneSchema).safeParse(body);
    if (!parsed.success) throw schemaError(parsed.error, "body");
    const given = parsed.data as Partial<z.output<typeof batchSchema> & z.output<typeof oneSchema>>;
    const texts = given.solution_strs ?? [given.solution_str!];
    const truths = batch ? given.ground_truths! : [given.ground_truth];
    const extras = (batch ? given.extra_infos : [given.extra_info]) ?? [];
    if (truths.length !== texts.length || (extras.length > 0 && extras.length !== texts.length))
      throw new HttpError(
        "bad-request",
        `${texts.length} solution_strs, ${truths.length} ground_truths, ${extras.length} extra_infos`,
      );
    const rows = texts.map((text, i): Row => {
      const where = `row ${i}`;
      const group = extras[i]?.group_id;
      return {
        text: completionText(text, where),
        truth: context.truths.fromText(truths[i], options.frame, where),
        ...(group !== undefined && { group: String(group) }),
      };
    });
    const scores = (await scoreRows("verl", rows, options, context)).map(answer);
    return batch ? scores : scores[0];
  },
};
