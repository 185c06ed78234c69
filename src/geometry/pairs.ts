/** @file Which boxes of two lists overlap enough: the sparse input of the assignment (design, 4.3). */
import type { Box, Frame } from "./box.js";

/** Weighted edges of a bipartite graph; three arrays of one length, entry k joins rows[k] and columns[k]. */
export interface WeightedPairs {
  readonly rows: readonly number[];
  readonly columns: readonly number[];
  readonly weights: readonly number[];
}

/** Boxes as [count, 4] numbers, x1 y1 x2 y2: what the inner loops read. */
export function packBoxes(boxes: readonly Box[]): Float64Array {
  const packed = new Float64Array(boxes.length * 4);
  for (let i = 0, at = 0; i < boxes.length; i++) {
    const b = boxes[i]!;
    packed[at++] = b.x1;
    packed[at++] = b.y1;
    packed[at++] = b.x2;
    packed[at++] = b.y2;
  }
  return packed;
}

/**
 * All pairs (row of `a`, column of `b`) with IoU >= threshold and IoU > 0, their IoU as weight, by row and then by column.
 * `allowed` may forbid a pair (labels that differ); it is asked only of pairs that overlap enough.
 */
export function overlappingPairs<F extends Frame>(
  a: readonly Box<F>[],
  b: readonly Box<F>[],
  threshold: number,
  allowed?: (row: number, column: number) => boolean,
): WeightedPairs {
  const rows: number[] = [];
  const columns: number[] = [];
  const weights: number[] = [];
  const right = packBoxes(b);
  for (let row = 0; row < a.length; row++) {
    const { x1, y1, x2, y2 } = a[row]!;
    const areaA = (x2 - x1) * (y2 - y1);
    for (let column = 0, at = 0; column < b.length; column++, at += 4) {
      const bx1 = right[at]!;
      const bx2 = right[at + 2]!;
      if (bx1 >= x2 || bx2 <= x1) continue;
      const by1 = right[at + 1]!;
      const by2 = right[at + 3]!;
      if (by1 >= y2 || by2 <= y1) continue;
      const shared =
        ((bx2 < x2 ? bx2 : x2) - (bx1 > x1 ? bx1 : x1)) * ((by2 < y2 ? by2 : y2) - (by1 > y1 ? by1 : y1));
      const value = shared / (areaA + (bx2 - bx1) * (by2 - by1) - shared);
      if (!(value >= threshold && value > 0)) continue;
      if (allowed !== undefined && !allowed(row, column)) continue;
      rows.push(row);
      columns.push(column);
      weights.push(value);
    }
  }
  return { rows, columns, weights };
}
