import { describe, expect, it } from "vitest";
import { createRng } from "../base/rng.js";
import { bootstrap, bootstrapDifference } from "./bootstrap.js";

const average = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;

describe("bootstrap", () => {
  const rng = createRng(3);
  const values = Array.from({ length: 200 }, () => rng.normal());

  it("comes near the normal interval of a mean", () => {
    const { value, low, high } = bootstrap(values, average, { seed: 1 });
    expect(value).toBe(average(values));
    const std = Math.sqrt(average(values.map((v) => (v - value) ** 2)) / values.length);
    expect(low).toBeCloseTo(value - 1.96 * std, 1);
    expect(high).toBeCloseTo(value + 1.96 * std, 1);
  });

  it("gives the same interval for the same seed, another for another, a wider one for a higher level", () => {
    const at = (seed: number, level?: number) => bootstrap(values, average, { seed, resamples: 500, level });
    expect(at(1)).toEqual(at(1));
    expect(at(1)).not.toEqual(at(2));
    expect(at(1, 0.99).high).toBeGreaterThan(at(1, 0.8).high);
  });

  it("has no width where all images are alike", () => {
    expect(bootstrap([2, 2, 2], average, { seed: 1 })).toEqual({ value: 2, low: 2, high: 2 });
  });

  it("leaves out resamples that say nothing, and refuses to work on none", () => {
    const ratio = (list: readonly number[]) => average(list.filter((v) => v > 0));
    expect(bootstrap([0, 1], ratio, { seed: 1 })).toEqual({ value: 1, low: 1, high: 1 });
    expect(() => bootstrap([], average, { seed: 1 })).toThrow(/at least one/);
  });
});

describe("bootstrapDifference", () => {
  const rng = createRng(4);
  const before = Array.from({ length: 100 }, () => rng.normal() * 10);

  it("takes the same images of both: a steady gain on noisy images has no width", () => {
    const { value, low, high, notAboveZero } = bootstrapDifference(
      before,
      before.map((v) => v + 1),
      average,
      { seed: 1 },
    );
    for (const number of [value, low, high]) expect(number).toBeCloseTo(1, 9);
    expect(notAboveZero).toBe(0);
  });

  it("says when nothing changed, and refuses lists of other lengths", () => {
    expect(bootstrapDifference(before, before, average, { seed: 1 })).toEqual({
      value: 0,
      low: 0,
      high: 0,
      notAboveZero: 1,
    });
    expect(() => bootstrapDifference([1], [1, 2], average, { seed: 1 })).toThrow(/same images/);
  });
});
