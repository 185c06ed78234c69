import { describe, expect, it } from "vitest";
import { foundBy, stepPlace } from "./evaluation-numbers.js";

describe("foundBy", () => {
  it("sums over the responses; boxes in ignore regions do not count", () => {
    expect(foundBy([{ matches: [0, 1, -1, -2] }, { matches: [1] }], 4)).toEqual({
      truePositives: 3,
      predictions: 4,
      truths: 8,
      f1: 0.5,
    });
  });

  it("is whole where nothing is there and nothing was said", () => {
    expect(foundBy([{ matches: [] }], 0).f1).toBe(1);
    expect(foundBy([{ matches: [-1] }], 0).f1).toBe(0);
  });
});

describe("stepPlace", () => {
  const steps = [0, 10, 20].map((step) => ({ step, responses: [] }));
  it.each([
    [undefined, 2],
    ["0", 0],
    ["10", 1],
    ["13", 1],
    ["999", 2],
    ["soon", 2],
  ])("of %s is %i", (asked, place) => {
    expect(stepPlace(steps, asked)).toBe(place);
  });
});
