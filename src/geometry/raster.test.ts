import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { box } from "./box.js";
import { countCoverage, createGrid } from "./raster.js";

describe("raster", () => {
  it("keeps the cells whose centre lies in the image", () => {
    expect(createGrid({ width: 640, height: 480 })).toMatchObject({ columns: 64, rows: 48, cell: 10 });
    // 45 / 10 = 4.5 cells: the centre of the fifth lies on the border, which covers nothing.
    expect(createGrid({ width: 640, height: 45 })).toMatchObject({ rows: 4 });
    expect(createGrid({ width: 640, height: 46 })).toMatchObject({ rows: 5 });
    expect(createGrid({ width: 100, height: 1000 }, 10)).toMatchObject({ columns: 1, rows: 10, cell: 100 });
    expect(() => createGrid({ width: 0, height: 3 })).toThrow(/positive size/);
    expect(() => createGrid({ width: 5, height: 3 }, 0.5)).toThrow(/whole number/);
  });

  it("covers a centre on its left and top edge, not on its right and bottom edge", () => {
    const grid = createGrid({ width: 40, height: 40 }, 4);
    const covered = countCoverage(grid, [box(5, 5, 15, 25), box(5, 5, 16, 25)]);
    expect([...covered]).toEqual([2, 1, 0, 0, 2, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
  });

  it("counts as the rule says, cell by cell, for any canvas and boxes", () => {
    const coordinate = fc.oneof(
      fc.integer({ min: -20, max: 220 }).map((v) => v / 2),
      fc.double({ min: -10, max: 110, noNaN: true }),
    );
    const boxes = fc.array(fc.tuple(coordinate, coordinate, coordinate, coordinate), { maxLength: 12 });
    fc.assert(
      fc.property(
        boxes,
        fc.integer({ min: 1, max: 100 }),
        fc.integer({ min: 1, max: 100 }),
        (raw, width, height) => {
          const list = raw.map(([a, b, c, d]) =>
            box<"model">(Math.min(a, b), Math.min(c, d), Math.max(a, b), Math.max(c, d)),
          );
          const grid = createGrid({ width, height }, 16);
          const side = Math.max(width, height) / 16;
          const naive: number[] = [];
          for (let r = 0; r < 16; r++) {
            for (let c = 0; c < 16; c++) {
              const [cx, cy] = [(c + 0.5) * side, (r + 0.5) * side];
              if (cx >= width || cy >= height) continue;
              naive.push(list.filter((b) => b.x1 <= cx && cx < b.x2 && b.y1 <= cy && cy < b.y2).length);
            }
          }
          expect([...countCoverage(grid, list)]).toEqual(naive);
        },
      ),
    );
  });
});
