/** @file Where a group disagrees, and how much of that each look region covers (design, 4.4). */
import { coveredCells, countCoverage, iou, type Box, type Frame } from "../geometry/index.js";
import type { Disagreement } from "./disagreement.js";
import { matchLooks } from "./uncertain.js";

/** A look region on the grid of disagreement. */
export interface GridRegion<F extends Frame = Frame> {
  readonly index: number;
  readonly box: Box<F>;
  /** Cells it covers. */
  readonly cells: number;
  /** Share of all disagreement that lies in it, 0..1; regions that overlap share the same cells. */
  readonly share: number;
  /** Mean disagreement of its cells, 0..1. */
  readonly mean: number;
}

/** What the looks of one response cover of the disagreement: the terms of the soft Dice. */
export interface GridLook<F extends Frame = Frame> {
  readonly kind: "grid";
  readonly regions: readonly GridRegion<F>[];
  /** sum(Vn l), sum(Vn^2), sum(l): the reward is 2 shared / (squares + looked). */
  readonly shared: number;
  readonly squares: number;
  readonly looked: number;
  /** Share of all disagreement that the union of the regions covers, 0..1. */
  readonly share: number;
  /** Whether there is any disagreement. */
  readonly any: boolean;
}

/** A look region and the uncertain instance it found. */
export interface InstanceRegion<F extends Frame = Frame> {
  readonly index: number;
  readonly box: Box<F>;
  /** Place in `uncertain` of the instance it was matched with; absent where it found none. */
  readonly instance?: number;
  /** IoU with that instance, or the greatest with any. */
  readonly iou: number;
}

/** What the looks of one response find of the uncertain instances: the reward is 2 found / (uncertain + regions). */
export interface InstanceLook<F extends Frame = Frame> {
  readonly kind: "instances";
  readonly regions: readonly InstanceRegion<F>[];
  readonly uncertain: readonly Box<F>[];
  readonly found: number;
}

/** The grid kinds. */
export function explainGridLook<F extends Frame>(
  { grid, values, any, squareSum }: Disagreement<F>,
  regions: readonly Box<F>[],
): GridLook<F> {
  const all = values.reduce((sum, value) => sum + value, 0);
  const shareOf = (sum: number) => (all > 0 ? sum / all : 0);
  const explained = regions.map((box, index): GridRegion<F> => {
    const { column1, column2, row1, row2 } = coveredCells(grid, box);
    let sum = 0;
    for (let row = row1; row < row2; row++)
      for (let column = column1; column < column2; column++) sum += values[row * grid.columns + column]!;
    const cells = Math.max(0, column2 - column1) * Math.max(0, row2 - row1);
    return { index, box, cells, share: shareOf(sum), mean: cells > 0 ? sum / cells : 0 };
  });
  const covered = countCoverage(grid, regions);
  let [shared, looked] = [0, 0];
  for (let u = 0; u < covered.length; u++) {
    if (covered[u] === 0) continue;
    looked++;
    shared += values[u]!;
  }
  return {
    kind: "grid",
    regions: explained,
    shared,
    squares: squareSum,
    looked,
    share: shareOf(shared),
    any,
  };
}

/** The instance kinds. */
export function explainInstanceLook<F extends Frame>(
  uncertain: readonly Box<F>[],
  regions: readonly Box<F>[],
): InstanceLook<F> {
  const matched = matchLooks(uncertain, regions);
  return {
    kind: "instances",
    uncertain,
    found: matched.reduce((sum, to) => sum + (to >= 0 ? 1 : 0), 0),
    regions: regions.map((box, index) => {
      const to = matched[index]!;
      if (to >= 0) return { index, box, instance: to, iou: iou(box, uncertain[to]!) };
      return { index, box, iou: Math.max(0, ...uncertain.map((other) => iou(box, other))) };
    }),
  };
}

/** A spot of the picture that the group disagrees about. */
export interface HotSpot<F extends Frame = Frame> {
  readonly box: Box<F>;
  /** Share of all disagreement that lies in its cells, 0..1. */
  readonly share: number;
  /** Greatest disagreement in it, 0..1. */
  readonly peak: number;
}

/** Cells that disagree at least this much make a spot. */
const SPOT = 0.25;

/** Connected spots of disagreement, those that hold most of it first. */
export function hotSpots<F extends Frame>({ grid, values }: Disagreement<F>, limit = 5): HotSpot<F>[] {
  const { columns, rows, cell, size } = grid;
  const all = values.reduce((sum, value) => sum + value, 0);
  const seen = new Uint8Array(values.length);
  const spots: HotSpot<F>[] = [];
  for (let start = 0; start < values.length; start++) {
    if (seen[start] === 1 || values[start]! < SPOT) continue;
    let [sum, peak, left, top, right, bottom] = [0, 0, columns, rows, 0, 0];
    const open = [start];
    seen[start] = 1;
    for (let at = open.pop(); at !== undefined; at = open.pop()) {
      const [column, row] = [at % columns, Math.floor(at / columns)];
      sum += values[at]!;
      peak = Math.max(peak, values[at]!);
      [left, right] = [Math.min(left, column), Math.max(right, column + 1)];
      [top, bottom] = [Math.min(top, row), Math.max(bottom, row + 1)];
      for (const next of [
        column > 0 ? at - 1 : -1,
        column + 1 < columns ? at + 1 : -1,
        at - columns,
        row + 1 < rows ? at + columns : -1,
      ]) {
        if (next < 0 || seen[next] === 1 || values[next]! < SPOT) continue;
        seen[next] = 1;
        open.push(next);
      }
    }
    const box = {
      x1: left * cell,
      y1: top * cell,
      x2: Math.min(size.width, right * cell),
      y2: Math.min(size.height, bottom * cell),
    };
    spots.push({ box, share: sum / all, peak });
  }
  return spots.toSorted((a, b) => b.share - a.share).slice(0, limit);
}
