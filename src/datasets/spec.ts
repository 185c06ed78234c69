/**
 * @file The schema of dataset specs, as recipes hold them: `{format: "scenes" | "coco" | "mot" | "jsonl", ...}`, or the
 * short text of spec-text.ts. Strict: a key it does not know is an error, never ignored.
 */
import { z } from "zod";
import { InputError } from "../base/errors.js";
import { LOOKS } from "./scenes/index.js";
import { parseSpecText } from "./spec-text.js";

const share = z.number().min(0).max(1);
const count = z.number().int().min(1);
const side = z.number().int().min(16).max(4096);
const path = z.string().min(1);
const int32 = z
  .number()
  .int()
  .min(-(2 ** 31))
  .max(2 ** 32 - 1);

/** Both ends included. */
const range = (end: z.ZodNumber) =>
  z
    .strictObject({ min: end, max: end })
    .refine((r) => r.min <= r.max, { message: "min must not be greater than max" });

/** Generated scenes. */
const scenesSpec = z.strictObject({
  format: z.literal("scenes"),
  /** What results call it. @default the look */
  name: z.string().min(1).optional(),
  look: z.enum(LOOKS).default("plaza"),
  seed: int32.default(0),
  count: count.default(1000),
  /** Index of the first scene: another stretch of the same endless series. */
  start: z.number().int().min(0).default(0),
  width: side.default(112),
  height: side.default(112),
  /** Several [width, height]; each scene takes one by its index. Replaces width and height. */
  sizes: z
    .array(z.tuple([side, side]))
    .min(1)
    .optional(),
  dense: z.boolean().default(false),
  people: range(z.number().int().min(0).max(200)).optional(),
  crowding: share.optional(),
  personHeight: range(z.number().min(0.02).max(1)).optional(),
  distractors: z.number().min(0).max(100).optional(),
  groups: share.optional(),
  minVisibility: z.number().min(0).max(0.9).optional(),
});

/** What all formats of files share. */
const selection = {
  name: z.string().min(1).optional(),
  limit: count.optional(),
  where: z
    .strictObject({
      minHeight: z.number().min(0).optional(),
      minVisible: share.optional(),
      minObjects: z.number().int().min(0).optional(),
      labels: z.array(z.string().min(1)).min(1).optional(),
    })
    .optional(),
  split: z
    .strictObject({
      part: z.enum(["train", "val"]),
      val: z.number().gt(0).lt(1).default(0.2),
      by: z.enum(["hash", "order"]).default("hash"),
      seed: int32.default(0),
    })
    .optional(),
};

/** COCO json (coco.ts). */
const cocoSpec = z.strictObject({
  format: z.literal("coco"),
  annotations: path,
  images: path.optional(),
  badBoxes: z.enum(["error", "skip"]).default("error"),
  visibilityField: z.string().min(1).optional(),
  label: z.string().min(1).default("person"),
  ...selection,
});

/** A MOTChallenge sequence (mot.ts). */
const motSpec = z.strictObject({
  format: z.literal("mot"),
  /** gt.txt or the sequence's folder. */
  annotations: path,
  images: path.optional(),
  seqinfo: path.optional(),
  extraIgnore: path.optional(),
  every: count.default(1),
  frames: z
    .strictObject({ from: count.optional(), to: count.optional() })
    .refine((f) => (f.from ?? 1) <= (f.to ?? Infinity), { message: "from must not be greater than to" })
    .optional(),
  firstFile: z.number().int().min(0).default(1),
  fileStep: count.default(1),
  clip: z.boolean().default(true),
  minInside: share.default(0.25),
  origin: z.union([z.literal(0), z.literal(1)]).default(0),
  estimateVisibility: z.boolean().default(false),
  label: z.string().min(1).default("person"),
  ...selection,
});

/** The project's JSON Lines (jsonl.ts). */
const jsonlSpec = z.strictObject({
  format: z.literal("jsonl"),
  annotations: path,
  images: path.optional(),
  label: z.string().min(1).default("person"),
  ...selection,
});

/** A spec as an object. */
export const datasetObjectSchema = z.discriminatedUnion("format", [scenesSpec, cocoSpec, motSpec, jsonlSpec]);

/** A spec as recipes and the command line may write it: an object or its short text. */
export const datasetSpecSchema: z.ZodType<DatasetSpec, unknown> = z
  .unknown()
  .transform((value, context): unknown => {
    if (typeof value !== "string") return value;
    try {
      return parseSpecText(value);
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      const hint = error.hint === undefined ? "" : ` ${error.hint}`;
      context.addIssue({ code: "custom", message: `${error.message}.${hint}` });
      return z.NEVER;
    }
  })
  .pipe(datasetObjectSchema);

/** A spec with its defaults filled in. */
export type DatasetSpec = z.output<typeof datasetObjectSchema>;
/** A spec as it may be written. */
export type DatasetSpecInput = z.input<typeof datasetObjectSchema> | string;
