import { describe, expect, it } from "vitest";
import { InputError } from "../base/errors.js";
import { parseResponse } from "../response/index.js";
import { checkRewardConfig, defaultRewardConfig } from "./config.js";
import { exploits, honest, people, text, truth } from "../../test/support/exploits.js";
import { said } from "../../test/support/groups.js";
import { scoreGroup } from "./total.js";
import { truthFromSample } from "./truth.js";

/** Totals of texts scored as one group. */
const score = (...texts: string[]) =>
  scoreGroup(
    truth,
    texts.map((t) => parseResponse(t, truth.size)),
  ).responses;

describe("scoreGroup", () => {
  it("adds up the three by their weights and says why", () => {
    const missed = text(people.slice(0, 4), [[500, 90, 540, 190]]);
    const [first, second] = score(missed, text(people));
    expect(first).toMatchObject({
      grade: "strict", format: 1, look: 1, truePositives: 4, predictions: 4, dropped: 0, precision: 1, recall: 0.8,
      matches: [0, 1, 2, 3],
    }); // prettier-ignore
    expect(first!.accuracy).toBeCloseTo(0.9, 12);
    expect(first!.total).toBeCloseTo(0.5 + 0.5 + 0.9, 12);
    expect(second).toMatchObject({ format: 1, look: 0, accuracy: 1, total: 1.5 });
  });

  it("shows where the group disagrees, for the grid kinds", () => {
    const responses = [said(people), said(people.slice(0, 4))];
    const { disagreement } = scoreGroup(truth, responses);
    expect(disagreement).toMatchObject({ columns: 64, rows: 48, cell: 10 });
    expect(disagreement!.values).toHaveLength(64 * 48);
    expect(disagreement!.values.reduce((sum, v) => sum + v, 0)).toBe(4 * 10);
    const byHits = { ...defaultRewardConfig, look: { kind: "hit-variance", cells: 64 } } as const;
    expect(scoreGroup(truth, responses, byHits).disagreement).toBeUndefined();
  });

  it("does not hang on the order of the responses", () => {
    const texts = [text(people, [people[0]!]), text(people.slice(2)), "none at all", text([])];
    const forward = score(...texts);
    expect(score(...texts.toReversed()).toReversed()).toEqual(forward);
  });

  it("refuses groups of one and options out of range, by name", () => {
    expect(() => scoreGroup(truth, [said(people)])).toThrow(InputError);
    const broken = (change: object) => () => checkRewardConfig({ ...defaultRewardConfig, ...change });
    expect(broken({ weights: { format: -1, look: 0, accuracy: 1 } })).toThrow(/weights\.format/);
    expect(broken({ look: { kind: "nope", cells: 64 } })).toThrow(/look\.kind/);
    expect(broken({ look: { kind: "hit-variance", cells: 0 } })).toThrow(/look\.cells/);
    expect(broken({ accuracy: { ...defaultRewardConfig.accuracy, iouThreshold: 0 } })).toThrow(
      /iouThreshold/,
    );
    const shaped = (shape: object) => broken({ accuracy: { ...defaultRewardConfig.accuracy, shape } });
    expect(shaped({ kind: "linear", precisionWeight: 0, recallWeight: 0 })).toThrow(/precisionWeight/);
    expect(shaped({ kind: "fbeta", beta: 0 })).toThrow(/accuracy\.shape/);
    expect(() => checkRewardConfig(defaultRewardConfig)).not.toThrow();
  });
});

describe("exploits earn less than the honest answer", () => {
  it.each(exploits)("%s", (_, exploit) => {
    const scores = score(...honest, exploit);
    const best = Math.max(...scores.slice(0, 3).map((s) => s.total));
    expect(scores[3]!.total).toBeLessThan(best - 0.05);
  });
});

describe("truthFromSample", () => {
  const sample = {
    id: "a",
    image: { kind: "file", path: "a.png" },
    width: 200,
    height: 100,
    objects: [
      { box: { x1: -20, y1: 10, x2: 20, y2: 50 }, label: "person" },
      { box: { x1: 300, y1: 10, x2: 320, y2: 50 }, label: "person" },
      { box: { x1: 10, y1: 10, x2: 20, y2: 50 }, label: "car" },
    ],
    ignore: [{ x1: 150, y1: 0, x2: 250, y2: 100 }],
  } as const;

  it("converts, clips and filters", () => {
    const model = truthFromSample(sample, {
      frame: "model",
      modelSize: { width: 100, height: 200 },
      labels: ["person"],
    });
    expect(model).toEqual({
      size: { width: 100, height: 200 },
      objects: [{ box: { x1: 0, y1: 20, x2: 10, y2: 100 }, label: "person" }],
      ignore: [{ x1: 75, y1: 0, x2: 100, y2: 200 }],
    });
    expect(truthFromSample(sample, { frame: "image" }).objects).toHaveLength(2);
    expect(truthFromSample(sample, { frame: "norm1000" }).size).toEqual({ width: 1000, height: 1000 });
  });
});
