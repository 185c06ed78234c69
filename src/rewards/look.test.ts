import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { InputError } from "../base/errors.js";
import { defaultRewardConfig, lookKinds } from "./config.js";
import { lookRewards } from "./look.js";
import { matchAnswer } from "./match.js";
import { said, truthOf, type Corners } from "../../test/support/groups.js";
import type { LookKind, RewardTruth } from "./types.js";
import { isUncertain } from "./uncertain.js";

const look = (
  kind: LookKind,
  responses: readonly ReturnType<typeof said>[],
  truth: RewardTruth<"model"> = truthOf([]),
): readonly number[] => {
  const matches = responses.map((r) => matchAnswer(truth, r.answer?.boxes ?? [], 0.5).matches);
  return lookRewards(truth, responses, { ...defaultRewardConfig.look, kind }, matches).rewards;
};
// On 640 x 480 a cell is 10 x 10, so these are whole cells.
const A: Corners = [0, 0, 20, 20];
const B: Corners = [100, 100, 120, 120];
const ALL: Corners = [0, 0, 640, 480];

describe("count-variance by hand", () => {
  it("pays for looking where the group disagrees, and only there", () => {
    // All four have A; two have B: V = 1/4 on the four cells of B, so Vn = 1 there.
    const responses = [said([A, B], [B]), said([A, B], [A]), said([A], []), said([A], [ALL])];
    const rewards = look("count-variance", responses);
    expect(rewards[0]).toBe(1);
    expect(rewards[1]).toBe(0);
    expect(rewards[2]).toBe(0);
    expect(rewards[3]).toBeCloseTo((2 * 4) / (4 + 64 * 48), 12);
  });

  it("weighs cells by their variance relative to the greatest", () => {
    // Counts on A's cells: 2, 0 (V = 1, Vn = 1); on B's: 1, 0 (V = 1/4, Vn = 1/4).
    const rewards = look("count-variance", [said([A, A, B], [A]), said([], [B])]);
    const squares = 4 * 1 + 4 / 16;
    expect(rewards[0]).toBeCloseTo((2 * 4) / (squares + 4), 12);
    expect(rewards[1]).toBeCloseTo((2 * 4 * 0.25) / (squares + 4), 12);
  });

  it("sees several people taken for one where occupancy does not", () => {
    const responses = [said([A, A], [A]), said([A], [])];
    expect(look("count-variance", responses)).toEqual([1, 0]);
    expect(look("occupancy-variance", responses)).toEqual([0, 1]);
  });

  it("where the group agrees: 1 for no region, else 0", () => {
    expect(look("count-variance", [said([A]), said([A], [A])])).toEqual([1, 0]);
    expect(look("count-variance", [said([]), said([], [[0, 0, 1, 1]])])).toEqual([1, 0]);
  });

  it("counts a response without an answer as no boxes", () => {
    expect(look("count-variance", [said([A], [A]), said([], [], "none")])).toEqual([1, 0]);
  });

  it("counts a cell once, however many regions cover it", () => {
    expect(look("count-variance", [said([A], [A, A, A]), said([])])[0]).toBe(1);
  });
});

describe("instance-variance and hit-variance by hand", () => {
  it("is uncertain from p = 0.2 to p = 0.8, both included", () => {
    expect([0, 1, 2, 3, 4, 5].map((k) => isUncertain(k, 5))).toEqual([false, true, true, true, true, false]);
    expect([1, 2, 6, 7].map((k) => isUncertain(k, 8))).toEqual([false, true, true, false]);
    expect(isUncertain(8, 10)).toBe(true);
    expect(isUncertain(9, 10)).toBe(false);
  });

  it("F1 between regions and uncertain clusters", () => {
    const C: Corners = [300, 100, 340, 160];
    // A is in all four; B and C in two: two uncertain clusters.
    const responses = [said([A, B], [B]), said([A, B, C], [B, C, A]), said([A, C], [A]), said([A], [])];
    expect(look("instance-variance", responses)).toEqual([2 / 3, 4 / 5, 0, 0]);
    expect(look("instance-variance", [said([A]), said([A], [A])])).toEqual([1, 0]);
  });

  it("F1 between regions and truths that some hit and some miss", () => {
    const truth = truthOf([A, B, [400, 0, 440, 40]]);
    const responses = [
      said([A, B], [B]),
      said([A], [B, A]),
      said([A, [500, 300, 520, 320]], [[500, 300, 520, 320]]),
    ];
    // A: 3/3, B: 1/3, the third: 0/3.
    expect(look("hit-variance", responses, truth)).toEqual([1, 2 / 3, 0]);
  });
});

describe("look reward, properties", () => {
  const corners = fc
    .tuple(fc.nat(300), fc.nat(300), fc.integer({ min: 1, max: 300 }), fc.integer({ min: 1, max: 170 }))
    .map(([x, y, w, h]): Corners => [x, y, x + w, y + h]);
  const group = fc.array(
    fc.record({ answer: fc.array(corners, { maxLength: 5 }), regions: fc.array(corners, { maxLength: 3 }) }),
    { minLength: 2, maxLength: 6 },
  );

  it("stays in [0, 1] and does not hang on the order of responses or boxes", () => {
    fc.assert(
      fc.property(group, fc.array(corners, { maxLength: 4 }), (g, truths) => {
        for (const kind of lookKinds) {
          const rewards = look(
            kind,
            g.map((r) => said(r.answer, r.regions)),
            truthOf(truths),
          );
          for (const reward of rewards) {
            expect(reward).toBeGreaterThanOrEqual(0);
            expect(reward).toBeLessThanOrEqual(1);
          }
          const turned = [...g].reverse().map((r) => said([...r.answer].reverse(), [...r.regions].reverse()));
          look(kind, turned, truthOf(truths))
            .toReversed()
            .forEach((reward, i) => expect(reward).toBeCloseTo(rewards[i]!, 9));
        }
      }),
      { numRuns: 100 },
    );
  });

  it("is 0 for regions where the group agrees while it disagrees elsewhere", () => {
    fc.assert(
      fc.property(group, corners, (g, shared) => {
        // Answers stay right of 320 and the region left of it.
        const right = (c: Corners): Corners => [c[0] + 320, c[1], c[2] + 320, c[3]];
        const left: Corners = [shared[0] / 2, shared[1], Math.min(shared[2] / 2, 320), shared[3]];
        const responses = [
          ...g.map((r) => said(r.answer.map(right), [left])),
          said([[330, 0, 350, 20]], [left]),
        ];
        const twice = [
          ...responses,
          said(
            [
              [330, 0, 350, 20],
              [330, 0, 350, 20],
            ],
            [left],
          ),
        ];
        for (const reward of look("count-variance", twice)) expect(reward).toBe(0);
      }),
      { numRuns: 50 },
    );
  });

  it("does not change when canvas, answers and regions double", () => {
    fc.assert(
      fc.property(group, (g) => {
        const double = (list: Corners[]) => list.map((c) => c.map((v) => v * 2) as unknown as Corners);
        const big = { ...truthOf([]), size: { width: 1280, height: 960 } };
        const before = look(
          "count-variance",
          g.map((r) => said(r.answer, r.regions)),
        );
        expect(
          look(
            "count-variance",
            g.map((r) => said(double(r.answer), double(r.regions))),
            big,
          ),
        ).toEqual(before);
      }),
      { numRuns: 50 },
    );
  });

  it("refuses a group of one", () => {
    for (const kind of lookKinds) {
      expect(() => look(kind, [said([A])])).toThrow(InputError);
      expect(() => look(kind, [])).toThrow(/at least 2/);
    }
  });
});
