import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { accuracyReward, type AccuracyConfig } from "./accuracy.js";
import { defaultRewardConfig } from "./config.js";
import { formatReward } from "./format.js";
import { said, truthOf, type Corners } from "../../test/support/groups.js";

const linear = defaultRewardConfig.accuracy;
const f1: AccuracyConfig = { ...linear, shape: { kind: "fbeta", beta: 1 } };
const all: AccuracyConfig[] = [linear, f1, { ...linear, soft: true }, { ...f1, soft: true }];
const A: Corners = [0, 0, 10, 10];
const B: Corners = [20, 0, 30, 10];
const C: Corners = [40, 0, 50, 10];
const D: Corners = [60, 0, 70, 10];
const value = (truth: ReturnType<typeof truthOf>, response: ReturnType<typeof said>, config = linear) =>
  accuracyReward(truth, response, config).value;

describe("format reward", () => {
  it("is 1 for strict with thinking, else 0", () => {
    expect(formatReward(said([A]))).toBe(1);
    expect(formatReward({ ...said([A]), think: " \n" })).toBe(0);
    for (const grade of ["repaired", "truncated", "none"] as const)
      expect(formatReward(said([A], [], grade))).toBe(0);
  });
});

describe("accuracy reward by hand", () => {
  // Two of three predictions hit two of four truths: P = 2/3, R = 1/2.
  const truth = truthOf([A, B, C, D]);
  const response = said([A, B, [100, 100, 110, 110]]);

  it("linear", () => {
    const result = accuracyReward(truth, response, linear);
    expect(result).toMatchObject({ precision: 2 / 3, recall: 1 / 2 });
    expect(result.value).toBeCloseTo(7 / 12, 12);
    expect([...result.match.matches]).toEqual([0, 1, -1]);
    const weighted: AccuracyConfig = {
      ...linear,
      shape: { kind: "linear", precisionWeight: 3, recallWeight: 1 },
    };
    expect(value(truth, response, weighted)).toBeCloseTo((3 * (2 / 3) + 1 / 2) / 4, 12);
  });

  it("fbeta", () => {
    expect(value(truth, response, f1)).toBeCloseTo(4 / 7, 12);
    // (1 + 4) P R / (4 P + R) = (5/3) / (19/6)
    expect(value(truth, response, { ...linear, shape: { kind: "fbeta", beta: 2 } })).toBeCloseTo(10 / 19, 12);
    expect(value(truth, said([[100, 100, 110, 110]]), f1)).toBe(0);
  });

  it("soft counts each pair's IoU", () => {
    const half = said([[0, 0, 10, 8], B]);
    expect(value(truthOf([A, B]), half, { ...linear, soft: true })).toBeCloseTo(0.9, 12);
    expect(value(truthOf([A, B]), half, linear)).toBe(1);
  });

  it("counts a pair at the threshold itself, none below it", () => {
    expect(value(truthOf([A]), said([[0, 0, 10, 5]]))).toBe(1);
    expect(value(truthOf([A]), said([[0, 0, 10, 4.99]]))).toBe(0);
  });

  it("maximises the summed IoU, and takes more pairs where sums are equal", () => {
    // Prediction 0 is truth 0 itself; giving it to truth 1 (IoU 0.5) and prediction 1 to truth 0 (0.5) sums to 1 as well.
    const result = accuracyReward(truthOf([A, [0, 0, 10, 5]]), said([A, [0, 5, 10, 10]]), linear);
    expect(result.match.truePositives).toBe(2);
    expect(result.match.iouSum).toBe(1);
  });

  it("no truth, no prediction, no answer", () => {
    for (const config of all) {
      expect(value(truthOf([]), said([]), config)).toBe(1);
      expect(value(truthOf([A]), said([]), config)).toBe(0);
      expect(value(truthOf([]), said([A]), config)).toBe(0);
      expect(value(truthOf([]), said([], [], "none"), config)).toBe(0);
      expect(value(truthOf([A]), said([A], [], "truncated"), config)).toBe(1);
    }
  });

  it("takes unmatched predictions out that lie at least half in one ignore region, and only those", () => {
    const truth = truthOf(
      [A],
      [
        [100, 0, 110, 10],
        [110, 0, 120, 10],
      ],
    );
    const result = accuracyReward(truth, said([A, [95, 0, 105, 10], [94, 0, 104, 10]]), linear);
    expect([...result.match.matches]).toEqual([0, -2, -1]);
    expect(result).toMatchObject({ precision: 1 / 2, recall: 1 });
    // Wholly within the two regions together, but half in neither.
    expect(accuracyReward(truth, said([[104.9, 0, 115.2, 10]]), linear).match.predictions).toBe(0);
    expect(value(truthOf([], [A]), said([A]))).toBe(1);
    // A hit inside an ignore region still counts.
    expect(value(truthOf([A], [[0, 0, 50, 50]]), said([A]))).toBe(1);
  });

  it("matches the same label only; a box without one counts where there is but one label", () => {
    const car = { ...truthOf([A]), objects: [{ box: truthOf([A]).objects[0]!.box, label: "car" }] };
    expect(value(car, said([A]))).toBe(0);
    const bare = {
      ...said([]),
      answer: { boxes: [{ box: truthOf([A]).objects[0]!.box, start: 0, end: 1 }], dropped: 0 },
    };
    expect(value(car, bare)).toBe(1);
    expect(value({ ...car, objects: [...car.objects, ...truthOf([B]).objects] }, bare)).toBe(0);
  });
});

