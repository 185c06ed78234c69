/**
 * @file The schema of dataset specs, as recipes hold them: `{format: "scenes" | "coco" | "crowdhuman" | ..., ...}`, or
 * the short text of spec-text.ts. Strict: a key it does not know is an error, never ignored.
 */
import { z } from "zod";
import { InputError } from "../base/errors.js";
import { chatFrames } from "./writers/chat-options.js";
import { LOOKS } from "./scenes/index.js";
import { parseSpecText } from "./spec-text.js";
import { UAVDT_CATEGORIES } from "./uavdt.js";
import { CITYPERSONS_CATEGORIES } from "./citypersons.js";
import { VISDRONE_CATEGORIES } from "./visdrone.js";
import { WIDER_CATEGORIES } from "./wider-pedestrian.js";

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

/** What all formats of files share: where the files are, what bad records do, and what is selected. */
const files = {
  /** The annotation file; a folder where the format has several. */
  annotations: path,
  /** Folder of the pictures. */
  images: path.optional(),
  /** What a bad record does: stop the reading, or be left out and counted (problems.ts). */
  onError: z.enum(["error", "skip"]).default("error"),
  /** Whether pictures are looked at when the dataset is opened: are they there, have they the annotated size. */
  checkImages: z.enum(["none", "exist", "size"]).default("exist"),
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

const label = z.string().min(1);
/** What a file's boxes are, where they are not what the format says: then nothing is suspected. */
const boxes = z.enum(["xywh", "xyxy"]).optional();
/** WIDTHxHEIGHT for all, or a JSON file of sizes by id (image-sizes.ts). */
const sizes = z.string().min(1).optional();
const oneOf = <const T extends readonly string[]>(names: T) => z.array(z.enum(names)).min(1).optional();

/** COCO json (coco.ts). */
const cocoSpec = z.strictObject({
  format: z.literal("coco"),
  visibilityField: z.string().min(1).optional(),
  boxes,
  sizes,
  label: label.default("person"),
  ...files,
});

/** CrowdHuman's .odgt (crowdhuman.ts). */
const crowdHumanSpec = z.strictObject({
  format: z.literal("crowdhuman"),
  /** Which of the three boxes is the object. */
  box: z.enum(["full", "visible", "head"]).default("full"),
  boxes,
  sizes,
  /** @default "person", "head" with `box: head` */
  label: label.optional(),
  ...files,
});

/** CityPersons' .mat files and val_gt.json (citypersons.ts). */
const cityPersonsSpec = z.strictObject({
  format: z.literal("citypersons"),
  categories: oneOf(CITYPERSONS_CATEGORIES),
  perCategory: z.boolean().default(false),
  boxes,
  sizes,
  label: label.default("person"),
  ...files,
});

/** WIDER Pedestrian's text files (wider-pedestrian.ts). */
const widerPedestrianSpec = z.strictObject({
  format: z.literal("widerpedestrian"),
  year: z.union([z.literal(2018), z.literal(2019)]).optional(),
  ignoreFile: path.optional(),
  list: path.optional(),
  categories: oneOf(WIDER_CATEGORIES),
  perCategory: z.boolean().default(false),
  boxes,
  sizes,
  label: label.default("person"),
  ...files,
});

/** UAVDT's sequences (uavdt.ts). */
const uavdtSpec = z.strictObject({
  format: z.literal("uavdt"),
  truth: z.enum(["whole", "tracks"]).optional(),
  sequences: z.array(z.string().min(1)).min(1).optional(),
  categories: oneOf(UAVDT_CATEGORIES),
  perCategory: z.boolean().default(false),
  every: count.default(1),
  boxes,
  sizes,
  label: label.default("vehicle"),
  ...files,
});

/** VisDrone-DET's folders of text files (visdrone.ts). */
const visDroneSpec = z.strictObject({
  format: z.literal("visdrone"),
  categories: oneOf(VISDRONE_CATEGORIES),
  perCategory: z.boolean().default(false),
  boxes,
  sizes,
  label: label.default("person"),
  ...files,
});

/** A MOTChallenge sequence, by its gt.txt or its folder (mot.ts). */
const motSpec = z.strictObject({
  format: z.literal("mot"),
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
  boxes,
  sizes,
  label: label.default("person"),
  ...files,
});

/** The project's JSON Lines (jsonl.ts). */
const jsonlSpec = z.strictObject({
  format: z.literal("jsonl"),
  boxes,
  sizes,
  label: label.default("person"),
  ...files,
});

/** Chat JSON Lines of other trainers, whose ground truth is a column or an answer (chat-jsonl.ts). */
const chat = {
  /** Of the boxes, in lines that do not tell. */
  frame: z.enum(chatFrames).default("image"),
  /** Budget of smart-resize, for the frame `absolute`. @default Qwen2.5-VL's */
  minPixels: count.optional(),
  maxPixels: count.optional(),
  boxes,
  sizes,
  label: label.default("person"),
  ...files,
};
const trlSpec = z.strictObject({ format: z.literal("trl"), ...chat });
const msSwiftSpec = z.strictObject({ format: z.literal("ms-swift"), ...chat });
const vlmR1Spec = z.strictObject({ format: z.literal("vlm-r1"), ...chat });

/** A spec as an object. */
export const datasetObjectSchema = z.discriminatedUnion("format", [
  scenesSpec,
  cocoSpec,
  crowdHumanSpec,
  cityPersonsSpec,
  widerPedestrianSpec,
  uavdtSpec,
  visDroneSpec,
  motSpec,
  jsonlSpec,
  trlSpec,
  msSwiftSpec,
  vlmR1Spec,
]);

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

/** The spec of generated scenes. */
export type ScenesSpec = Extract<DatasetSpec, { format: "scenes" }>;
/** The spec of annotation files. */
export type FileSpec = Exclude<DatasetSpec, ScenesSpec>;
/** Formats of annotation files. */
export type FileFormat = FileSpec["format"];
