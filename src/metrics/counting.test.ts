import { describe, expect, it } from "vitest";
import { countingErrors } from "./counting.js";

describe("countingErrors", () => {
  it("has the mean, the root mean square and the direction of the error", () => {
    const { mae, rmse, bias } = countingErrors([
      { predicted: 5, actual: 2 },
      { predicted: 3, actual: 4 },
    ]);
    expect(mae).toBe(2);
    expect(rmse).toBeCloseTo(Math.sqrt(5), 12);
    expect(bias).toBe(1);
  });
});
