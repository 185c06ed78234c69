/** @file The wire's map of disagreement as something to draw. */
import type { HeatGrid as WireGrid } from "../../../src/server/studio/api.js";
import type { HeatGrid } from "../overlay/marks.js";

/** Unpacks the bytes; a map whose bytes are not as many as its cells is no map. */
export function heatOf(grid: WireGrid | undefined): HeatGrid | undefined {
  if (grid === undefined) return undefined;
  const { columns, rows, cell, values } = grid;
  const bytes = Uint8Array.from(atob(values), (letter) => letter.charCodeAt(0));
  if (bytes.length !== columns * rows) return undefined;
  return { columns, rows, cell, values: Float32Array.from(bytes, (byte) => byte / 255) };
}
