import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { groupAdvantages, mean, sampleStd } from "./advantage.js";

// Hundredths: rewards that differ at all differ by more than rounding.
const reward = fc.integer({ min: 0, max: 200 }).map((n) => n / 100);
const group = fc.array(reward, { minLength: 2, maxLength: 8 });

describe("groupAdvantages", () => {
  it("divides by the sample standard deviation plus 1e-4", () => {
    const { advantages } = groupAdvantages([[0, 1]]);
    expect(advantages[0]![1]).toBeCloseTo(0.5 / (Math.SQRT1_2 + 1e-4), 12);
  });

  it("centres every group, whatever divides", () => {
    fc.assert(
      fc.property(
        fc.array(group, { minLength: 1, maxLength: 4 }),
        fc.constantFrom("group" as const, "center" as const, "batch" as const),
        (rewards, kind) => {
          for (const list of groupAdvantages(rewards, { kind }).advantages)
            expect(mean(list)).toBeCloseTo(0, 6);
        },
      ),
    );
  });

  it("does not see a shift of a group's rewards, and keeps their order", () => {
    fc.assert(
      fc.property(group, fc.double({ min: -1, max: 1, noNaN: true }), (rewards, shift) => {
        fc.pre(sampleStd(rewards) > 1e-3);
        const plain = groupAdvantages([rewards]).advantages[0]!;
        const shifted = groupAdvantages([rewards.map((r) => r + shift)]).advantages[0]!;
        plain.forEach((a, i) => expect(shifted[i]).toBeCloseTo(a, 6));
        const order = (list: readonly number[]) => list.map((_, i) => i).sort((i, j) => list[i]! - list[j]!);
        expect(order(plain)).toEqual(order(rewards));
      }),
    );
  });

  it("gives exactly nothing for equal rewards, and counts the group", () => {
    const third = 0.1 + 0.2;
    const { advantages, zeroStdGroups } = groupAdvantages([
      [third, third, third],
      [0, 1, 0],
      [1, 1],
    ]);
    expect(advantages[0]).toEqual([0, 0, 0]);
    expect(advantages[2]).toEqual([0, 0]);
    expect(zeroStdGroups).toBe(2);
  });

  it("divides by the spread of the batch where asked", () => {
    const rewards = [
      [0, 1],
      [0, 0.1],
    ];
    const { advantages } = groupAdvantages(rewards, { kind: "batch" });
    const divisor = sampleStd(rewards.flat()) + 1e-4;
    expect(advantages[0]![1]).toBeCloseTo(0.5 / divisor, 12);
    expect(advantages[1]![1]).toBeCloseTo(0.05 / divisor, 12);
  });

  it("refuses a reward that is no number", () => {
    expect(() => groupAdvantages([[1, Number.NaN]])).toThrow(/Group 0/);
  });
});
