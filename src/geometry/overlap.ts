/** @file Measures of boxes and of pairs of boxes: area, intersection, IoU, clipping, rounding (design, 4.1 and 4.3). */
import type { Box, Frame, FrameSize } from "./box.js";

/** Area of a box in square units of its frame; 0 where it is empty or turned inside out. */
export function boxArea(box: Box): number {
  return Math.max(0, box.x2 - box.x1) * Math.max(0, box.y2 - box.y1);
}

/** Area that two boxes of one frame share, >= 0. */
export function intersectionArea<F extends Frame>(a: Box<F>, b: Box<F>): number {
  const width = Math.min(a.x2, b.x2) - Math.max(a.x1, b.x1);
  const height = Math.min(a.y2, b.y2) - Math.max(a.y1, b.y1);
  return width > 0 && height > 0 ? width * height : 0;
}

/** The box that two boxes share, or `undefined` where they do not overlap. */
export function intersectBoxes<F extends Frame>(a: Box<F>, b: Box<F>): Box<F> | undefined {
  const x1 = Math.max(a.x1, b.x1);
  const y1 = Math.max(a.y1, b.y1);
  const x2 = Math.min(a.x2, b.x2);
  const y2 = Math.min(a.y2, b.y2);
  return x2 > x1 && y2 > y1 ? { x1, y1, x2, y2 } : undefined;
}

/** Intersection over union of two boxes of one frame, in [0, 1]; 0 where either is empty. */
export function iou<F extends Frame>(a: Box<F>, b: Box<F>): number {
  const shared = intersectionArea(a, b);
  return shared > 0 ? shared / (boxArea(a) + boxArea(b) - shared) : 0;
}

/** The part of a box inside the canvas [0, width] x [0, height], or `undefined` where nothing of it is (or it is NaN). */
export function clipBox<F extends Frame>(box: Box<F>, size: FrameSize<F>): Box<F> | undefined {
  const x1 = Math.max(0, box.x1);
  const y1 = Math.max(0, box.y1);
  const x2 = Math.min(size.width, box.x2);
  const y2 = Math.min(size.height, box.y2);
  return x2 > x1 && y2 > y1 ? { x1, y1, x2, y2 } : undefined;
}

/** The smallest box around all of these; at least one box is needed. */
export function boundingBox<F extends Frame>(boxes: readonly Box<F>[]): Box<F> {
  let { x1, y1, x2, y2 } = boxes[0]!;
  for (const b of boxes) {
    x1 = Math.min(x1, b.x1);
    y1 = Math.min(y1, b.y1);
    x2 = Math.max(x2, b.x2);
    y2 = Math.max(y2, b.y2);
  }
  return { x1, y1, x2, y2 };
}

/** Centre of a box. */
export function boxCenter(box: Box): { readonly x: number; readonly y: number } {
  return { x: (box.x1 + box.x2) / 2, y: (box.y1 + box.y2) / 2 };
}

function roundInterval(low: number, high: number): [number, number] {
  const a = Math.round(low);
  const b = Math.round(high);
  if (b > a) return [a, b];
  // Less than a unit wide and round to the same number: take the unit that holds more of it. The differences are exact,
  // where the mean of 299.99999999999994 and 300 would round to 300 and the box leave its canvas.
  return low - a + (high - a) >= 0 ? [a, a + 1] : [a - 1, a];
}

/**
 * The box at whole numbers, never empty. No edge moves by more than 0.5 (by less than 1 where a side is shorter than 1),
 * and a box inside a canvas of whole size stays inside.
 */
export function roundBox<F extends Frame>(box: Box<F>): Box<F> {
  const [x1, x2] = roundInterval(box.x1, box.x2);
  const [y1, y2] = roundInterval(box.y1, box.y2);
  return { x1, y1, x2, y2 };
}

/** A total order of boxes by their numbers (x1, y1, x2, y2), so that ties never hang on the order of a list. */
export function compareBoxes(a: Box, b: Box): number {
  return a.x1 - b.x1 || a.y1 - b.y1 || a.x2 - b.x2 || a.y2 - b.y2;
}

/** Reading order: left to right by box centre, then top to bottom, then by their numbers. */
export function compareReadingOrder(a: Box, b: Box): number {
  return a.x1 + a.x2 - (b.x1 + b.x2) || a.y1 + a.y2 - (b.y1 + b.y2) || compareBoxes(a, b);
}
