import { describe, expect, it } from "vitest";
import { adamAt, learningRateAt, schedulePosition } from "./optimizer.js";

describe("learningRateAt", () => {
  it("warms up from the first step on", () => {
    const config = { learningRate: 1, warmupSteps: 4 };
    expect([0, 1, 2, 3, 4, 50].map((step) => learningRateAt(config, step, 100))).toEqual([
      0.25, 0.5, 0.75, 1, 1, 1,
    ]);
  });

  it("falls in a line or a cosine to its final share, and stays there", () => {
    for (const schedule of ["linear", "cosine"] as const) {
      const config = { learningRate: 2, schedule, warmupSteps: 10, finalShare: 0.1 };
      expect(learningRateAt(config, 10, 110)).toBe(2);
      expect(learningRateAt(config, 60, 110)).toBeCloseTo(2 * (0.1 + 0.9 * 0.5), 12);
      expect(learningRateAt(config, 110, 110)).toBeCloseTo(0.2, 12);
      expect(learningRateAt(config, 500, 110)).toBeCloseTo(0.2, 12);
    }
  });
});

describe("adamAt", () => {
  it("hands the engine what it knows, the schedule resolved", () => {
    const config = { learningRate: 1, schedule: "linear", beta2: 0.99, maxGradNorm: 1 } as const;
    expect(adamAt(config, 5, 10)).toEqual({ learningRate: 0.5, beta2: 0.99, maxGradNorm: 1 });
  });
});

describe("schedulePosition", () => {
  it("goes by the steps, or by the time where more of it is over", () => {
    expect(schedulePosition(30, 100)).toBe(30);
    expect(schedulePosition(30, 100, () => 0.2)).toBe(30);
    expect(schedulePosition(30, 100, () => 0.75)).toBe(75);
    expect(schedulePosition(30, 100, () => 1.5)).toBe(100);
  });
  it("brings a run that time ends to its final rate", () => {
    const config = { learningRate: 1, schedule: "linear", finalShare: 0.1 } as const;
    expect(
      learningRateAt(
        config,
        schedulePosition(7, 1_000_000, () => 1),
        1_000_000,
      ),
    ).toBeCloseTo(0.1, 12);
  });
});
