/**
 * @file Ground truth as requests give it: inline, in the columns of a trainer's dataset, as text, or by the id of a sample of
 * the dataset that the server was started with.
 */
import { z } from "zod";
import { InputError, toError } from "../base/errors.js";
import { parseTruthText, toBoxes } from "../datasets/chat-truth-text.js";
import type { SampleTruth } from "../datasets/sample.js";
import { QWEN25_RESIZE, type ResizeRule } from "../datasets/writers/chat-options.js";
import {
  clipBox,
  convertBox,
  frameSize,
  type Box,
  type Frame,
  type FrameSize,
  type FrameSizes,
} from "../geometry/index.js";
import { smartResize } from "../qwen/smart-resize.js";
import { truthFromSample, type RewardTruth } from "../rewards/index.js";
import { HttpError } from "./http-error.js";

/** Frames by the names of requests; `absolute` is what chat datasets call `model`. */
export const frameNames = ["image", "model", "absolute", "norm1000"] as const;
/** One of {@link frameNames}. */
export type FrameName = (typeof frameNames)[number];

/** The frame of a name. */
export function frameOfName(name: FrameName): Frame {
  return name === "absolute" ? "model" : name;
}

const side = z.number().int().min(1).max(1_000_000);
const corners = z
  .tuple([z.number(), z.number(), z.number(), z.number()])
  .refine(([x1, y1, x2, y2]) => x2 > x1 && y2 > y1, {
    message: "must be x1, y1, x2, y2 with x2 > x1 and y2 > y1",
  })
  .meta({ description: "[x1, y1, x2, y2]" });

const objectSchema = z
  .object({
    bbox: corners.optional(),
    bbox_2d: corners.optional(),
    label: z.string().min(1).default("person"),
  })
  .refine(({ bbox, bbox_2d }) => (bbox === undefined) !== (bbox_2d === undefined), {
    message: "needs bbox or bbox_2d",
  });

/** Ground truth inline: a line of `dip-r1 data convert --to jsonl` fits as it is. */
export const truthSchema = z
  .object({
    width: side.meta({ description: "of the original picture, in pixels" }),
    height: side,
    frame: z.enum(frameNames).default("image").meta({
      description:
        "of the boxes here: image = pixels of the original, model (or absolute) = pixels after smart-resize, norm1000 = thousandths",
    }),
    model_width: side
      .optional()
      .meta({ description: "of the picture after smart-resize; default: by the server's pixel budget" }),
    model_height: side.optional(),
    objects: z.array(objectSchema),
    ignore: z
      .array(corners)
      .default([])
      .meta({ description: "regions where a miss or a hit does not count" }),
  })
  .refine((t) => (t.model_width === undefined) === (t.model_height === undefined), {
    message: "model_width and model_height come together",
  })
  .meta({ title: "Ground truth of one picture" });

/** Ground truth inline, checked. */
export type InlineTruth = z.output<typeof truthSchema>;

/** A truth ready for the rewards, and what tells it from others. */
export interface ResolvedTruth {
  readonly truth: RewardTruth;
  readonly sampleId?: string;
}

/** Options of {@link createTruths}. */
export interface TruthOptions {
  /** Frame of the responses where a request does not say. @default "image" */
  readonly frame?: FrameName;
  /** Decides the size of pictures in the frame `model` where a request does not say. @default Qwen2.5-VL's */
  readonly resize?: ResizeRule;
  /** Of the dataset, only objects of these labels. @default all */
  readonly labels?: readonly string[];
  /** Boxes of a truth. */
  readonly maxBoxes: number;
}

/** Gives ground truth to requests. */
export interface Truths {
  /** Samples of the dataset. */
  readonly size: number;
  /** @throws HttpError `unknown-sample` */
  byId(id: string, frame: FrameName | undefined): ResolvedTruth;
  /** @throws HttpError for sizes that cannot be */
  inline(truth: InlineTruth, frame: FrameName | undefined): RewardTruth;
  /** JSON of an inline truth, or the id of a sample. @throws HttpError naming `where` */
  fromText(text: unknown, frame: FrameName | undefined, where: string): ResolvedTruth;
  /** The columns that `dip-r1 data convert --to trl` and `--to ms-swift` write, or an id alone. @throws HttpError naming `where` */
  fromColumns(
    row: Readonly<Record<string, unknown>>,
    frame: FrameName | undefined,
    where: string,
  ): ResolvedTruth;
}

