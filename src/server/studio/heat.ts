/** @file A map of disagreement as the wire has it: a byte a cell. */
import type { Frame } from "../../geometry/index.js";
import { disagreement, type GroupScore, type RewardConfig } from "../../rewards/index.js";
import type { Box, FrameSize } from "../../geometry/box.js";
import type { HeatGrid } from "./api.js";

/** Bytes of a map whose values are in 0..1; whatever is above 0 stays above it. */
export function heatGrid(map: NonNullable<GroupScore["disagreement"]>): HeatGrid {
  const { columns, rows, cell, values } = map;
  const bytes = Buffer.alloc(values.length);
  values.forEach(
    (value, i) => (bytes[i] = value > 0 ? Math.max(1, Math.round(255 * Math.min(1, value))) : 0),
  );
  return { columns, rows, cell, values: bytes.toString("base64") };
}

/** Where the answers of several responses disagree (design, 4.4); nothing for fewer than two. */
export function heatOfAnswers<F extends Frame>(
  size: FrameSize<F>,
  answers: readonly (readonly Box<F>[])[],
  { kind, cells }: RewardConfig["look"],
): HeatGrid | undefined {
  if (answers.length < 2) return undefined;
  const { grid, values } = disagreement(size, answers, { cells, occupancy: kind === "occupancy-variance" });
  return heatGrid({
    columns: grid.columns,
    rows: grid.rows,
    cell: grid.cell,
    values: Float32Array.from(values),
  });
}
