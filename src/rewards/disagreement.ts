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

/** How often the answers of a group cover each cell, summed so that any one of them can be taken out again. */
export interface CountedAnswers<F extends Frame = Frame> {
  readonly grid: Grid<F>;
  /** By response: [rows, columns]; nothing for a response without boxes. */
  readonly counts: readonly (Int32Array | undefined)[];
  readonly sums: Float64Array;
  readonly squares: Float64Array;
}

/**
 * Counts how many answer boxes of each response cover each cell.
 * @param occupancy clip each count to 1
 */
export function countAnswers<F extends Frame>(
  size: FrameSize<F>,
  answers: readonly (readonly Box<F>[])[],
  options: { readonly cells: number; readonly occupancy: boolean },
): CountedAnswers<F> {
  const grid = createGrid(size, options.cells);
  const length = grid.rows * grid.columns;
  const sums = new Float64Array(length);
  const squares = new Float64Array(length);
  const counts = answers.map((boxes) => {
    if (boxes.length === 0) return undefined;
    const covered = countCoverage(grid, boxes);
    for (let u = 0; u < length; u++) {
      if (options.occupancy && covered[u]! > 1) covered[u] = 1;
      const count = covered[u]!;
      sums[u]! += count;
      squares[u]! += count * count;
    }
    return covered;
  });
  return { grid, counts, sums, squares };
}

/**
 * Population variance, over the responses, of how many answer boxes cover each cell, divided by its maximum.
 * @param left index of a response that is left out. @default none
 */
export function disagreementOf<F extends Frame>(
  { grid, counts, sums, squares }: CountedAnswers<F>,
  left?: number,
): Disagreement<F> {
  const length = grid.rows * grid.columns;
  const own = left === undefined ? undefined : counts[left];
  const responses = counts.length - (left === undefined ? 0 : 1);
  // G^2 times the variance is a whole number: "no disagreement" is exactly 0, and equal cells are exactly equal.
  const values = new Float64Array(length);
  let maximum = 0;
  for (let u = 0; u < length; u++) {
    const count = own === undefined ? 0 : own[u]!;
    const sum = sums[u]! - count;
    const variance = responses * (squares[u]! - count * count) - sum * sum;
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

/** {@link disagreementOf} of a group's answers. */
export function disagreement<F extends Frame>(
  size: FrameSize<F>,
  answers: readonly (readonly Box<F>[])[],
  options: { readonly cells: number; readonly occupancy: boolean },
): Disagreement<F> {
  return disagreementOf(countAnswers(size, answers, options));
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
