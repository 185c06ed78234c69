/**
 * @file The only bridges between frames of coordinates (design, section 2): one function each way.
 *
 * Qwen2.5-VL speaks pixels of the picture after smart-resize (`model`), Qwen2-VL and Qwen3-VL speak thousandths
 * (`norm1000`), and datasets speak pixels of the original (`image`). The two axes scale apart: smart-resize
 * rounds each side to a multiple of its own.
 */
import type { Box, Frame, FrameSize } from "./box.js";

/** The two sizes that fix all frames of one picture. */
export interface FrameSizes {
  /** The original, in pixels. */
  readonly image: FrameSize<"image">;
  /** What the model is shown, in pixels after smart-resize. */
  readonly model: FrameSize<"model">;
}

/** The canvas of `norm1000`. */
export const NORM1000_SIZE: FrameSize<"norm1000"> = { width: 1000, height: 1000 };

/** The canvas of a frame. */
export function frameSize<F extends Frame>(frame: F, sizes: FrameSizes): FrameSize<F> {
  const all: Record<Frame, FrameSize> = { image: sizes.image, model: sizes.model, norm1000: NORM1000_SIZE };
  return all[frame] as FrameSize<F>;
}

function scale<F extends Frame, T extends Frame>(box: Box<F>, from: FrameSize<F>, to: FrameSize<T>): Box<T> {
  // Multiply first: the far edge of one canvas then falls exactly on the far edge of the other.
  return {
    x1: (box.x1 * to.width) / from.width,
    y1: (box.y1 * to.height) / from.height,
    x2: (box.x2 * to.width) / from.width,
    y2: (box.y2 * to.height) / from.height,
  };
}

/** From one named frame to another; nothing is rounded or clipped. */
export function convertBox<F extends Frame, T extends Frame>(
  box: Box<F>,
  from: F,
  to: T,
  sizes: FrameSizes,
): Box<T> {
  return scale(box, frameSize(from, sizes), frameSize(to, sizes));
}

/** Original pixels to pixels after smart-resize, not rounded. */
export function imageToModel(box: Box<"image">, sizes: FrameSizes): Box<"model"> {
  return scale(box, sizes.image, sizes.model);
}

/** Pixels after smart-resize to original pixels. */
export function modelToImage(box: Box<"model">, sizes: FrameSizes): Box<"image"> {
  return scale(box, sizes.model, sizes.image);
}

/** Original pixels to thousandths of the picture, not rounded. */
export function imageToNorm1000(box: Box<"image">, sizes: FrameSizes): Box<"norm1000"> {
  return scale(box, sizes.image, NORM1000_SIZE);
}

/** Thousandths of the picture to original pixels. */
export function norm1000ToImage(box: Box<"norm1000">, sizes: FrameSizes): Box<"image"> {
  return scale(box, NORM1000_SIZE, sizes.image);
}

/** Pixels after smart-resize to thousandths of the picture, not rounded. */
export function modelToNorm1000(box: Box<"model">, sizes: FrameSizes): Box<"norm1000"> {
  return scale(box, sizes.model, NORM1000_SIZE);
}

/** Thousandths of the picture to pixels after smart-resize. */
export function norm1000ToModel(box: Box<"norm1000">, sizes: FrameSizes): Box<"model"> {
  return scale(box, NORM1000_SIZE, sizes.model);
}
