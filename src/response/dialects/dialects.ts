/**
 * @file The dialects: how each family of models that people compare with writes boxes, what its numbers count, and how it
 * is asked. A dialect is declared (by a server's profile), never guessed from an answer.
 *
 * Sources of form and frame: the models' own cards and cookbooks. Qwen2.5-VL: pixels of the resized picture, `bbox_2d`.
 * Qwen3-VL: the same JSON in thousandths. DeepSeek-VL2: `<|ref|>` and `<|det|>`, 0..999. InternVL: `<ref>` and `<box>`,
 * thousandths. Gemini: `box_2d` as [ymin, xmin, ymax, xmax] in thousandths. The wording of the prompts is ours.
 */
import { InputError } from "../../base/errors.js";
import { promptText } from "../prompt.js";
import type { Form } from "./forms.js";
import type { Reading } from "./reading.js";

/** The sizes of picture that a model's own processor leaves as they are; sides become multiples of `factor`. */
export interface PictureBudget {
  readonly factor: number;
  readonly minPixels: number;
  readonly maxPixels: number;
}

/** How a family of models writes boxes. */
export interface Dialect {
  readonly name: string;
  /** Which models, and what is special about it. */
  readonly description: string;
  readonly form: Form;
  readonly reading: Reading;
  /** To what size pictures are brought before they are sent; absent = sent as they are. */
  readonly picture?: PictureBudget;
  /** Its markers are special tokens: a server that leaves those out of the text breaks it. */
  readonly specialTokens?: boolean;
  /**
   * The user's text.
   * @param prompt Name of a Think-Look-Answer prompt, for dialects of that form.
   */
  readonly prompt: (labels: readonly string[], prompt?: string) => string;
}

/** `a`, `a and b`, `a, b and c`. */
function list(labels: readonly string[]): string {
  return labels.length < 2 ? labels.join("") : `${labels.slice(0, -1).join(", ")} and ${labels.at(-1)}`;
}

const quoted = (labels: readonly string[]): string => labels.map((label) => `"${label}"`).join(", ");

/** The budget that grounding with Qwen2.5-VL is usually run at: the processor's own 12.8 million pixels lower its IoU. */
const QWEN2_5_PICTURE: PictureBudget = { factor: 28, minPixels: 56 * 56, maxPixels: 1_003_520 };
/** About as many tokens for Qwen3-VL, whose tokens are 32 pixels wide. */
const QWEN3_PICTURE: PictureBudget = { factor: 32, minPixels: 256 * 256, maxPixels: 1_048_576 };

const EVERY =
  "Count also those that are small, cut off by the border or mostly hidden, each with a box of its own.";

