import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { tokenWeights } from "./aggregation.js";

const total = (weights: readonly Float32Array[]): number =>
  weights.reduce((sum, row) => sum + row.reduce((a, b) => a + b, 0), 0);
const lengths = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 8 });

describe("tokenWeights", () => {
  it("sums to 1 for token and sequence", () => {
    fc.assert(
      fc.property(lengths, fc.constantFrom("token" as const, "sequence" as const), (list, kind) => {
        expect(total(tokenWeights(list, { kind }))).toBeCloseTo(1, 4);
      }),
    );
  });

  it("weighs tokens alike, responses alike, or by a constant", () => {
    const rounded = (kind: Parameters<typeof tokenWeights>[1]) =>
      tokenWeights([1, 3], kind).map((row) => Array.from(row, (w) => Math.round(w * 1e6) / 1e6));
    expect(rounded({ kind: "token" })).toEqual([[0.25], [0.25, 0.25, 0.25]]);
    expect(rounded({ kind: "sequence" })).toEqual([[0.5], [0.166667, 0.166667, 0.166667]]);
    expect(rounded({ kind: "constant", maxTokens: 10 })).toEqual([[0.05], [0.05, 0.05, 0.05]]);
  });

  it("leaves masked and empty responses out of the means", () => {
    const weights = tokenWeights([2, 2, 0], { kind: "sequence" }, [true, false, false]);
    expect(weights.map((row) => Array.from(row))).toEqual([[0, 0], [0.5, 0.5], []]);
    expect(total(tokenWeights([2, 3], { kind: "token" }, [true, true]))).toBe(0);
  });

  it("keeps the constant constant when responses are masked", () => {
    const [, kept] = tokenWeights([2, 2], { kind: "constant", maxTokens: 4 }, [true, false]);
    expect(Array.from(kept!)).toEqual([0.125, 0.125]);
  });

  it("refuses a constant that is not positive", () => {
    expect(() => tokenWeights([1], { kind: "constant", maxTokens: 0 })).toThrow(/maxTokens/);
  });
});
