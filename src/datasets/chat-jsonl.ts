/**
 * @file Reads the chat JSON Lines of other trainers as samples: TRL (`prompt`, `image`, `solution`), ms-swift (`messages`,
 * `images`, `solution` or `objects`) and VLM-R1 (`image`, `conversations`). One picture a line. The frame of the boxes is
 * told by our own columns where `data convert` wrote the file, else by the spec.
 */
import { dirname, resolve } from "node:path";
import { box, convertBox, type Box, type Frame, type FrameSizes } from "../geometry/index.js";
import { smartResize } from "../qwen/smart-resize.js";
import { BoxAudit, type BoxForm, type ImageSize } from "./box-audit.js";
import { parseTruthText, toBoxes, type WrittenBox } from "./chat-truth-text.js";
import {
  asObject,
  duplicateError,
  fieldError,
  type Fields,
  fourNumbers,
  idField,
  quoted,
  sizeField,
  textField,
} from "./fields.js";
import { openSizes, type SizeLookup } from "./image-sizes.js";
import { readJsonLines } from "./lines.js";
import { Problems } from "./problems.js";
import type { GroundTruthObject, Sample } from "./sample.js";
import { chatFrames, QWEN25_RESIZE, type ChatFrame } from "./writers/chat-options.js";
import { frameOf } from "./writers/chat-truth.js";

/** Chat forms that are read. */
export const CHAT_FORMATS = ["trl", "ms-swift", "vlm-r1"] as const;
/** One of {@link CHAT_FORMATS}. */
export type ChatFormat = (typeof CHAT_FORMATS)[number];

/** How to read chat JSON Lines. */
export interface ChatJsonlOptions {
  /** Folder that picture paths are relative to. @default the file's folder */
  readonly images?: string;
  /** Label of boxes that have none. @default "person" */
  readonly label?: string;
  /** Frame of the boxes of lines that do not tell. @default "image" */
  readonly frame?: ChatFrame;
  /** Budget of smart-resize, for boxes in the frame `absolute` whose lines tell no size. @default Qwen2.5-VL's */
  readonly minPixels?: number;
  readonly maxPixels?: number;
  /** Form of the boxes. @default "xyxy", and files that look otherwise are refused */
  readonly boxes?: BoxForm;
  /** Sizes of pictures whose lines tell none: see {@link openSizes}. @default the pictures' headers */
  readonly sizes?: string;
  /** @default MAX_LINE_BYTES */
  readonly maxLineBytes?: number;
  /** @default stop at the first bad record */
  readonly problems?: Problems;
}

interface Context {
  readonly path: string;
  readonly format: ChatFormat;
  readonly options: ChatJsonlOptions;
  readonly problems: Problems;
  readonly audit: BoxAudit;
  readonly sizes: SizeLookup;
}

/** Streams the lines of a file. @throws InputError naming file, line and field. */
export async function* readChatJsonl(
  path: string,
  format: ChatFormat,
  options: ChatJsonlOptions = {},
): AsyncGenerator<Sample> {
  const problems = options.problems ?? new Problems();
  const context: Context = {
    path,
    format,
    options,
    problems,
    audit: new BoxAudit(path, { native: "xyxy", declared: options.boxes, problems }),
    sizes: await openSizes(options.sizes),
  };
  const seen = new Map<string, number>();
  for await (const { line, value } of readJsonLines(path, { problems, maxLineBytes: options.maxLineBytes })) {
    const where = `${path}:${line}`;
    const sample = await problems.attemptAsync(async () => {
      const fields = asObject(value, where, "the line");
      refuseOtherForms(fields, where, format);
      const known = fields["id"] !== undefined && fields["id"] !== null;
      const id = known ? idField(fields, "id", where) : `line-${line}`;
      const before = seen.get(id);
      if (before !== undefined) {
        const hint = "Ids must be unique; lines without one are numbered.";
        throw duplicateError(where, "id", id, `line ${before}`, hint);
      }
      const found = await toSample(fields, id, where, context);
      seen.set(id, line);
      return found;
    });
    if (sample !== undefined) yield sample;
  }
  context.audit.finish();
}

/** The field that only this form has. */
const MARK: Readonly<Record<ChatFormat, string>> = {
  trl: "prompt",
  "ms-swift": "messages",
  "vlm-r1": "conversations",
};

