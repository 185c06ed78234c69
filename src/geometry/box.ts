/** @file Boxes whose type says which frame their numbers are in (design, section 2). */

/**
 * Frames of coordinates: `image` = pixels of the original picture, `model` = pixels after smart-resize
 * (what Qwen2.5-VL speaks), `norm1000` = 0..1000 (what Qwen2-VL and Qwen3-VL speak).
 */
export type Frame = "image" | "model" | "norm1000";

declare const frameOf: unique symbol;

/** A box with x2 > x1 and y2 > y1, in the frame F. Edges are continuous: the width is x2 - x1. */
export interface Box<F extends Frame = Frame> {
  readonly x1: number;
  readonly y1: number;
  readonly x2: number;
  readonly y2: number;
  readonly [frameOf]?: F;
}

/** A box from its corners; the caller names the frame: `box<"image">(0, 0, 10, 20)`. */
export function box<F extends Frame>(x1: number, y1: number, x2: number, y2: number): Box<F> {
  return { x1, y1, x2, y2 };
}

/** Width and height of a frame's canvas. */
export interface FrameSize<F extends Frame = Frame> {
  readonly width: number;
  readonly height: number;
  readonly [frameOf]?: F;
}
