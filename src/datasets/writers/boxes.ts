/** @file Boxes as the forms write them. */
import type { Box } from "../../geometry/box.js";

/** [left, top, width, height]. */
export function xywh(b: Box<"image">): [number, number, number, number] {
  return [b.x1, b.y1, b.x2 - b.x1, b.y2 - b.y1];
}

/** [x1, y1, x2, y2]. */
export function corners(b: Box): [number, number, number, number] {
  return [b.x1, b.y1, b.x2, b.y2];
}