function refuseOtherForms(fields: Fields, where: string, format: ChatFormat): void {
  if (fields[MARK[format]] !== undefined) return;
  const other = CHAT_FORMATS.find((name) => fields[MARK[name]] !== undefined);
  const hint =
    other === undefined
      ? `Lines of ${format} have ${MARK[format]}; jsonl: reads the project's own form.`
      : `With ${MARK[other]} this is ${other}'s form: write ${other}:FILE.`;
  throw fieldError(where, MARK[format], "is missing", hint);
}

async function toSample(fields: Fields, id: string, where: string, context: Context): Promise<Sample> {
  const { options, problems, audit } = context;
  const path = resolve(options.images ?? dirname(context.path), pictureOf(fields, where, context.format));
  const width = sizeField(fields, "width", where);
  const height = sizeField(fields, "height", where);
  const size =
    width !== undefined && height !== undefined
      ? { width, height }
      : await context.sizes({ id, path, where });
  const truth = truthOf(fields, where, context);
  const toImage = bridge(truth.frame ?? lineFrame(fields, where, options), fields, where, size, options);
  const objects: GroundTruthObject[] = [];
  for (const [i, written] of truth.boxes.entries()) {
    const field = `${truth.field}[${i}]`;
    problems.attempt(() => {
      const numbers = corners(toImage(fourNumbers(written.box, where, field, "[x1, y1, x2, y2]")));
      objects.push({
        box: audit.read(numbers, where, field, size),
        label: written.label ?? options.label ?? "person",
      });
    });
  }
  const ignore: Box<"image">[] = [];
  for (const [i, written] of ignoreOf(fields, where).entries()) {
    problems.attempt(() => {
      const numbers = toImage(fourNumbers(written.box, where, `ignore[${i}]`, "[x1, y1, x2, y2]"));
      const region = audit.readIgnore(corners(numbers), where, `ignore[${i}]`, size);
      if (region !== undefined) ignore.push(region);
    });
  }
  return { id, image: { kind: "file", path }, ...size, objects, ignore };
}

type Numbers = readonly [number, number, number, number];

function corners({ x1, y1, x2, y2 }: Box): Numbers {
  return [x1, y1, x2, y2];
}

