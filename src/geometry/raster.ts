/**
 * @file The grid that the look reward is computed on (design, 4.4): square cells of side max(W, H) / 64 in the frame of the
 * answers, kept where their centre lies in the image. A box covers a cell when x1 <= cx < x2 and y1 <= cy < y2.
 */
import { InputError } from "../base/errors.js";
import type { Box, Frame, FrameSize } from "./box.js";

/** A grid of square cells over a canvas; cell (column, row) has its centre at (centersX[column], centersY[row]). */
export interface Grid<F extends Frame = Frame> {
  readonly columns: number;
  readonly rows: number;
  /** Side of a cell in units of the frame. */
  readonly cell: number;
  readonly size: FrameSize<F>;
  readonly centersX: Float64Array;
  readonly centersY: Float64Array;
}

function centers(length: number, cell: number): Float64Array {
  const values: number[] = [];
  for (let i = 0; (i + 0.5) * cell < length; i++) values.push((i + 0.5) * cell);
  return Float64Array.from(values);
}

/** The grid with `cells` cells along the longer side of the canvas. @throws InputError for a size or count that is none. */
export function createGrid<F extends Frame>(size: FrameSize<F>, cells = 64): Grid<F> {
  if (!(size.width > 0 && size.height > 0 && Number.isFinite(size.width) && Number.isFinite(size.height))) {
    throw new InputError(`a grid needs a canvas of positive size, not ${size.width} x ${size.height}`);
  }
  if (!(Number.isInteger(cells) && cells >= 1 && cells <= 4096)) {
    throw new InputError(
      `a grid needs a whole number of cells from 1 to 4096 along its longer side, not ${cells}`,
    );
  }
  const cell = Math.max(size.width, size.height) / cells;
  const centersX = centers(size.width, cell);
  const centersY = centers(size.height, cell);
  return { columns: centersX.length, rows: centersY.length, cell, size, centersX, centersY };
}

/** Index of the first centre >= x. The guess by division is corrected by comparing, so rounding never moves a cell. */
function firstAtOrAfter(values: Float64Array, cell: number, x: number): number {
  let index = Math.min(values.length, Math.max(0, Math.ceil(x / cell - 0.5)));
  while (index > 0 && values[index - 1]! >= x) index--;
  while (index < values.length && values[index]! < x) index++;
  return index;
}

/** The half-open ranges of columns and rows whose centres a box covers. */
export function coveredCells<F extends Frame>(
  grid: Grid<F>,
  box: Box<F>,
): { readonly column1: number; readonly column2: number; readonly row1: number; readonly row2: number } {
  return {
    column1: firstAtOrAfter(grid.centersX, grid.cell, box.x1),
    column2: firstAtOrAfter(grid.centersX, grid.cell, box.x2),
    row1: firstAtOrAfter(grid.centersY, grid.cell, box.y1),
    row2: firstAtOrAfter(grid.centersY, grid.cell, box.y2),
  };
}

/**
 * How many of the boxes cover each cell: [rows, columns], row-major. Four corner updates a box and one running sum over
 * the grid, so a box over the whole image costs as little as a small one.
 */
export function countCoverage<F extends Frame>(grid: Grid<F>, boxes: readonly Box<F>[]): Int32Array {
  const { columns, rows } = grid;
  const stride = columns + 1;
  const difference = new Int32Array(stride * (rows + 1));
  for (const box of boxes) {
    const { column1, column2, row1, row2 } = coveredCells(grid, box);
    if (column2 <= column1 || row2 <= row1) continue;
    difference[row1 * stride + column1]!++;
    difference[row1 * stride + column2]!--;
    difference[row2 * stride + column1]!--;
    difference[row2 * stride + column2]!++;
  }
  const counts = new Int32Array(columns * rows);
  for (let row = 0; row < rows; row++) {
    let running = 0;
    for (let column = 0; column < columns; column++) {
      running += difference[row * stride + column]!;
      counts[row * columns + column] = running + (row > 0 ? counts[(row - 1) * columns + column]! : 0);
    }
  }
  return counts;
}