const corners = fc
  .tuple(fc.nat(40), fc.nat(40), fc.integer({ min: 4, max: 20 }), fc.integer({ min: 4, max: 20 }))
  .map(([x, y, w, h]): Corners => [x, y, x + w, y + h]);
const scene = fc.record({
  truths: fc.array(corners, { maxLength: 7 }),
  ignore: fc.array(corners, { maxLength: 2 }),
  // Some predictions are truths moved a little, so that there is something to match.
  found: fc.array(fc.tuple(fc.nat(6), fc.integer({ min: -2, max: 2 })), { maxLength: 6 }),
  other: fc.array(corners, { maxLength: 3 }),
});
const predictionsOf = ({
  truths,
  found,
  other,
}: {
  truths: Corners[];
  found: [number, number][];
  other: Corners[];
}) => [
  ...found.flatMap(([i, d]): Corners[] => {
    const t = truths[i];
    return t === undefined ? [] : [[t[0] + d, t[1], t[2] + d, t[3] + Math.abs(d)]];
  }),
  ...other,
];

describe("accuracy reward, properties", () => {
  it("stays in [0, 1] and does not hang on the order of boxes, truths or ignore regions", () => {
    fc.assert(
      fc.property(scene, (s) => {
        const predictions = predictionsOf(s);
        for (const config of all) {
          const result = accuracyReward(truthOf(s.truths, s.ignore), said(predictions), config);
          for (const v of [result.value, result.precision, result.recall]) {
            expect(v).toBeGreaterThanOrEqual(0);
            expect(v).toBeLessThanOrEqual(1 + 1e-12);
          }
          const turned = accuracyReward(
            truthOf([...s.truths].reverse(), [...s.ignore].reverse()),
            said([...predictions].reverse()),
            config,
          );
          expect(turned.value).toBeCloseTo(result.value, 9);
        }
      }),
      { numRuns: 300 },
    );
  });

  it("never falls when a false positive is removed, nor when a missed object is added exactly", () => {
    fc.assert(
      fc.property(scene, (s) => {
        const predictions = predictionsOf(s);
        const truth = truthOf(s.truths, s.ignore);
        for (const config of all) {
          const result = accuracyReward(truth, said(predictions), config);
          const matches = [...result.match.matches];
          const better = [
            ...matches.flatMap((to, i) => (to === -1 ? [predictions.toSpliced(i, 1)] : [])),
            ...s.truths.flatMap((missed, i) => (matches.includes(i) ? [] : [[...predictions, missed]])),
          ];
          for (const answer of better) {
            expect(value(truth, said(answer), config)).toBeGreaterThanOrEqual(result.value - 1e-9);
          }
        }
      }),
      { numRuns: 300 },
    );
  });

  it("does not change when everything moves or doubles", () => {
    fc.assert(
      fc.property(scene, fc.integer({ min: -50, max: 50 }), (s, shift) => {
        const predictions = predictionsOf(s);
        const change = (list: readonly Corners[]) =>
          list.map((c) => c.map((v) => (v + shift) * 2) as unknown as Corners);
        for (const config of all) {
          const before = value(truthOf(s.truths, s.ignore), said(predictions), config);
          expect(
            value(truthOf(change(s.truths), change(s.ignore)), said(change(predictions)), config),
          ).toBeCloseTo(before, 9);
        }
      }),
      { numRuns: 200 },
    );
  });
});
