/** @file Collects the boxes of a section: clips them to the frame, drops and counts what cannot be used (design, 4.1). */
import type { Box, Frame, FrameSize } from "../geometry/box.js";
import type { ParsedBox } from "./types.js";

/** How four numbers as written become corners: `[x1, y1, x2, y2]` in the frame of the canvas. */
export type BoxConversion = (
  a: number,
  b: number,
  c: number,
  d: number,
) => readonly [x1: number, y1: number, x2: number, y2: number];

/** The canvas that boxes are clipped to, and how numbers are read where they are not corners in its own units. */
export interface ReadingCanvas<F extends Frame> extends FrameSize<F> {
  /** Applied before a box is clipped. @default the numbers are x1, y1, x2, y2 of this canvas */
  readonly convert?: BoxConversion;
}

/** A growing list of parsed boxes. */
export class BoxList<F extends Frame> {
  readonly boxes: ParsedBox<F>[] = [];
  dropped = 0;

  constructor(private readonly size: ReadingCanvas<F>) {}

  /** Adds the box whose four numbers are written in text[start, end), clipped; an empty, outlying or not finite one is counted in `dropped`. */
  add(
    a: number,
    b: number,
    c: number,
    d: number,
    label: string | undefined,
    start: number,
    end: number,
  ): void {
    const [x1, y1, x2, y2] = this.size.convert?.(a, b, c, d) ?? [a, b, c, d];
    // A sum is finite only if its terms are (or if two huge ones cancel, which no frame is large enough to hold).
    if (Number.isFinite(x1 + y1 + x2 + y2)) {
      const box: Box<F> = {
        x1: x1 > 0 ? x1 : 0,
        y1: y1 > 0 ? y1 : 0,
        x2: x2 < this.size.width ? x2 : this.size.width,
        y2: y2 < this.size.height ? y2 : this.size.height,
      };
      if (box.x2 > box.x1 && box.y2 > box.y1) {
        this.boxes.push(label === undefined ? { box, start, end } : { box, label, start, end });
        return;
      }
    }
    this.dropped++;
  }
}
