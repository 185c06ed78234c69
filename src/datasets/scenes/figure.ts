/** @file What a drawn person is, whatever its look: a drawing in its own units and the room it takes. */
import type { Pen } from "./pen.js";

/** One drawn person. The same figure can be painted anywhere at any size. */
export interface Figure {
  /** Paints it with the feet at (0, 0) and a height of about 1. */
  draw(pen: Pen): void;
  /** Rough half-width in units of its height: for layout only, boxes are measured on pixels. */
  readonly halfWidth: number;
  /** Height relative to an adult's. */
  readonly stature: number;
}
