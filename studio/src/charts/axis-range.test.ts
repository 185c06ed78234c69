import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { linearRange, logRange } from "./axis-range.js";

describe("linearRange", () => {
  it.each([
    [null, null, [0, 1]],
    [0, 0, [0, 1]],
    [0, 1, [0, 1.06]],
    [-1, 1, [-1.12, 1.12]],
    [Number.NaN, 1, [0, 1]],
  ] as const)("of %s to %s", (low, high, range) => {
    expect(linearRange(low, high)).toEqual(range);
  });

  it("does not blow rounding up", () => {
    const [low, high] = linearRange(1 - 1e-8, 1 + 1e-8);
    expect(high - low).toBeGreaterThan(1e-3);
  });

  it("holds what it is of, with height", () => {
    const value = fc.double({ noNaN: true, min: -1e9, max: 1e9 });
    fc.assert(
      fc.property(value, value, (a, b) => {
        const [low, high] = linearRange(Math.min(a, b), Math.max(a, b));
        expect(low).toBeLessThanOrEqual(Math.min(a, b));
        expect(high).toBeGreaterThanOrEqual(Math.max(a, b));
        expect(high).toBeGreaterThan(low);
      }),
    );
  });
});

describe("logRange", () => {
  it("holds what it is of, above 0", () => {
    const value = fc.double({ noNaN: true, min: 1e-12, max: 1e12 });
    fc.assert(
      fc.property(value, value, (a, b) => {
        const [low, high] = logRange(Math.min(a, b), Math.max(a, b));
        expect(low).toBeGreaterThan(0);
        expect(low).toBeLessThan(Math.min(a, b));
        expect(high).toBeGreaterThan(Math.max(a, b));
      }),
    );
  });
  it("has a range where there is nothing", () => {
    expect([logRange(null, null), logRange(0, 1)]).toEqual([
      [0.1, 1],
      [0.1, 1],
    ]);
  });
});
