/** @file Reads fields of annotation files that others wrote: each error says which file, which entry, which field. */
import { readFile } from "node:fs/promises";
import { InputError, toError } from "../base/errors.js";
import { box, type Box } from "../geometry/box.js";

/** Where a value stands, as errors name it: `train.json: annotation 12`, `samples.jsonl:3`. */
export type Where = string;

/** A parsed JSON object whose fields are not known yet. */
export type Fields = Readonly<Record<string, unknown>>;

/** An error about one field. */
export function fieldError(where: Where, field: string, problem: string, hint?: string): InputError {
  return new InputError(`${where}: ${field} ${problem}`, hint === undefined ? {} : { hint });
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
      hint: "A file with one JSON object a line is JSON Lines: give it the ending .jsonl or write jsonl:PATH.",
      cause: error,
    });
  }
}

/** Reads a text file without a byte-order mark. @throws InputError naming the file. */
export async function readTextFile(path: string): Promise<string> {
  try {
    return (await readFile(path, "utf8")).replace(/^\uFEFF/, "");
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === "ENOENT";
    throw new InputError(
      missing ? `${path}: no such file` : `${path}: cannot be read (${toError(error).message})`,
      {
        hint: "Paths in a recipe are relative to the recipe's folder, on the command line to the current folder.",
        cause: error,
      },
    );
  }
}

/** The value as an object. */
export function asObject(value: unknown, where: Where, what = "entry"): Fields {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new InputError(`${where}: ${what} must be an object, got ${quoted(value)}`);
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

function fourNumbers(
  value: unknown,
  where: Where,
  field: string,
  form: string,
): [number, number, number, number] {
  if (
    !Array.isArray(value) ||
    value.length !== 4 ||
    !value.every((n) => typeof n === "number" && Number.isFinite(n))
  ) {
    throw fieldError(where, field, `must be four finite numbers ${form}, got ${quoted(value)}`);
  }
  return value as [number, number, number, number];
}

/** A box given as [left, top, width, height]. @throws InputError also where it is empty. */
export function boxFromXywh(value: unknown, where: Where, field: string): Box<"image"> {
  const [x, y, w, h] = fourNumbers(value, where, field, "[x, y, width, height]");
  if (!(w > 0 && h > 0)) {
    throw fieldError(
      where,
      field,
      `has no area: width ${w}, height ${h}`,
      "Boxes are [x, y, width, height] here.",
    );
  }
  return box<"image">(x, y, x + w, y + h);
}

/** A box given as [x1, y1, x2, y2]. @throws InputError also where it is empty. */
export function boxFromCorners(value: unknown, where: Where, field: string): Box<"image"> {
  const [x1, y1, x2, y2] = fourNumbers(value, where, field, "[x1, y1, x2, y2]");
  if (!(x2 > x1 && y2 > y1)) {
    throw fieldError(
      where,
      field,
      `has no area: [${x1}, ${y1}, ${x2}, ${y2}]`,
      "Boxes are [x1, y1, x2, y2] here: right of left, bottom below top.",
    );
  }
  return box<"image">(x1, y1, x2, y2);
}
