/**
 * @file What the four numbers of a written box count and in which order they stand, and the way between them and the
 * frames of geometry/profiles.ts. Everything that differs between models in numbers alone is here; how the numbers are
 * wrapped (JSON, markers) is a dialect's form.
 */
import type { FrameSize } from "../../geometry/box.js";
import type { BoxLayout } from "../../geometry/frame-check.js";
import { NORM1000_SIZE, type FrameSizes } from "../../geometry/frames.js";
import { coordinateProfiles, type AnswerFrame, type CoordinateProfile } from "../../geometry/profiles.js";
import type { BoxConversion, ReadingCanvas } from "../box-list.js";

/**
 * What one unit is: `model` = a pixel of the picture that was sent, `norm1000` and `norm999` = a thousandth and a 999th
 * of a side (DeepSeek-VL2 writes 999 at the far edge), `norm1` = a whole side.
 */
export type WrittenScale = "model" | "norm1000" | "norm999" | "norm1";

/** How numbers are read. */
export interface Reading {
  readonly scale: WrittenScale;
  readonly layout: BoxLayout;
}

/** All scales. */
export const writtenScales = ["model", "norm1000", "norm999", "norm1"] as const satisfies WrittenScale[];
/** All layouts. */
export const boxLayouts = ["xyxy", "xywh", "cxcywh", "yxyx"] as const satisfies BoxLayout[];

/** The profile whose frame the answers of a reading are converted to: pixels stay pixels, all shares become thousandths. */
export function profileOf({ scale }: Reading): CoordinateProfile {
  return scale === "model" ? "absolute" : "norm1000";
}

/** Units across the picture. */
export function writtenCanvas({ scale }: Reading, model: FrameSize<"model">): FrameSize {
  switch (scale) {
    case "model":
      return model;
    case "norm1000":
      return { width: 1000, height: 1000 };
    case "norm999":
      return { width: 999, height: 999 };
    case "norm1":
      return { width: 1, height: 1 };
  }
}

/** Corners, x before y, of four numbers as written; same units. */
export function toCorners(
  [a, b, c, d]: readonly number[],
  layout: BoxLayout,
): [number, number, number, number] {
  switch (layout) {
    case "xyxy":
      return [a!, b!, c!, d!];
    case "xywh":
      return [a!, b!, a! + c!, b! + d!];
    case "cxcywh":
      return [a! - c! / 2, b! - d! / 2, a! + c! / 2, b! + d! / 2];
    case "yxyx":
      return [b!, a!, d!, c!];
  }
}

/** The inverse of {@link toCorners}. */
export function fromCorners(
  [x1, y1, x2, y2]: readonly number[],
  layout: BoxLayout,
): [number, number, number, number] {
  switch (layout) {
    case "xyxy":
      return [x1!, y1!, x2!, y2!];
    case "xywh":
      return [x1!, y1!, x2! - x1!, y2! - y1!];
    case "cxcywh":
      return [(x1! + x2!) / 2, (y1! + y2!) / 2, x2! - x1!, y2! - y1!];
    case "yxyx":
      return [y1!, x1!, y2!, x2!];
  }
}

/** The canvas that answers of a reading are clipped to, with the conversion of what is written; for the parser. */
export function readingCanvas(reading: Reading, model: FrameSize<"model">): ReadingCanvas<AnswerFrame> {
  const frame = coordinateProfiles[profileOf(reading)];
  const size: FrameSize<AnswerFrame> = frame === "model" ? model : NORM1000_SIZE;
  const written = writtenCanvas(reading, model);
  // Multiply first: the far edge of one canvas then falls exactly on the far edge of the other.
  const convert: BoxConversion = (a, b, c, d) => {
    const [x1, y1, x2, y2] = toCorners([a, b, c, d], reading.layout);
    return [
      (x1 * size.width) / written.width,
      (y1 * size.height) / written.height,
      (x2 * size.width) / written.width,
      (y2 * size.height) / written.height,
    ];
  };
  return { width: size.width, height: size.height, convert };
}

/** Four numbers as a model would write them, of a box in the frame of the reading's profile; whole ones, but shares with three digits. */
export function writeNumbers(
  box: { readonly x1: number; readonly y1: number; readonly x2: number; readonly y2: number },
  reading: Reading,
  sizes: Pick<FrameSizes, "model">,
): number[] {
  const frame = coordinateProfiles[profileOf(reading)];
  const from: FrameSize = frame === "model" ? sizes.model : NORM1000_SIZE;
  const to = writtenCanvas(reading, sizes.model);
  const round = (value: number): number =>
    reading.scale === "norm1" ? Math.round(1000 * value) / 1000 : Math.round(value);
  const corners = [
    round((box.x1 * to.width) / from.width),
    round((box.y1 * to.height) / from.height),
    round((box.x2 * to.width) / from.width),
    round((box.y2 * to.height) / from.height),
  ];
  // Sums of rounded shares carry binary dust; halves of whole numbers (centres) are written as they are.
  return fromCorners(corners, reading.layout).map((value) => Number(value.toFixed(4)) + 0);
}
