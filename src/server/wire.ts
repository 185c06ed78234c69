/** @file The server's own request and answer: whole groups, scored in total and by part. Trainers' contracts are in trainers/. */
import { z } from "zod";
import type { ScoredResponse } from "./group-job.js";
import type { GroupResult } from "./reward-service.js";
import { frameNames, truthSchema } from "./truths.js";

const frame = z.enum(frameNames).optional().meta({
  description:
    "of the responses; default: the frame of the inline truth, or the server's --frame for samples of its dataset",
});

/** One group. */
export const groupSchema = z
  .strictObject({
    group_id: z.string().min(1).max(512).optional().meta({
      description: "comes back with the scores; needed with group_size, the same in all parts of a group",
    }),
    group_size: z.number().int().min(1).optional().meta({
      description:
        "responses of the whole group, where the rest of them comes in other requests: all are answered once all have come",
    }),
    sample_id: z
      .string()
      .optional()
      .meta({ description: "a sample of the dataset that the server was started with" }),
    truth: truthSchema.optional(),
    frame,
    without_look: z
      .boolean()
      .optional()
      .meta({ description: "no look reward and no term for it in the total; then one response will do" }),
    responses: z.array(z.string()).min(1).meta({ description: "what the model wrote, without end tokens" }),
  })
  .refine((group) => (group.sample_id === undefined) !== (group.truth === undefined), {
    message: "needs either sample_id or truth",
  })
  .refine((group) => group.group_size === undefined || group.group_id !== undefined, {
    message: "group_size needs group_id",
  })
  .meta({ title: "All responses to one picture" });

/** Groups. */
export const scoreRequestSchema = z.strictObject({ groups: z.array(groupSchema).min(1) });

const reward = z.number().min(0).max(1);

/** What one response earned. */
export const scoreSchema = z
  .object({
    grade: z
      .enum(["strict", "repaired", "truncated", "none"])
      .meta({ description: "how well it could be read" }),
    format: reward,
    look: reward.nullable().meta({ description: "null: not asked for" }),
    accuracy: reward,
    total: z.number().min(0).meta({ description: "the weighted sum; what to train with" }),
    precision: reward,
    recall: reward,
    true_positives: z.number().int().min(0),
    predictions: z
      .number()
      .int()
      .min(0)
      .meta({ description: "boxes that count: those in ignore regions taken out" }),
    dropped: z.number().int().min(0).meta({ description: "boxes that could not be used" }),
    error: z
      .object({ code: z.enum(["too-many-boxes", "over-time", "failed"]), message: z.string() })
      .optional()
      .meta({ description: "this response broke a limit and earned 0; the others of its group are scored" }),
  })
  .meta({ title: "What one response earned" });

/** One response's score, as it is sent. */
export type WireScore = z.output<typeof scoreSchema>;

/** A refusal, of a request or of one group. */
export const errorSchema = z.object({ code: z.string(), message: z.string(), hint: z.string().optional() });

/** Scores of the groups, in their order. */
export const scoreAnswerSchema = z.object({
  groups: z.array(
    z.object({
      group_id: z.string().optional(),
      sample_id: z.string().optional(),
      responses: z
        .array(scoreSchema)
        .meta({ description: "in the order of the request; empty where error is given" }),
      error: errorSchema
        .optional()
        .meta({ description: "the group cannot be scored: an unknown sample, a group of one" }),
    }),
  ),
});

/** Python's names. */
export function toWire(score: ScoredResponse): WireScore {
  const { truePositives, error, ...rest } = score;
  return { ...rest, true_positives: truePositives, ...(error && { error }) };
}

/** A group's entry in the answer. */
export function groupAnswer(
  ids: { readonly group_id?: string | undefined; readonly sample_id?: string | undefined },
  result: GroupResult,
): z.output<typeof scoreAnswerSchema>["groups"][number] {
  const names = {
    ...(ids.group_id !== undefined && { group_id: ids.group_id }),
    ...(ids.sample_id !== undefined && { sample_id: ids.sample_id }),
  };
  return "refusal" in result
    ? { ...names, responses: [], error: result.refusal.toJSON().error }
    : { ...names, responses: result.responses.map(toWire) };
}
