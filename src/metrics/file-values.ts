/** @file Checked values from files that others wrote: boxes and scores; errors name file, place and field. */
import type { InputError } from "../base/errors.js";
import { fieldError, quoted, type Where } from "../datasets/fields.js";
import { Problems } from "../datasets/problems.js";

/** [x, y, width, height] */
export type Xywh = readonly [x: number, y: number, width: number, height: number];

/** Bad records of a benchmark's files stop the reading: a number over a part of the set would not be the benchmark's. */
export function officialFiles(): Problems {
  return new Problems("error", "");
}

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
