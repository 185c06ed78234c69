import { describe, expect, it } from "vitest";
import { learningRateAt } from "./learning-rate.js";

describe("learningRateAt", () => {
  it("warms up from the first step on", () => {
    const rate = { peak: 1, warmupSteps: 4 };
    expect([0, 1, 2, 3, 4, 50].map((step) => learningRateAt(rate, step, 100))).toEqual([
      0.25, 0.5, 0.75, 1, 1, 1,
    ]);
  });

  it("falls in a line or a cosine to its final share, and stays there", () => {
    for (const schedule of ["linear", "cosine"] as const) {
      const rate = { peak: 2, schedule, warmupSteps: 10, finalShare: 0.1 };
      expect(learningRateAt(rate, 10, 110)).toBe(2);
      expect(learningRateAt(rate, 60, 110)).toBeCloseTo(2 * (0.1 + 0.9 * 0.5), 12);
      expect(learningRateAt(rate, 110, 110)).toBeCloseTo(0.2, 12);
      expect(learningRateAt(rate, 500, 110)).toBeCloseTo(0.2, 12);
    }
  });
});
