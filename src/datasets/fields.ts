/** @file Reads fields of annotation files that others wrote: each error says which file, which entry, which field. */
import { readFile, stat } from "node:fs/promises";
import { InputError, toError } from "../base/errors.js";
import { box, type Box } from "../geometry/box.js";
import { unreadable } from "./lines.js";
import { AnnotationError, type ProblemKind } from "./problems.js";
import type { Attributes } from "./sample.js";
import { decodeText } from "./text-bytes.js";

/** Where a value stands, as errors name it: `train.json: annotation 12`, `samples.jsonl:3`. */
export type Where = string;

/** A parsed JSON object whose fields are not known yet. */
export type Fields = Readonly<Record<string, unknown>>;

/** An error about one field. @param kind what a tally counts it as, "field" by default */
export function fieldError(
  where: Where,
  field: string,
  problem: string,
  hint?: string,
  kind: ProblemKind = "field",
): AnnotationError {
  return new AnnotationError(kind, `${where}: ${field} ${problem}`, hint === undefined ? {} : { hint });
}

/** An id that an earlier record has: `before` is that record, such as `line 3`. */
export function duplicateError(
  where: Where,
  field: string,
  id: unknown,
  before: string,
  hint: string,
): AnnotationError {
  return fieldError(where, field, `${quoted(id)} was used before, in ${before}`, hint, "duplicate-id");
}

/** A value as errors quote it. */
export function quoted(value: unknown): string {
  const text = JSON.stringify(value) ?? "nothing";
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}

/** Reads and parses a whole JSON file. @throws InputError naming the file. */
export async function readJsonFile(path: string): Promise<unknown> {
  const text = await readTextFile(path);
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw new InputError(`${path}: is not JSON (${toError(error).message})`, {
      hint: jsonHint(text, toError(error).message),
      cause: error,
    });
  }
}

function jsonHint(text: string, message: string): string {
  if (/[[,:]\s*(NaN|-?Infinity)\b/.test(text))
    return "JSON has no NaN and no Infinity; Python's json.dump writes them unless told allow_nan=False.";
  if (/end of JSON input|unterminated/i.test(message))
    return "The file ends too early, so it was cut off: fetch or write it again.";
  return "A file with one JSON object a line is JSON Lines: give it the ending .jsonl or write jsonl:PATH.";
}

/** Largest file that is read at once; a text in Node holds little more. */
const MAX_WHOLE_BYTES = 500 * 2 ** 20;

/** The bytes of a file that is read at once. @throws InputError where it is missing or too large. */
export async function readWholeFile(path: string): Promise<Buffer> {
  try {
    const { size } = await stat(path);
    if (size > MAX_WHOLE_BYTES) {
      throw new InputError(
        `${path}: has ${Math.round(size / 2 ** 20)} MB, and files of this format are read at once`,
        { hint: "Split it, or convert it to JSON Lines, which are read line by line." },
      );
    }
    return await readFile(path);
  } catch (error) {
    if (error instanceof InputError) throw error;
    throw unreadable(path, error);
  }
}

/** Reads a text file without a byte-order mark. @throws InputError naming the file, and what its bytes look like. */
export async function readTextFile(path: string): Promise<string> {
  return decodeText(await readWholeFile(path), path);
}

/** The value as an object. */
export function asObject(value: unknown, where: Where, what = "entry"): Fields {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new AnnotationError("field", `${where}: ${what} must be an object, got ${quoted(value)}`);
  }
  return value as Fields;
}

/** A field that must be a list. */
export function arrayField(fields: Fields, field: string, where: Where): readonly unknown[] {
  const value = fields[field];
  if (!Array.isArray(value)) throw fieldError(where, field, `must be a list, got ${quoted(value)}`);
  return value as readonly unknown[];
}

