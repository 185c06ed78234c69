import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { assignRows, maximumWeightMatching } from "./assignment.js";
import { box } from "./box.js";
import { overlappingPairs, type WeightedPairs } from "./pairs.js";

/** The best sum of weights by trying every matching. */
function bruteForce(rows: number, columns: number, weight: (row: number, column: number) => number): number {
  const taken = new Set<number>();
  const best = (row: number): number => {
    if (row === rows) return 0;
    let value = best(row + 1);
    for (let column = 0; column < columns; column++) {
      const w = weight(row, column);
      if (taken.has(column) || !(w > 0)) continue;
      taken.add(column);
      value = Math.max(value, w + best(row + 1));
      taken.delete(column);
    }
    return value;
  };
  return best(0);
}

const toPairs = (matrix: readonly (readonly number[])[]): WeightedPairs => {
  const cells = matrix.flatMap((line, row) => line.map((weight, column) => ({ row, column, weight })));
  return {
    rows: cells.map((c) => c.row),
    columns: cells.map((c) => c.column),
    weights: cells.map((c) => c.weight),
  };
};

describe("assignment", () => {
  it("prefers the better sum to the better first pair", () => {
    const matched = maximumWeightMatching(
      2,
      2,
      toPairs([
        [0.9, 0.8],
        [0.85, 0],
      ]),
    );
    expect([...matched]).toEqual([1, 0]);
  });

  it("leaves rows and columns alone that have no pair", () => {
    expect([...maximumWeightMatching(3, 2, { rows: [1], columns: [0], weights: [0.7] })]).toEqual([
      -1, 0, -1,
    ]);
    expect([...maximumWeightMatching(2, 0, { rows: [], columns: [], weights: [] })]).toEqual([-1, -1]);
    expect([...maximumWeightMatching(1, 1, { rows: [0], columns: [0], weights: [0] })]).toEqual([-1]);
  });

  it("equals brute force on random rectangular graphs, ties and holes included", () => {
    const weight = fc.oneof(
      fc.constant(0),
      fc.constantFrom(0.5, 0.75, 1),
      fc.double({ min: 0.01, max: 1, noNaN: true }),
    );
    const matrix = fc
      .tuple(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 6 }))
      .chain(([rows, columns]) =>
        fc.array(fc.array(weight, { minLength: columns, maxLength: columns }), {
          minLength: rows,
          maxLength: rows,
        }),
      );
    fc.assert(
      fc.property(matrix, (m) => {
        const rows = m.length;
        const columns = m[0]!.length;
        const matched = [...maximumWeightMatching(rows, columns, toPairs(m))];
        const used = matched.filter((column) => column >= 0);
        expect(new Set(used).size).toBe(used.length);
        const sum = matched.reduce((total, column, row) => total + (column < 0 ? 0 : m[row]![column]!), 0);
        expect(matched.every((column, row) => column < 0 || m[row]![column]! > 0)).toBe(true);
        expect(sum).toBeCloseTo(
          bruteForce(rows, columns, (r, c) => m[r]![c]!),
          10,
        );
      }),
      { numRuns: 500 },
    );
  });

  it("assigns every row at least cost, negative costs included", () => {
    const cost = Float64Array.from([4, 1, 3, 2, 1, 5]);
    expect([...assignRows(cost, 2, 3)]).toEqual([1, 0]);
    expect([...assignRows(Float64Array.from([-4, -1, -3, -2]), 2, 2)]).toEqual([0, 1]);
    expect(() => assignRows(new Float64Array(2), 2, 1)).toThrow(/rows <= columns/);
    expect(() => assignRows(Float64Array.from([NaN]), 1, 1)).toThrow(/finite/);
  });

  it("refuses infinite weights", () => {
    expect(() => maximumWeightMatching(1, 1, { rows: [0], columns: [0], weights: [Infinity] })).toThrow(
      /infinite/,
    );
  });

  it("pairs by threshold and permission", () => {
    const a = [box(0, 0, 10, 10), box(50, 50, 60, 60)];
    const b = [box(0, 0, 10, 5), box(0, 0, 10, 4.9), box(50, 50, 60, 60)];
    expect(overlappingPairs(a, b, 0.5)).toEqual({ rows: [0, 1], columns: [0, 2], weights: [0.5, 1] });
    expect(overlappingPairs(a, b, 0.5, (row) => row === 1).rows).toEqual([1]);
    expect(overlappingPairs(a, b, 0).rows).toEqual([0, 0, 1]);
  });
});
