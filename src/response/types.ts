/** @file What a Think-Look-Answer response becomes once read (design, 4.1). */
import type { Box, Frame } from "../geometry/box.js";

/**
 * `strict` = well formed; `repaired` = fence, quotes, trailing comma or a missing outer tag was mended;
 * `truncated` = cut off, the complete boxes are salvaged; `none` = no readable answer.
 */
export type Grade = "strict" | "repaired" | "truncated" | "none";

/** A box as the response wrote it, clipped to its frame. */
export interface ParsedBox<F extends Frame = Frame> {
  readonly box: Box<F>;
  /** Absent where the response gave none. */
  readonly label?: string;
  /** Where the box's own text stands: [start, end) in UTF-16 units of the response. */
  readonly start: number;
  readonly end: number;
}

/** One parsed section: its boxes, and what was lost on the way. */
export interface ParsedSection<F extends Frame = Frame> {
  readonly boxes: readonly ParsedBox<F>[];
  /** Boxes dropped because they were empty, outside the frame or not finite. */
  readonly dropped: number;
}

/** A whole response. Never an exception: what could not be read is in `grade`. */
export interface ParsedResponse<F extends Frame = Frame> {
  readonly grade: Grade;
  /** The thinking text, absent where there is no readable section. */
  readonly think?: string;
  /** Absent where no look section could be read. */
  readonly look?: ParsedSection<F>;
  /** Absent exactly when the grade is `none`. */
  readonly answer?: ParsedSection<F>;
}
