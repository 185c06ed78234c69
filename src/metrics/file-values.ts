/** @file Checked values from files that others wrote: boxes, scores, whole JSON files; errors name file, place and field. */
import { open, type FileHandle } from "node:fs/promises";
import { InputError, toError } from "../base/errors.js";
import { fieldError, quoted, type Where } from "../datasets/fields.js";
import { unreadable } from "./text-lines.js";

/** [x, y, width, height] */
export type Xywh = readonly [x: number, y: number, width: number, height: number];

/**
 * A box of four finite numbers [x, y, width, height] with sides >= 0 (the official tools take empty ones, which match
 * nothing). Coordinates may be negative: amodal boxes leave the picture.
 */
export function xywhValue(value: unknown, where: () => Where, field: string): Xywh {
  if (!Array.isArray(value) || value.length !== 4)
    throw fieldError(where(), field, `must be four numbers [x, y, width, height], got ${quoted(value)}`);
  const [x, y, width, height] = value as readonly unknown[];
  if (!(
    Number.isFinite(x) &&
    Number.isFinite(y) &&
    Number.isFinite(width) &&
    Number.isFinite(height) &&
    (width as number) >= 0 &&
    (height as number) >= 0
  ))
    throw badBox(value as readonly unknown[], where(), field);
  return value as unknown as Xywh;
}

function badBox(value: readonly unknown[], where: Where, field: string): InputError {
  if (!value.every((one) => typeof one === "number" && Number.isFinite(one)))
    return fieldError(where, field, `must be four finite numbers, got ${quoted(value)}`);
  return fieldError(
    where,
    field,
    `has a negative size: width ${String(value[2])}, height ${String(value[3])}`,
    "Boxes are [x, y, width, height] here. Boxes given by two corners look like this.",
  );
}

/** A finite score. */
export function scoreValue(value: unknown, where: () => Where, field = "score"): number {
  if (typeof value !== "number" || !Number.isFinite(value))
    throw fieldError(where(), field, `must be a finite number, got ${quoted(value)}`);
  return value;
}

/** V8's strings end near 2^29 characters. */
const MAX_JSON_BYTES = 2 ** 29 - 2 ** 16;

/** What to do about text that is not JSON, as far as the text shows it. */
function jsonHint(text: string): string {
  if (/[[:,\s](-?Infinity|NaN)\s*[,\]}]/.test(text))
    return "It holds NaN or Infinity, which Python writes but JSON does not have: a box or score is not finite.";
  const first = text.trimStart()[0];
  const last = text.trimEnd().at(-1);
  if ((first === "{" && last !== "}") || (first === "[" && last !== "]"))
    return "It ends in the middle: the file is cut off. Write or copy it again.";
  return "A file with one JSON object a line (.odgt, .jsonl) is not one JSON value.";
}

/** Parses JSON. @throws InputError at `where`, with a hint at what is wrong. */
export function parseJson(text: string, where: Where): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw new InputError(`${where}: not JSON (${toError(error).message})`, {
      hint: jsonHint(text),
      cause: error,
    });
  }
}

/**
 * Reads a whole JSON file.
 * @throws InputError naming the file where it cannot be read, is not UTF-8, not JSON, or larger than a string can be.
 */
export async function readWholeJson(path: string): Promise<unknown> {
  let file: FileHandle | undefined;
  let bytes: Buffer;
  try {
    file = await open(path);
    const { size } = await file.stat();
    if (size > MAX_JSON_BYTES)
      throw new InputError(`${path}: ${(size / 2 ** 30).toFixed(2)} GiB are too much for one JSON value`, {
        hint: "Files up to 0.5 GiB can be read: drop segmentations, low scores or fields that are not needed.",
      });
    bytes = await file.readFile();
  } catch (error) {
    throw error instanceof InputError ? error : unreadable(path, error);
  } finally {
    await file?.close();
  }
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (error) {
    throw new InputError(`${path}: not UTF-8 text`, {
      hint: "A compressed file must be unpacked first; a text in another encoding saved as UTF-8.",
      cause: error,
    });
  }
  return parseJson(text, path);
}
