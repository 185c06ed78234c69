/** @file TRL and ms-swift: a list of completions, and the dataset's columns as lists of the same length. */
import { z } from "zod";
import { HttpError } from "../http-error.js";
import type { CallContext, RewardRoute } from "../call.js";
import { schemaError } from "../truths.js";
import { completionText, parseRowOptions, rowOptionsSchema, scoreRows, type Row } from "./rows.js";

/** Columns that are read; others are let pass. */
const COLUMNS = [
  "id",
  "sample_id",
  "solution",
  "objects",
  "ignore",
  "width",
  "height",
  "frame",
  "model_width",
  "model_height",
  "label",
] as const;

const column = z.array(z.unknown()).optional();

/** The keyword arguments of a reward function. */
export const columnsSchema = z
  .looseObject({
    completions: z
      .array(z.union([z.string(), z.array(z.unknown()), z.looseObject({})]))
      .min(1)
      .meta({
        description: "texts, or lists of messages of which the last one is the response",
      }),
    prompts: column.meta({ description: "not looked at" }),
    group_id: column.meta({
      description: "what the rows of a group share; default: id, else the ground truth",
    }),
    ...Object.fromEntries(COLUMNS.map((name) => [name, column])),
  })
  .meta({
    title: "Completions and columns",
    description:
      "columns as `dip-r1 data convert --to trl` (or ms-swift) writes them, or id alone with a server started with --data",
  });

/** Rewards and their parts, in the order of the completions. */
export const columnsAnswerSchema = z.object({
  rewards: z.array(z.number()).meta({ description: "totals" }),
  format: z.array(z.number()),
  look: z.array(z.number().nullable()),
  accuracy: z.array(z.number()),
  grades: z.array(z.string()),
  errors: z.array(z.string().nullable()).meta({ description: "why a response earned 0, by code" }),
});

async function handle(contract: string, body: unknown, query: URLSearchParams, context: CallContext) {
  const options = parseRowOptions(query);
  const parsed = columnsSchema.safeParse(body);
  if (!parsed.success) throw schemaError(parsed.error, "body");
  const { completions, ...columns } = parsed.data as { completions: unknown[] } & Record<string, unknown>;
  const used = [...COLUMNS, "group_id"].filter((name) => Array.isArray(columns[name]));
  for (const name of used) {
    const { length } = columns[name] as unknown[];
    if (length !== completions.length)
      throw new HttpError("bad-request", `${name}: ${length} entries for ${completions.length} completions`);
  }
  const rows = completions.map((completion, i): Row => {
    const where = `row ${i}`;
    const cells = Object.fromEntries(used.map((name) => [name, (columns[name] as unknown[])[i]]));
    const { group_id: group, ...row } = cells;
    return {
      text: completionText(completion, where),
      truth: context.truths.fromColumns(row, options.frame, where),
      ...(group !== undefined && group !== null && { group: String(group) }),
    };
  });
  const scores = await scoreRows(contract, rows, options, context);
  return {
    rewards: scores.map(({ total }) => total),
    format: scores.map(({ format }) => format),
    look: scores.map(({ look }) => look),
    accuracy: scores.map(({ accuracy }) => accuracy),
    grades: scores.map(({ grade }) => grade),
    errors: scores.map(({ error }) => error?.code ?? null),
  } satisfies z.output<typeof columnsAnswerSchema>;
}

const shared = {
  request: columnsSchema,
  answer: columnsAnswerSchema,
  query: rowOptionsSchema,
} as const;

/** TRL. */
export const trlRoute: RewardRoute = {
  ...shared,
  path: "/v1/trl",
  operationId: "scoreTrl",
  summary: "TRL: the keyword arguments of a reward function of GRPOTrainer",
  handle: (body, query, context) => handle("trl", body, query, context),
};

/** ms-swift. */
export const swiftRoute: RewardRoute = {
  ...shared,
  path: "/v1/ms-swift",
  operationId: "scoreSwift",
  summary: "ms-swift: the arguments of ORM.__call__",
  handle: (body, query, context) => handle("ms-swift", body, query, context),
};
