/** @file Where the group disagrees, cell by cell, and the soft Dice of looking there (design, 4.4: the two grid kinds). */
import {
  countCoverage,
  createGrid,
  type Box,
  type Frame,
  type FrameSize,
  type Grid,
} from "../geometry/index.js";

/** Normalised disagreement over the grid. */
export interface Disagreement<F extends Frame = Frame> {
  readonly grid: Grid<F>;
  /** Vn: [rows, columns], V / max V in 0..1; all 0 where the group agrees everywhere. */
  readonly values: Float64Array;
  /** max V > 0. */
  readonly any: boolean;
  /** Sum of Vn squared. */
  readonly squareSum: number;
}

/**
 * Population variance, over the responses, of how many answer boxes cover each cell, divided by its maximum.
 * @param occupancy clip each count to 1 first
 */
export function disagreement<F extends Frame>(
  size: FrameSize<F>,
  answers: readonly (readonly Box<F>[])[],
  options: { readonly cells: number; readonly occupancy: boolean },
): Disagreement<F> {
  const grid = createGrid(size, options.cells);
  const length = grid.rows * grid.columns;
  const sums = new Float64Array(length);
  const squares = new Float64Array(length);
  for (const boxes of answers) {
    if (boxes.length === 0) continue;
    const counts = countCoverage(grid, boxes);
    for (let u = 0; u < length; u++) {
      const count = options.occupancy ? Math.min(1, counts[u]!) : counts[u]!;
      sums[u]! += count;
      squares[u]! += count * count;
    }
  }
  // G^2 times the variance is a whole number: "no disagreement" is exactly 0, and equal cells are exactly equal.
  const values = new Float64Array(length);
  let maximum = 0;
  for (let u = 0; u < length; u++) {
    const variance = answers.length * squares[u]! - sums[u]! * sums[u]!;
    values[u] = variance;
    if (variance > maximum) maximum = variance;
  }
  let squareSum = 0;
  if (maximum > 0) {
    for (let u = 0; u < length; u++) {
      const normalised = values[u]! / maximum;
      values[u] = normalised;
      squareSum += normalised * normalised;
    }
  }
  return { grid, values, any: maximum > 0, squareSum };
}

/**
 * Soft Dice between the disagreement and the union of one response's look regions: 2 sum(Vn l) / (sum(Vn^2) + sum(l)).
 * Where the group agrees everywhere: 1 for no look region, else 0.
 */
export function softDice<F extends Frame>(where: Disagreement<F>, regions: readonly Box<F>[]): number {
  if (!where.any) return regions.length === 0 ? 1 : 0;
  if (regions.length === 0) return 0;
  const covered = countCoverage(where.grid, regions);
  let shared = 0;
  let looked = 0;
  for (let u = 0; u < covered.length; u++) {
    if (covered[u]! === 0) continue;
    looked++;
    shared += where.values[u]!;
  }
  return (2 * shared) / (where.squareSum + looked);
}
