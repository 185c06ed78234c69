/** @file What is drawn on a picture, and how a response's text is cut into stretches. */

/** [x1, y1, x2, y2]; the frame is that of the {@link Canvas} beside it. */
export type Corners = readonly [number, number, number, number];

/** What boxes are drawn on: the picture is stretched to `width` x `height`, whatever size its file has. */
export interface Canvas {
  readonly width: number;
  readonly height: number;
}

/** A grid over the canvas; `values` holds rows x columns bytes, row-major, 0 = none and 255 = the most, as base64. */
export interface HeatGrid {
  readonly columns: number;
  readonly rows: number;
  /** Side of a cell in units of the canvas. */
  readonly cell: number;
  readonly values: string;
}

/** A stretch of a response's text, [start, end) in UTF-16 units; stretches are in order and cover the whole text. */
export interface TextStretch {
  readonly start: number;
  readonly end: number;
  /** `tag` = one of the six tags itself; `stray` = text outside of all sections. */
  readonly kind: "think" | "look" | "answer" | "tag" | "stray";
}

/** Everything that is drawn of a picture's ground truth. */
export interface CanvasTruth {
  readonly objects: readonly { readonly box: Corners; readonly label: string }[];
  readonly ignore: readonly Corners[];
}
