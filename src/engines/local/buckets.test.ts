import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bucket, paddedLength, planMicrobatches, roundUp, rowBucket } from "./buckets.js";

const value = fc.integer({ min: 1, max: 200_000 });
const step = fc.constantFrom(1, 4, 16, 32, 64);

describe("sizes", () => {
  it("never shrink, are multiples of the step, and stay where they are", () => {
    fc.assert(
      fc.property(value, step, (size, by) => {
        for (const rounded of [roundUp(size, by), bucket(size, by)]) {
          expect(rounded).toBeGreaterThanOrEqual(size);
          expect(rounded % by).toBe(0);
        }
        expect(bucket(bucket(size, by), by)).toBe(bucket(size, by));
        expect(rowBucket(rowBucket(size))).toBe(rowBucket(size));
        expect(rowBucket(size)).toBeGreaterThanOrEqual(size);
      }),
    );
  });

  it("grow with the value", () => {
    fc.assert(
      fc.property(value, value, step, (a, b, by) => {
        const [low, high] = [Math.min(a, b), Math.max(a, b)];
        expect(bucket(low, by)).toBeLessThanOrEqual(bucket(high, by));
        expect(rowBucket(low)).toBeLessThanOrEqual(rowBucket(high));
      }),
    );
  });

  it("waste at most an eighth or less than a step; rows at most half", () => {
    fc.assert(
      fc.property(value, step, (size, by) => {
        expect(bucket(size, by) - size).toBeLessThanOrEqual(Math.max(by - 1, size / 8));
        expect(rowBucket(size)).toBeLessThanOrEqual(size * 1.5);
      }),
    );
  });

  it("are few: what up to 4096 tokens and 64 rows need", () => {
    const sizes = (of: (n: number) => number, most: number) =>
      new Set(Array.from({ length: most }, (_, i) => of(i + 1)));
    expect(sizes(paddedLength, 4096).size).toBeLessThanOrEqual(48);
    expect([...sizes(rowBucket, 64)]).toEqual([1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64]);
  });

  it("of nothing are one step", () => {
    expect([roundUp(0, 32), bucket(0, 16), rowBucket(0)]).toEqual([32, 16, 1]);
  });
});

describe("planMicrobatches", () => {
  const row = fc.record({
    prompt: fc.nat(5),
    promptLength: fc.integer({ min: 1, max: 300 }),
    length: fc.integer({ min: 0, max: 3000 }),
  });
  const rows = fc.array(row, { maxLength: 60 });
  const budget = fc.integer({ min: 1, max: 8000 });
  const same = (count: number, length: number, promptLength: number, prompt?: number) =>
    Array.from({ length: count }, (_, i) => ({ prompt: prompt ?? i, promptLength, length }));

  it("takes every index once, longest first", () => {
    fc.assert(
      fc.property(rows, budget, (of, within) => {
        const order = planMicrobatches(of, within).flat();
        expect(order.toSorted((a, b) => a - b)).toEqual(of.map((_, i) => i));
        for (let i = 1; i < order.length; i++) {
          expect(of[order[i]!]!.length).toBeLessThanOrEqual(of[order[i - 1]!]!.length);
        }
      }),
    );
  });

  it("keeps to the budget as it is padded, unless one row alone exceeds it", () => {
    fc.assert(
      fc.property(rows, budget, (of, within) => {
        for (const plan of planMicrobatches(of, within)) {
          const own = plan.map((index) => of[index]!);
          const prompts = rowBucket(new Set(own.map(({ prompt }) => prompt)).size);
          const longestPrompt = paddedLength(Math.max(...own.map(({ promptLength }) => promptLength)));
          const padded = prompts * longestPrompt + rowBucket(plan.length) * paddedLength(own[0]!.length);
          expect(plan.length === 1 || padded <= within).toBe(true);
        }
      }),
    );
  });

  it("counts a shared prompt once", () => {
    const sizes = (plans: number[][]) => plans.map(({ length }) => length);
    expect(sizes(planMicrobatches(same(10, 16, 64, 0), 64 + 4 * 16))).toEqual([4, 4, 2]);
    expect(sizes(planMicrobatches(same(10, 16, 64), 64 + 4 * 16))).toEqual(
      Array.from({ length: 10 }, () => 1),
    );
    expect(planMicrobatches([], 100)).toEqual([]);
  });
});
