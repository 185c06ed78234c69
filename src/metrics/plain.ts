/** @file Boxes as flat numbers: what the official evaluators' cores read, whatever file or model the boxes came from. */
import type { Box } from "../geometry/box.js";

/** Boxes of one image, in pixels. */
export interface PlainBoxes {
  /** [count, 4]: x1 y1 x2 y2. */
  readonly corners: Float64Array;
  /** [count]: width x height as given, which rounding may tell from the corners' differences. */
  readonly areas: Float64Array;
}

/** Boxes with scores. */
export interface PlainDetections extends PlainBoxes {
  /** [count]: any monotone confidence, finite. */
  readonly scores: Float64Array;
}

/** Flat boxes from [x, y, width, height] each. */
export function plainFromXywh(boxes: readonly (readonly number[])[]): PlainBoxes {
  const corners = new Float64Array(4 * boxes.length);
  const areas = new Float64Array(boxes.length);
  for (let i = 0; i < boxes.length; i++) {
    const [x, y, width, height] = boxes[i] as readonly [number, number, number, number];
    corners.set([x, y, x + width, y + height], 4 * i);
    areas[i] = width * height;
  }
  return { corners, areas };
}

/** Flat boxes from boxes with corners, as models give them. */
export function plainBoxes(boxes: readonly Box[]): PlainBoxes {
  const corners = new Float64Array(4 * boxes.length);
  const areas = new Float64Array(boxes.length);
  for (let i = 0; i < boxes.length; i++) {
    const { x1, y1, x2, y2 } = boxes[i]!;
    corners.set([x1, y1, x2, y2], 4 * i);
    areas[i] = (x2 - x1) * (y2 - y1);
  }
  return { corners, areas };
}

/** Flat detections from boxes with corners and a score each. */
export function plainDetections(
  detections: readonly { readonly box: Box; readonly score: number }[],
): PlainDetections {
  return {
    ...plainBoxes(detections.map(({ box }) => box)),
    scores: Float64Array.from(detections, ({ score }) => score),
  };
}

/** Area that box i of `a` and box j of `b` share (both [count, 4] corners); 0 where they do not overlap. */
export function sharedArea(a: Float64Array, i: number, b: Float64Array, j: number): number {
  const p = 4 * i;
  const q = 4 * j;
  const width = Math.min(a[p + 2]!, b[q + 2]!) - Math.max(a[p]!, b[q]!);
  if (!(width > 0)) return 0;
  const height = Math.min(a[p + 3]!, b[q + 3]!) - Math.max(a[p + 1]!, b[q + 1]!);
  return height > 0 ? width * height : 0;
}

/** Area of box i of [count, 4] corners. */
export function cornerArea(corners: Float64Array, i: number): number {
  return (corners[4 * i + 2]! - corners[4 * i]!) * (corners[4 * i + 3]! - corners[4 * i + 1]!);
}
