/** @file OpenRLHF's remote reward model: `query` is prompt and response in one text, decoded with its special tokens. */
import { z } from "zod";
import { HttpError } from "../http-error.js";
import type { RewardRoute } from "../call.js";
import { schemaError } from "../truths.js";
import { completionText, parseRowOptions, rowOptionsSchema, scoreRows, type Row } from "./rows.js";

/** OpenRLHF's request. */
export const openRlhfSchema = z
  .looseObject({
    query: z.array(z.string()).min(1).meta({ description: "prompt and response" }),
    prompts: z.array(z.string()).optional(),
    labels: z.array(z.unknown()).meta({
      description:
        "ground truth (a line of `dip-r1 data convert --to jsonl`), or the id of a sample of the server's dataset",
    }),
  })
  .meta({ title: "OpenRLHF's remote reward request" });

/** OpenRLHF's answer. */
export const openRlhfAnswerSchema = z.object({
  rewards: z.array(z.number()).meta({ description: "totals" }),
  scores: z.array(z.number()).meta({ description: "accuracy, in [0, 1]: what dynamic filtering looks at" }),
  extra_logs: z.record(z.string(), z.array(z.number())),
});

const ASSISTANT = /<\|im_start\|>assistant\r?\n|<\|start_header_id\|>assistant<\|end_header_id\|>\n\n/g;

/**
 * The response's part of a query: what follows the prompt; where the prompt was changed on its way (image tokens are
 * expanded), what follows the last start of an assistant's turn. The prompt must go, because ours names the tags.
 */
export function responseOfQuery(query: string, prompt: string | undefined, where: string): string {
  if (prompt !== undefined && prompt !== "" && query.startsWith(prompt)) return query.slice(prompt.length);
  // The first one after the prompt's end cannot be told apart from one that the model wrote; a model that writes
  // special tokens has ended its turn before.
  const last = [...query.matchAll(ASSISTANT)].at(-1);
  if (last !== undefined) return query.slice(last.index + last[0].length);
  throw new HttpError("bad-request", `${where}: cannot tell the response from the prompt`, {
    hint: "The query must begin with its prompt, or hold an assistant's turn (<|im_start|>assistant).",
  });
}

/** OpenRLHF. */
export const openRlhfRoute: RewardRoute = {
  path: "/v1/openrlhf",
  operationId: "scoreOpenRlhf",
  summary: "OpenRLHF: the remote reward model's contract",
  request: openRlhfSchema,
  answer: openRlhfAnswerSchema,
  query: rowOptionsSchema,
  async handle(body, query, context) {
    const options = parseRowOptions(query);
    const parsed = openRlhfSchema.safeParse(body);
    if (!parsed.success) throw schemaError(parsed.error, "body");
    const { query: queries, prompts, labels } = parsed.data;
    if (labels.length !== queries.length || (prompts !== undefined && prompts.length !== queries.length))
      throw new HttpError(
        "bad-request",
        `${queries.length} queries, ${prompts?.length ?? 0} prompts, ${labels.length} labels`,
      );
    const rows = queries.map((text, i): Row => {
      const where = `row ${i}`;
      return {
        text: completionText(responseOfQuery(text, prompts?.[i], where), where),
        truth: context.truths.fromText(labels[i], options.frame, where),
      };
    });
    const scores = await scoreRows("openrlhf", rows, options, context);
    const column = (read: (score: (typeof scores)[number]) => number) => scores.map(read);
    return {
      rewards: column(({ total }) => total),
      scores: column(({ accuracy }) => accuracy),
      extra_logs: {
        format: column(({ format }) => format),
        ...(scores.every(({ look }) => look !== null) && { look: column(({ look }) => look!) }),
        accuracy: column(({ accuracy }) => accuracy),
        precision: column(({ precision }) => precision),
        recall: column(({ recall }) => recall),
        strict: column(({ grade }) => (grade === "strict" ? 1 : 0)),
        failed: column(({ error }) => (error === undefined ? 0 : 1)),
      },
    } satisfies z.output<typeof openRlhfAnswerSchema>;
  },
};
