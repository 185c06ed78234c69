/** @file A guess at visibility for datasets that do not tell: who stands lower on the picture is nearer and hides. */
import type { Box } from "../geometry/box.js";

const COLUMNS = 32;
const ROWS = 64;

/**
 * The share of each box that no box with a lower bottom edge covers, on a lattice of 32 x 64 points, in 0..1.
 * An estimate: whole boxes hide here, of real people only the body does, so it is on the low side.
 */
export function estimateVisibility(boxes: readonly Box<"image">[]): number[] {
  return boxes.map((one) => {
    const nearer = boxes.filter((b) => b.y2 > one.y2 && b.x1 < one.x2 && b.x2 > one.x1 && b.y1 < one.y2);
    if (nearer.length === 0) return 1;
    let free = 0;
    for (let r = 0; r < ROWS; r++) {
      const y = one.y1 + ((one.y2 - one.y1) * (r + 0.5)) / ROWS;
      for (let c = 0; c < COLUMNS; c++) {
        const x = one.x1 + ((one.x2 - one.x1) * (c + 0.5)) / COLUMNS;
        if (!nearer.some((b) => x >= b.x1 && x < b.x2 && y >= b.y1 && y < b.y2)) free++;
      }
    }
    return free / (ROWS * COLUMNS);
  });
}
