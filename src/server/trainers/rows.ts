/**
 * @file Trainers speak of rows, one response each; rewards are of groups. Rows that answer the same picture become a group,
 * are scored, and go back to their places.
 */
import { z } from "zod";
import { canonicalJson } from "../../base/fingerprint.js";
import type { ScoredResponse } from "../group-job.js";
import { HttpError } from "../http-error.js";
import type { GroupRequest } from "../reward-service.js";
import type { CallContext } from "../call.js";
import { frameNames, schemaError, type ResolvedTruth } from "../truths.js";

/** What a trainer's request says beside its contract, in the query of the URL. */
export const rowOptionsSchema = z.strictObject({
  group_size: z.coerce.number().int().min(1).optional().meta({
    description:
      "responses of a group (the trainer's number of generations); rows of a group may then come in several requests, which are answered once all have come",
  }),
  without_look: z
    .enum(["0", "1", "false", "true"])
    .optional()
    .meta({ description: "no look reward and no term for it in the total; then one response will do" }),
  frame: z.enum(frameNames).optional().meta({
    description:
      "of the responses; default: the frame of the ground truth, or the server's for samples of its dataset",
  }),
});

/** Query of a trainer's request, checked. */
export type RowOptions = z.output<typeof rowOptionsSchema>;

/** @throws HttpError for a key or value it does not know */
export function parseRowOptions(query: URLSearchParams): RowOptions {
  const parsed = rowOptionsSchema.safeParse(Object.fromEntries(query));
  if (!parsed.success) throw schemaError(parsed.error, "query");
  return parsed.data;
}

/** One response. */
export interface Row {
  readonly text: string;
  readonly truth: ResolvedTruth;
  /** What the rows of a group share. @default the sample's id, else the ground truth itself */
  readonly group?: string;
}

/** Tokens that end a turn; where a trainer decodes them, they are no part of what the model wrote. */
const END = /(?:\s*<\|(?:im_end|endoftext|eot_id)\|>|\s*<\/s>)+\s*$/;

/** The text of a completion: a string, a message, or a list of messages of which the last one counts. */
export function completionText(completion: unknown, where: string): string {
  if (typeof completion === "string") return completion.replace(END, "");
  if (Array.isArray(completion)) {
    const parts: unknown[] = completion;
    // The parts of one message, or messages.
    if (
      parts.length > 0 &&
      parts.every((part) => typeof part === "object" && part !== null && "text" in part)
    )
      return completionText(parts.map((part) => String((part as { text: unknown }).text)).join(""), where);
    if (parts.length > 0) return completionText(parts.at(-1), where);
  } else if (typeof completion === "object" && completion !== null && "content" in completion)
    return completionText(completion.content, where);
  throw new HttpError("bad-request", `${where}: a completion is a text or a list of messages with content`);
}

/**
 * Scores rows; the answer is in their order.
 * @param contract keeps the groups of different contracts apart
 * @throws HttpError where a group cannot be scored: the trainer must not learn from made-up zeros
 */
export async function scoreRows(
  contract: string,
  rows: readonly Row[],
  options: RowOptions,
  context: CallContext,
): Promise<ScoredResponse[]> {
  const withoutLook = context.withoutLook || options.without_look === "1" || options.without_look === "true";
  const size = options.group_size;
  const byKey = new Map<string, number[]>();
  for (const [index, { truth, group }] of rows.entries()) {
    const key = group ?? truth.sampleId ?? canonicalJson(truth.truth);
    const indices = byKey.get(key);
    if (indices === undefined) byKey.set(key, [index]);
    else indices.push(index);
  }
  const places: number[][] = [];
  const groups: GroupRequest[] = [];
  for (const [key, indices] of byKey)
    for (let from = 0; from < indices.length; from += size ?? indices.length) {
      const here = indices.slice(from, from + (size ?? indices.length));
      places.push(here);
      groups.push({
        job: { truth: rows[here[0]!]!.truth.truth, responses: here.map((i) => rows[i]!.text), withoutLook },
        ...(size !== undefined && { gather: { key: `${contract} ${key}`, size } }),
      });
    }
  const results = await context.score(groups);
  const out: ScoredResponse[] = [];
  for (const [g, result] of results.entries()) {
    if ("refusal" in result) throw result.refusal;
    for (const [i, place] of places[g]!.entries()) out[place] = result.responses[i]!;
  }
  return out;
}
