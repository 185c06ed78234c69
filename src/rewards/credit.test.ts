import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ParsedResponse } from "../response/types.js";
import { accuracyReward, type AccuracyConfig } from "./accuracy.js";
import { defaultRewardConfig } from "./config.js";
import { boxCredit } from "./credit.js";
import { said, truthOf, type Corners } from "../../test/support/groups.js";
import type { RewardTruth } from "./types.js";

const linear = defaultRewardConfig.accuracy;

/** r_acc with and without each box, both computed whole. */
function naive(
  truth: RewardTruth<"model">,
  response: ParsedResponse<"model">,
  config: AccuracyConfig,
): number[] {
  if (response.answer === undefined) return [];
  const { answer } = response;
  const whole = accuracyReward(truth, response, config).value;
  return answer.boxes.map((_, k) => {
    const without = { ...response, answer: { ...answer, boxes: answer.boxes.toSpliced(k, 1) } };
    return whole - accuracyReward(truth, without, config).value;
  });
}

describe("boxCredit", () => {
  it("by hand", () => {
    const truth = truthOf([
      [0, 0, 10, 10],
      [20, 0, 30, 10],
    ]);
    const responses = [
      said([
        [0, 0, 10, 10],
        [50, 0, 60, 10],
      ]),
      said([], [], "none"),
      said([[20, 0, 30, 10]]),
    ];
    const credits = boxCredit(truth, responses, linear);
    // First response: P = R = 1/2. Without the hit 0; without the false positive P = 1, R = 1/2. Third: 3/4, without 0.
    const marginals = [0.5, -0.25, 0.75];
    expect(credits.map((c) => c.length)).toEqual([2, 0, 1]);
    expect(credits.flat().map((c) => c.marginal)).toEqual(marginals);
    const mean = 1 / 3;
    const std = Math.sqrt(marginals.reduce((sum, m) => sum + (m - mean) ** 2, 0) / 2);
    credits.flat().forEach((c, i) => expect(c.z).toBeCloseTo((marginals[i]! - mean) / std, 12));
  });

  it("gives a duplicate less than a hit, and 0 where all are worth the same", () => {
    const truth = truthOf([[0, 0, 10, 10]]);
    const [pair] = boxCredit(
      truth,
      [
        said([
          [0, 0, 10, 10],
          [0, 0, 10, 10],
        ]),
      ],
      linear,
    );
    expect(pair!.map((c) => c.z)).toEqual([0, 0]);
    expect(pair![0]!.marginal).toBe(-0.25);
    expect(boxCredit(truth, [said([[0, 0, 10, 10]])], linear)).toEqual([[{ marginal: 1, z: 0 }]]);
    expect(boxCredit(truth, [said([]), said([], [], "none")], linear)).toEqual([[], []]);
  });

  it("compares with the tries at the same object, where asked", () => {
    const truth = truthOf([
      [0, 0, 10, 10],
      [20, 0, 30, 10],
    ]);
    // Two hits on the first object, a hit and a near miss at the second, and a box at nothing.
    const responses = [
      said([
        [0, 0, 10, 10],
        [20, 0, 30, 10],
      ]),
      said([
        [0, 0, 10, 10],
        [26, 0, 36, 10],
        [60, 0, 70, 10],
      ]),
    ];
    const credits = boxCredit(truth, responses, linear, "object");
    const [first, second] = credits as [{ marginal: number; z: number }[], { marginal: number; z: number }[]];
    const sum = (a: { z: number }, b: { z: number }) => a.z + b.z;
    expect(sum(first[0]!, second[0]!)).toBeCloseTo(0, 12);
    expect(sum(first[1]!, second[1]!)).toBeCloseTo(0, 12);
    expect(first[1]!.z).toBeGreaterThan(0);
    // Near no object: against all, as with the group's baseline.
    expect(second[2]!.z).toBeLessThan(0);
    expect(credits.map((own) => own.map((c) => c.marginal))).toEqual(
      boxCredit(truth, responses, linear).map((own) => own.map((c) => c.marginal)),
    );
  });

  it("equals the naive recomputation on crowds with chains, duplicates and ignore regions", () => {
    const corners = fc
      .tuple(fc.nat(20), fc.nat(6), fc.integer({ min: 6, max: 14 }), fc.integer({ min: 6, max: 14 }))
      .map(([x, y, w, h]): Corners => [x, y, x + w, y + h]);
    const list = (max: number) => fc.array(corners, { maxLength: max });
    const configs: AccuracyConfig[] = [
      linear,
      { ...linear, soft: true, iouThreshold: 0.3 },
      { ...linear, shape: { kind: "fbeta", beta: 1 }, iouThreshold: 0.3 },
    ];
    fc.assert(
      fc.property(
        list(8),
        list(3),
        fc.array(list(9), { minLength: 1, maxLength: 3 }),
        (truths, ignore, answers) => {
          const truth = truthOf(truths, ignore);
          const responses = answers.map((boxes) => said(boxes));
          for (const config of configs) {
            const credits = boxCredit(truth, responses, config);
            responses.forEach((response, i) => {
              const expected = naive(truth, response, config);
              expect(credits[i]).toHaveLength(expected.length);
              credits[i]!.forEach((credit, k) => expect(credit.marginal).toBeCloseTo(expected[k]!, 10));
            });
            const z = credits.flat().map((c) => c.z);
            const spread = z.reduce((sum, v) => sum + v * v, 0);
            expect(z.reduce((sum, v) => sum + v, 0)).toBeCloseTo(0, 6);
            expect(spread).toBeCloseTo(spread > 0 ? z.length - 1 : 0, 6);
          }
        },
      ),
      { numRuns: 400 },
    );
  });
});
