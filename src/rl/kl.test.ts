import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { klTerm } from "./kl.js";

const logprob = fc.double({ min: -6, max: 0, noNaN: true });

describe("klTerm", () => {
  it("is what Schulman writes", () => {
    const d = 0.7;
    expect(klTerm("k1", d, 0).value).toBeCloseTo(d, 12);
    expect(klTerm("k2", d, 0).value).toBeCloseTo(d ** 2 / 2, 12);
    expect(klTerm("k3", d, 0).value).toBeCloseTo(Math.exp(-d) - 1 + d, 12);
  });

  it("k2 and k3 are never negative and vanish only where both agree", () => {
    fc.assert(
      fc.property(logprob, logprob, (a, b) => {
        for (const kind of ["k2", "k3"] as const) {
          // Where both differ by more than rounding, it is above 0.
          expect(klTerm(kind, a, b).value).toBeGreaterThan(Math.abs(a - b) > 1e-6 ? 0 : -Number.MIN_VALUE);
          expect(klTerm(kind, a, a).value).toBe(0);
          expect(klTerm(kind, a, a).derivative).toBeCloseTo(0, 15);
        }
      }),
    );
  });

  it("k1 and k3 average to the true KL of two categorical distributions", () => {
    const p = [0.5, 0.3, 0.2];
    const q = [0.2, 0.5, 0.3];
    const truth = p.reduce((sum, value, i) => sum + value * Math.log(value / q[i]!), 0);
    for (const kind of ["k1", "k3"] as const) {
      const average = p.reduce(
        (sum, value, i) => sum + value * klTerm(kind, Math.log(value), Math.log(q[i]!)).value,
        0,
      );
      expect(average).toBeCloseTo(truth, 12);
    }
  });
});
