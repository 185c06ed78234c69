import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createRng } from "../base/rng.js";
import { bootstrapDifference } from "./bootstrap.js";
import { pairedTest } from "./paired.js";

/** The mean of one value an image. */
const meanOf = (a: readonly number[], b: readonly number[]) => {
  const values = [...a, ...b];
  return (weights: Int32Array) => {
    let [sum, total] = [0, 0];
    for (let i = 0; i < values.length; i++) {
      sum += weights[i]! * values[i]!;
      total += weights[i]!;
    }
    return sum / total;
  };
};
const test = (a: readonly number[], b: readonly number[], seed = 1, resamples = 2000) =>
  pairedTest(a.length, meanOf(a, b), { seed, resamples });

describe("pairedTest", () => {
  it("counts exchanges by hand: 4 images that all gain", () => {
    // Of the 16 exchanges only none and all give a difference as large as 2.
    const result = test([0, 0, 0, 0], [1, 2, 3, 2]);
    expect(result).toMatchObject({ images: 4, a: 0, b: 2, exact: true, permutationP: 2 / 16 });
    expect(result.difference.value).toBe(2);
    expect(result.difference.low).toBeGreaterThan(0);
    // No resample is at or below zero: 2 / (2000 + 1).
    expect(result.bootstrapP).toBeCloseTo(2 / 2001, 12);
  });

  it("counts exchanges by hand: gains and a loss", () => {
    // Differences 3, 1, -1: sums of the signed 3, 1, 1 are 5, 3, 3, 1 and their opposites; 3 or more: 6 of 8.
    expect(test([0, 0, 1], [3, 1, 0]).permutationP).toBe(6 / 8);
  });

  it("finds no difference between a thing and itself", () => {
    const rng = createRng(5);
    for (const images of [1, 5, 60]) {
      const values = Array.from({ length: images }, () => rng.next());
      expect(test(values, values)).toMatchObject({
        difference: { value: 0, low: 0, high: 0 },
        bootstrapP: 1,
        permutationP: 1,
      });
    }
  });

  it("turns its sign and keeps its p when the two change places", () => {
    const value = fc.double({ min: -5, max: 5, noNaN: true });
    fc.assert(
      fc.property(fc.array(fc.tuple(value, value), { minLength: 2, maxLength: 8 }), (pairs) => {
        const [a, b] = [pairs.map(([x]) => x), pairs.map(([, y]) => y)];
        const [forth, back] = [test(a, b, 3, 300), test(b, a, 3, 300)];
        expect(back.difference.value).toBeCloseTo(-forth.difference.value, 12);
        expect(back.difference.low).toBeCloseTo(-forth.difference.high, 9);
        expect(back.permutationP).toBe(forth.permutationP);
        expect(back.bootstrapP).toBe(forth.bootstrapP);
      }),
      { numRuns: 30 },
    );
  });

  it("is sure of a steady gain and unsure of noise, and the same for the same seed", () => {
    const rng = createRng(8);
    const before = Array.from({ length: 60 }, () => rng.normal());
    const gain = test(
      before,
      before.map((v) => v + 0.5 + 0.1 * rng.normal()),
    );
    expect(gain.exact).toBe(false);
    expect(gain.permutationP).toBeLessThan(0.001);
    expect(gain.bootstrapP).toBeLessThan(0.01);
    const noise = test(
      before,
      before.map((v) => v + 0.01 * rng.normal()),
    );
    expect(noise.permutationP).toBeGreaterThan(0.05);
    expect(test(before, before.toReversed(), 4)).toEqual(test(before, before.toReversed(), 4));
    expect(test(before, before.toReversed(), 4)).not.toEqual(test(before, before.toReversed(), 5));
  });

  it("holds its level: of 200 pairs without a difference about 5 in 100 have p below 0.05", () => {
    const rng = createRng(9);
    let below = 0;
    for (let trial = 0; trial < 200; trial++) {
      const [a, b] = [0, 1].map(() => Array.from({ length: 12 }, () => rng.normal()));
      if (test(a!, b!, trial, 200).permutationP <= 0.05) below++;
    }
    expect(below).toBeGreaterThan(2);
    expect(below).toBeLessThan(22);
  });

  it("has about the interval of bootstrapDifference", () => {
    const rng = createRng(10);
    const a = Array.from({ length: 80 }, () => rng.normal());
    const b = a.map((v) => v + 0.3 + 0.5 * rng.normal());
    const mean = (list: readonly number[]) => list.reduce((x, y) => x + y, 0) / list.length;
    const [ours, theirs] = [test(a, b).difference, bootstrapDifference(a, b, mean, { seed: 2 })];
    expect(ours.value).toBeCloseTo(theirs.value, 12);
    expect(ours.low).toBeCloseTo(theirs.low, 1);
    expect(ours.high).toBeCloseTo(theirs.high, 1);
  });

  it("refuses no images, and says NaN of what cannot be measured", () => {
    expect(() => test([], [])).toThrow(/at least one image/);
    const nothing = pairedTest(3, () => Number.NaN, { seed: 1, resamples: 10 });
    expect(nothing.permutationP).toBeNaN();
    expect(nothing.bootstrapP).toBeNaN();
    expect(nothing.difference.low).toBeNaN();
  });
});
