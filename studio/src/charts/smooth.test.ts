import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { smooth } from "./smooth.js";

const finite = fc.double({ noNaN: true, min: -1e6, max: 1e6 });

describe("smooth", () => {
  it("gives back what it got for a weight of 0", () => {
    const values = [1, null, 3];
    expect(smooth(values, 0)).toBe(values);
  });

  it("has no bias at the start", () => {
    // By hand: (0.5*2*0.5 + 0.5*4) / 0.75
    expect(smooth([2, 4], 0.5)).toEqual([2, 2.5 / 0.75]);
  });

  it("leaves a constant alone, and stays within the ends", () => {
    fc.assert(
      fc.property(
        fc.array(finite, { minLength: 1 }),
        fc.double({ min: 0.01, max: 0.99, noNaN: true }),
        (values, weight) => {
          const low = Math.min(...values);
          const high = Math.max(...values);
          for (const value of smooth(values, weight)) {
            expect(value).toBeGreaterThanOrEqual(low - 1e-6);
            expect(value).toBeLessThanOrEqual(high + 1e-6);
          }
        },
      ),
    );
  });

  it("passes over places without a value", () => {
    expect(smooth([1, null, undefined, 1], 0.9)).toEqual([1, null, undefined, 1]);
    const [first, , last] = smooth([1, Number.NaN, 3], 0.5);
    expect([first, last]).toEqual(smooth([1, 3], 0.5));
  });
});