/** A field that must be a finite number of at least `min`; `undefined` where it is absent or null. */
export function numberField(
  fields: Fields,
  field: string,
  where: Where,
  min = -Infinity,
): number | undefined {
  const value = fields[field];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== "number" || !Number.isFinite(value) || value < min) {
    const wanted = min === -Infinity ? "a number" : `a number of at least ${min}`;
    throw fieldError(where, field, `must be ${wanted}, got ${quoted(value)}`);
  }
  return value;
}

/** A width or height in pixels: a whole number of at least 1, or absent. */
export function sizeField(fields: Fields, field: string, where: Where): number | undefined {
  const value = numberField(fields, field, where, 1);
  if (value !== undefined && !Number.isInteger(value)) {
    throw fieldError(where, field, `must be a whole number of pixels, got ${value}`);
  }
  return value;
}

/** A field that must be text; `undefined` where it is absent or null. */
export function textField(fields: Fields, field: string, where: Where): string | undefined {
  const value = fields[field];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== "string" || value === "") {
    throw fieldError(where, field, `must be text, got ${quoted(value)}`);
  }
  return value;
}

/** An id: text or number, given as text. */
export function idField(fields: Fields, field: string, where: Where): string {
  const value = fields[field];
  if ((typeof value === "string" && value !== "") || (typeof value === "number" && Number.isFinite(value))) {
    return String(value);
  }
  throw fieldError(where, field, `must be text or a number, got ${quoted(value)}`);
}

/** A field that is 0 or 1 (or a boolean); absent is false. */
export function flagField(fields: Fields, field: string, where: Where): boolean {
  const value = fields[field];
  if (value === undefined || value === null || value === 0 || value === false) return false;
  if (value === 1 || value === true) return true;
  throw fieldError(where, field, `must be 0 or 1, got ${quoted(value)}`);
}

/**
 * Attributes of an object: values that are text, numbers or booleans; `undefined` where the field is absent, empty or no
 * object. Values of other kinds (CVAT and others nest lists there) are left out: attributes are never relied on.
 */
export function attributesField(fields: Fields, field: string): Attributes | undefined {
  const value = fields[field];
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
  const entries = Object.entries(value).filter(([, entry]) =>
    ["string", "number", "boolean"].includes(typeof entry),
  );
  return entries.length === 0 ? undefined : (Object.fromEntries(entries) as Attributes);
}

/** Four finite numbers. @param form what they mean, for the error */
export function fourNumbers(
  value: unknown,
  where: Where,
  field: string,
  form: string,
): [number, number, number, number] {
  if (!Array.isArray(value) || value.length !== 4 || !value.every((n) => Number.isFinite(n))) {
    throw fieldError(
      where,
      field,
      `must be four finite numbers ${form}, got ${quoted(value)}`,
      undefined,
      "box",
    );
  }
  return value as [number, number, number, number];
}

/** A box given as [left, top, width, height]. @throws AnnotationError also where it is empty. */
export function boxFromXywh(value: unknown, where: Where, field: string): Box<"image"> {
  const [x, y, w, h] = fourNumbers(value, where, field, "[x, y, width, height]");
  if (!(w > 0 && h > 0)) {
    const hint = "Boxes are [x, y, width, height] here.";
    throw fieldError(where, field, `has no area: width ${w}, height ${h}`, hint, "empty-box");
  }
  return box<"image">(x, y, x + w, y + h);
}

/** A box given as [x1, y1, x2, y2]. @throws AnnotationError also where it is empty. */
export function boxFromCorners(value: unknown, where: Where, field: string): Box<"image"> {
  const [x1, y1, x2, y2] = fourNumbers(value, where, field, "[x1, y1, x2, y2]");
  if (!(x2 > x1 && y2 > y1)) {
    const hint = "Boxes are [x1, y1, x2, y2] here: right of left, bottom below top.";
    throw fieldError(where, field, `has no area: [${x1}, ${y1}, ${x2}, ${y2}]`, hint, "empty-box");
  }
  return box<"image">(x1, y1, x2, y2);
}