/** @param samples the dataset's annotations; pictures are not looked at and may be missing */
export function createTruths(samples: readonly SampleTruth[], options: TruthOptions): Truths {
  const byId = new Map(samples.map((sample) => [sample.id, sample]));
  const { resize = QWEN25_RESIZE, maxBoxes } = options;
  const converted = new Map<string, RewardTruth>();

  const check = (truth: RewardTruth, what: string): RewardTruth => {
    const count = truth.objects.length + truth.ignore.length;
    if (count > maxBoxes)
      throw new HttpError("limit-exceeded", `${what} has ${count} boxes, at most ${maxBoxes} are taken`, {
        hint: "Start the server with a larger --max-truth-boxes.",
      });
    return truth;
  };

  const truths: Truths = {
    size: byId.size,
    byId(id, name) {
      const sample = byId.get(id);
      if (sample === undefined)
        throw new HttpError("unknown-sample", `there is no sample with the id ${JSON.stringify(id)}`, {
          hint:
            byId.size === 0
              ? "The server was started without a dataset: start it with --data SPEC, or send the ground truth."
              : `The server's dataset has ${byId.size} samples.`,
        });
      const frame = frameOfName(name ?? options.frame ?? "image");
      const key = `${frame} ${id}`;
      const known = converted.get(key);
      if (known !== undefined) return { truth: known, sampleId: id };
      const truth: RewardTruth = truthFromSample(sample, {
        frame,
        ...(frame === "model" && { modelSize: resized(sample, resize) }),
        ...(options.labels && { labels: options.labels }),
      });
      converted.set(key, check(truth, `sample ${JSON.stringify(id)}`));
      return { truth, sampleId: id };
    },
    inline: (truth, frame) => check(fromInline(truth, frame, resize), "the ground truth"),
    fromText(text, frame, where) {
      if (typeof text === "number") return truths.byId(String(text), frame);
      const value = typeof text === "string" && /^\s*\{/.test(text) ? parseJson(text, where) : text;
      if (typeof value === "string") return truths.byId(value, frame);
      return fromObject(value, frame, where);
    },
    fromColumns(row, frame, where) {
      const said = row["solution"] ?? row["objects"];
      if (said !== undefined && said !== null) return fromObject(inlineOfColumns(row, where), frame, where);
      const id = row["sample_id"] ?? row["id"];
      if (typeof id === "string" || typeof id === "number") return truths.byId(String(id), frame);
      throw new HttpError("bad-request", `${where}: no ground truth`, {
        hint:
          "Give the columns that `dip-r1 data convert --to trl` writes (id, solution, width, height, frame, ...), " +
          "or id alone with a server that was started with --data.",
      });
    },
  };

  const fromObject = (value: unknown, frame: FrameName | undefined, where: string): ResolvedTruth => {
    if (typeof value !== "object" || value === null)
      throw new HttpError(
        "bad-request",
        `${where}: ground truth must be an object, its JSON, or the id of a sample`,
      );
    const { id, ...fields } = value as Record<string, unknown>;
    const given = typeof id === "string" || typeof id === "number" ? String(id) : undefined;
    // {"id": "..."} alone means the dataset's.
    if (given !== undefined && fields["objects"] === undefined) return truths.byId(given, frame);
    const parsed = truthSchema.safeParse(fields);
    if (!parsed.success) throw schemaError(parsed.error, where);
    const truth = truths.inline(parsed.data, frame);
    return given === undefined ? { truth } : { truth, sampleId: given };
  };
  return truths;
}

/** The first issue, with its path, as a refusal. */
export function schemaError(error: z.core.$ZodError, where: string): HttpError {
  const issue = error.issues[0]!;
  const path = issue.path
    .map((part) => (typeof part === "number" ? `[${part}]` : `.${String(part)}`))
    .join("");
  const at = `${where}${path}`.replace(/^\./, "");
  return new HttpError("bad-request", `${at}: ${issue.message.replace(/^Invalid input: /, "")}`, {
    hint: "GET /openapi.json describes every request.",
  });
}

function parseJson(text: string, where: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw new HttpError("bad-request", `${where}: ground truth is not JSON: ${toError(error).message}`);
  }
}

/** Lists of boxes are JSON text in chat datasets, because Arrow does not agree on the type of an empty list. */
function inlineOfColumns(row: Readonly<Record<string, unknown>>, where: string): object {
  try {
    const { solution, objects, ignore, label } = row;
    const said = solution ?? objects;
    const boxes =
      typeof said === "string" ? parseTruthText(said, where, "solution") : toBoxes(said, where, "objects");
    const regions: unknown = typeof ignore === "string" ? JSON.parse(ignore === "" ? "[]" : ignore) : ignore;
    const given = ["width", "height", "frame", "model_width", "model_height"].flatMap((key) =>
      row[key] === undefined || row[key] === null ? [] : [[key, row[key]]],
    );
    return {
      ...Object.fromEntries(given),
      ...(row["id"] !== undefined && row["id"] !== null && { id: row["id"] }),
      objects: boxes.map((one) => ({ bbox: one.box, label: one.label ?? label ?? "person" })),
      ignore: regions ?? [],
    };
  } catch (error) {
    const { message, hint } = toError(error) as InputError;
    throw new HttpError("bad-request", message.startsWith(where) ? message : `${where}: ${message}`, {
      hint,
      cause: error,
    });
  }
}

function resized(size: FrameSize<"image">, resize: ResizeRule): FrameSize<"model"> {
  try {
    return smartResize(size, resize);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    throw new HttpError("bad-request", error.message, { hint: error.hint, cause: error });
  }
}

function fromInline(truth: InlineTruth, wanted: FrameName | undefined, resize: ResizeRule): RewardTruth {
  const from = frameOfName(truth.frame);
  const to = frameOfName(wanted ?? truth.frame);
  const image = { width: truth.width, height: truth.height };
  const { model_width: width, model_height: height } = truth;
  const needsModel = from === "model" || to === "model";
  const model =
    width !== undefined && height !== undefined
      ? { width, height }
      : needsModel
        ? resized(image, resize)
        : image;
  const sizes: FrameSizes = { image, model };
  const size = frameSize(to, sizes);
  const convert = ([x1, y1, x2, y2]: readonly [number, number, number, number]): Box | undefined => {
    const box: Box = { x1, y1, x2, y2 };
    return clipBox(from === to ? box : convertBox(box, from, to, sizes), size);
  };
  return {
    size,
    objects: truth.objects.flatMap(({ bbox, bbox_2d, label }) => {
      const box = convert((bbox ?? bbox_2d)!);
      return box === undefined ? [] : [{ box, label }];
    }),
    ignore: truth.ignore.flatMap((region) => convert(region) ?? []),
  };
}
