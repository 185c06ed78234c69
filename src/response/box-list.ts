/** @file Collects the boxes of a section: clips them to the frame, drops and counts what cannot be used (design, 4.1). */
import type { Box, Frame, FrameSize } from "../geometry/box.js";
import type { ParsedBox } from "./types.js";

/** A growing list of parsed boxes. */
export class BoxList<F extends Frame> {
  readonly boxes: ParsedBox<F>[] = [];
  dropped = 0;

  constructor(private readonly size: FrameSize<F>) {}

  /** Adds the box written in text[start, end), clipped; an empty, outlying or not finite one is counted in `dropped`. */
  add(
    x1: number,
    y1: number,
    x2: number,
    y2: number,
    label: string | undefined,
    start: number,
    end: number,
  ): void {
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