const table = {
  "dip-r1": {
    description:
      "Think-Look-Answer in pixels of the picture sent: models trained here, and Qwen2.5-VL asked alike",
    form: "think-look-answer",
    reading: { scale: "model", layout: "xyxy" },
    picture: QWEN2_5_PICTURE,
    prompt: (labels, prompt = "dip-r1") => promptText(prompt, labels),
  },
  "dip-r1-norm1000": {
    description: "Think-Look-Answer in thousandths: Qwen3-VL and others asked as models trained here are",
    form: "think-look-answer",
    reading: { scale: "norm1000", layout: "xyxy" },
    picture: QWEN3_PICTURE,
    prompt: (labels, prompt = "dip-r1") => promptText(prompt, labels, "norm1000"),
  },
  "qwen2.5-vl": {
    description: "Qwen2.5-VL's own JSON, pixels of the resized picture",
    form: "bbox_2d",
    reading: { scale: "model", layout: "xyxy" },
    picture: QWEN2_5_PICTURE,
    prompt: (labels) =>
      `Locate every ${list(labels)} in this image. ${EVERY} Report them in JSON format, as ` +
      `[{"bbox_2d": [x1, y1, x2, y2], "label": "${labels[0]}"}, ...], in pixels of the image.`,
  },
  "qwen3-vl": {
    description: "Qwen3-VL's own JSON, thousandths of the picture",
    form: "bbox_2d",
    reading: { scale: "norm1000", layout: "xyxy" },
    picture: QWEN3_PICTURE,
    prompt: (labels) =>
      `Locate every instance of these categories: ${quoted(labels)}. ${EVERY} Report the bounding boxes in JSON ` +
      `format, as [{"bbox_2d": [x1, y1, x2, y2], "label": "${labels[0]}"}, ...].`,
  },
  "deepseek-vl2": {
    description: "DeepSeek-VL2's <|ref|> and <|det|> markers, 0 to 999; the markers are special tokens",
    form: "det-markers",
    reading: { scale: "norm999", layout: "xyxy" },
    specialTokens: true,
    prompt: (labels) =>
      `Locate every ${labels.map((label) => `<|ref|>${label}<|/ref|>`).join(" and every ")} in the given image.`,
  },
  internvl: {
    description: "InternVL's <ref> and <box> markers, thousandths",
    form: "box-markers",
    reading: { scale: "norm1000", layout: "xyxy" },
    specialTokens: true,
    prompt: (labels) =>
      `Detect every ${labels.map((label) => `<ref>${label}</ref>`).join(" and every ")} in the image and give the ` +
      "bounding box of each.",
  },
  gemini: {
    description: "Gemini's JSON: box_2d as [ymin, xmin, ymax, xmax] in thousandths",
    form: "box_2d",
    reading: { scale: "norm1000", layout: "yxyx" },
    prompt: (labels) =>
      `Detect every ${list(labels)} in the image. ${EVERY} Answer with JSON only: ` +
      `[{"box_2d": [ymin, xmin, ymax, xmax], "label": "${labels[0]}"}, ...], with coordinates normalized to 0-1000.`,
  },
  "list-pixels": {
    description: "plain lists of corners, pixels of the picture sent",
    form: "list",
    reading: { scale: "model", layout: "xyxy" },
    prompt: (labels) =>
      `Find every ${list(labels)} in this image. ${EVERY} Answer with one JSON array of boxes and nothing else: ` +
      "[[x1, y1, x2, y2], ...], in whole pixels of the image.",
  },
  "list-norm1000": {
    description: "plain lists of corners, thousandths",
    form: "list",
    reading: { scale: "norm1000", layout: "xyxy" },
    prompt: (labels) =>
      `Find every ${list(labels)} in this image. ${EVERY} Answer with one JSON array of boxes and nothing else: ` +
      "[[x1, y1, x2, y2], ...], in whole thousandths of the image's width and height (0 to 1000).",
  },
  "list-norm1": {
    description: "plain lists of corners, shares of the picture from 0 to 1",
    form: "list",
    reading: { scale: "norm1", layout: "xyxy" },
    prompt: (labels) =>
      `Find every ${list(labels)} in this image. ${EVERY} Answer with one JSON array of boxes and nothing else: ` +
      "[[x1, y1, x2, y2], ...], as shares of the image's width and height from 0 to 1 with three decimals.",
  },
} as const satisfies Record<string, Omit<Dialect, "name">>;

/** Name of a dialect. */
export type DialectName = keyof typeof table;

/** Names of all dialects. */
export const dialectNames = Object.keys(table) as [DialectName, ...DialectName[]];

/**
 * A dialect by its name.
 * @throws InputError for a name that is none, with the names there are.
 */
export function dialectOf(name: string): Dialect {
  if (!Object.hasOwn(table, name))
    throw new InputError(`there is no dialect named "${name}"`, {
      hint: `Choose the one the model speaks: ${dialectNames.join(", ")}.`,
    });
  return { name, ...table[name as DialectName] };
}

/**
 * The user's text of a dialect.
 * @throws InputError for no label, for a label that holds one of the dialect's markers, and for a Think-Look-Answer prompt
 * named where the dialect has none.
 */
export function dialectPrompt(dialect: Dialect, labels: readonly string[], prompt?: string): string {
  if (labels.length === 0)
    throw new InputError("a prompt needs at least one label", { hint: 'For example: labels: ["person"].' });
  if (prompt !== undefined && dialect.form !== "think-look-answer")
    throw new InputError(
      `dialect ${dialect.name} has a prompt of its own; --prompt ${prompt} does not apply`,
      {
        hint: "Leave --prompt out, or choose the dialect dip-r1 or dip-r1-norm1000.",
      },
    );
  const strange = labels.find((label) => /[<>|"\n]/.test(label));
  if (strange !== undefined)
    throw new InputError(
      `the label ${JSON.stringify(strange)} cannot be asked for: it holds <, >, | or quotes`,
    );
  return dialect.prompt(labels, prompt);
}