/** The line's one picture, as it names it. */
function pictureOf(fields: Fields, where: string, format: ChatFormat): string {
  const field = format === "ms-swift" || (fields["image"] ?? undefined) === undefined ? "images" : "image";
  const value = fields[field];
  const list: readonly unknown[] = Array.isArray(value) ? value : value === undefined ? [] : [value];
  if (list.length !== 1) {
    throw fieldError(
      where,
      field,
      `must name one picture, got ${list.length}`,
      "Lines about several are not read.",
    );
  }
  // Hugging Face's datasets write pictures as {path, bytes}.
  const first: unknown = list[0];
  const name = typeof first === "object" && first !== null ? (first as Fields)["path"] : first;
  if (typeof name !== "string" || name === "")
    throw fieldError(where, field, `must be the path of a picture, got ${quoted(first)}`);
  if (/^[a-z]+:\/\//i.test(name) || name.startsWith("data:"))
    throw fieldError(where, field, `must be a path, got ${quoted(name)}`, "Fetch the pictures first.");
  return name;
}

interface LineTruth {
  readonly field: string;
  readonly boxes: readonly WrittenBox[];
  /** Where the form itself says it. */
  readonly frame?: ChatFrame | "norm1";
}

function truthOf(fields: Fields, where: string, { format }: Context): LineTruth {
  if (format === "vlm-r1") return conversationTruth(fields, where);
  const solution = fields["solution"] ?? undefined;
  if (solution !== undefined) {
    const boxes =
      typeof solution === "string"
        ? parseTruthText(solution, where, "solution")
        : toBoxes(solution, where, "solution");
    return { field: "solution", boxes };
  }
  if (format === "ms-swift" && (fields["objects"] ?? undefined) !== undefined)
    return swiftTruth(fields, where);
  const turns = fields[format === "trl" ? "completion" : "messages"];
  const text = lastAnswer(turns);
  if (text === undefined) {
    throw fieldError(
      where,
      "solution",
      "is missing, and no assistant's turn holds the ground truth",
      format === "trl"
        ? 'Give each line a column "solution" with text like [{"bbox_2d":[x1,y1,x2,y2],"label":"person"}].'
        : 'Give each line "solution", or "objects" with ref and bbox.',
    );
  }
  const field = format === "trl" ? "completion" : "messages";
  return { field, boxes: parseTruthText(text, where, field) };
}

/** The text of the last assistant's turn. */
function lastAnswer(turns: unknown): string | undefined {
  if (typeof turns === "string") return turns;
  if (!Array.isArray(turns)) return undefined;
  const last = turns.findLast(
    (turn: unknown) => typeof turn === "object" && turn !== null && (turn as Fields)["role"] === "assistant",
  ) as Fields | undefined;
  const content = last?.["content"];
  if (typeof content === "string") return content;
  if (!Array.isArray(content)) return undefined;
  return content
    .map((part: unknown) =>
      typeof part === "object" && part !== null ? (part as Fields)["text"] : undefined,
    )
    .filter((part) => typeof part === "string")
    .join("");
}

function conversationTruth(fields: Fields, where: string): LineTruth {
  const turns = fields["conversations"];
  const answer: unknown = Array.isArray(turns) ? turns[1] : undefined;
  const text = typeof answer === "object" && answer !== null ? (answer as Fields)["value"] : undefined;
  if (typeof text !== "string" && !Array.isArray(text)) {
    throw fieldError(where, "conversations", "must have the ground truth as value of its second turn");
  }
  const field = "conversations[1].value";
  return {
    field,
    boxes: typeof text === "string" ? parseTruthText(text, where, field) : toBoxes(text, where, field),
  };
}

/** `objects`: `bbox`, `ref` (a word a box, or one for all), `bbox_type` real (pixels of the original) or norm1 (shares). */
function swiftTruth(fields: Fields, where: string): LineTruth {
  const objects = asObject(fields["objects"], where, "objects");
  const list = objects["bbox"];
  if (!Array.isArray(list)) throw fieldError(where, "objects.bbox", `must be a list, got ${quoted(list)}`);
  const refs: readonly unknown[] = Array.isArray(objects["ref"]) ? objects["ref"] : [];
  const type = textField(objects, "bbox_type", where) ?? "real";
  if (type !== "real" && type !== "norm1")
    throw fieldError(where, "objects.bbox_type", `must be real or norm1, got ${quoted(type)}`);
  const boxes = list.map((entry: unknown, i): WrittenBox => {
    const label = refs.length === list.length ? refs[i] : refs.length === 1 ? refs[0] : undefined;
    return typeof label === "string" && label !== "" ? { box: entry, label } : { box: entry };
  });
  return { field: "objects.bbox", boxes, frame: type === "norm1" ? "norm1" : "image" };
}

function ignoreOf(fields: Fields, where: string): WrittenBox[] {
  const value = fields["ignore"] ?? undefined;
  if (value === undefined) return [];
  return typeof value === "string" ? parseTruthText(value, where, "ignore") : toBoxes(value, where, "ignore");
}

/** The frame that the line names, else the spec's. */
function lineFrame(fields: Fields, where: string, options: ChatJsonlOptions): ChatFrame {
  const told = textField(fields, "frame", where) ?? options.frame ?? "image";
  if (!chatFrames.includes(told as ChatFrame))
    throw fieldError(where, "frame", `must be one of ${chatFrames.join(", ")}, got ${quoted(told)}`);
  return told as ChatFrame;
}

/** From the frame of a line's boxes to pixels of the original. */
function bridge(
  name: ChatFrame | "norm1",
  fields: Fields,
  where: string,
  image: ImageSize,
  options: ChatJsonlOptions,
): (numbers: Numbers) => Box<"image"> {
  if (name === "norm1")
    return ([x1, y1, x2, y2]) =>
      box<"image">(x1 * image.width, y1 * image.height, x2 * image.width, y2 * image.height);
  const frame: Frame = frameOf[name];
  const sizes: FrameSizes = {
    image,
    model: name === "absolute" ? modelSize(fields, where, image, options) : image,
  };
  return ([x1, y1, x2, y2]) => convertBox(box(x1, y1, x2, y2), frame, "image", sizes);
}

function modelSize(fields: Fields, where: string, image: ImageSize, options: ChatJsonlOptions): ImageSize {
  const width = sizeField(fields, "model_width", where);
  const height = sizeField(fields, "model_height", where);
  if (width !== undefined && height !== undefined) return { width, height };
  const { minPixels = QWEN25_RESIZE.minPixels, maxPixels = QWEN25_RESIZE.maxPixels } = options;
  return smartResize(image, { ...QWEN25_RESIZE, minPixels, maxPixels });
}
