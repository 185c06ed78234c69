import { describe, expect, it } from "vitest";
import { InputError } from "../../base/errors.js";
import { iou } from "../../geometry/index.js";
import { parseResponse } from "../../response/index.js";
import { defaultRewardConfig, lookKinds } from "../config.js";
import { formatReward } from "../format.js";
import type { RewardConfig } from "../types.js";
import { auditRewards } from "./audit.js";
import { exploits } from "./exploits.js";
import { auditScenes } from "./scenes.js";

const light = exploits.filter(({ heavy }) => heavy !== true);
const named = (...names: string[]) => exploits.filter(({ name }) => names.includes(name));
const fbeta = { ...defaultRewardConfig.accuracy, shape: { kind: "fbeta", beta: 1 } } as const;
const recommended: RewardConfig = {
  weights: { format: 0.5, look: 0.25, accuracy: 1 },
  accuracy: fbeta,
  look: { kind: "hit-variance", cells: 64, over: "others" },
};

describe("auditRewards", () => {
  // The preset's own values are held equal to these in src/cli/audit.test.ts.
  it("no exploit beats an honest good response under the recommended rewards", () => {
    const report = auditRewards(recommended, { exploits: light, draws: 2 });
    expect(report.rows.filter(({ verdict }) => verdict === "fail").map(({ name }) => name)).toEqual([]);
    expect(report.passed).toBe(true);
    expect(report.rows.map(({ name }) => name)).toEqual(light.map(({ name }) => name));
    for (const { earned, honest } of report.rows) {
      for (const part of [earned, honest].flatMap((one) => [one.format, one.look, one.accuracy])) {
        expect(part).toBeGreaterThanOrEqual(0);
        expect(part).toBeLessThanOrEqual(1);
      }
    }
  });

  it("finds that a response may make the disagreement that it is paid for, and that `others` answers it", () => {
    const only = named("own disagreement in crowds");
    const verdict = (look: RewardConfig["look"]) =>
      auditRewards({ ...defaultRewardConfig, look }, { exploits: only }).rows[0]!;
    const group = verdict({ kind: "count-variance", cells: 64 });
    expect(group.verdict).toBe("fail");
    expect(group.ahead.map(({ scene }) => scene)).toContain("thirty tiny");
    for (const kind of lookKinds) {
      const { verdict: found, ahead } = verdict({ kind, cells: 64, over: "others" });
      expect([kind, found === "fail", ahead]).toEqual([kind, false, []]);
    }
  });

  it("finds that boxes in an ignore region are free, and that `others` does not pay for them either", () => {
    const only = named("own disagreement where it is free");
    const rows = (look: RewardConfig["look"]) =>
      auditRewards({ ...recommended, look }, { exploits: only, draws: 2 }).rows[0]!;
    expect(rows({ kind: "count-variance", cells: 64 })).toMatchObject({
      verdict: "fail",
      ahead: [{ scene: "eight beside an ignore region" }],
    });
    expect(rows({ kind: "count-variance", cells: 64, over: "others" })).toMatchObject({
      verdict: "pass",
      ahead: [],
    });
  });

  it("finds that edges are disagreement in the grid kinds, and that a stray box takes from the others' looks", () => {
    const only = named(
      "look at own boxes where nobody hides",
      "look at edges where nobody hides",
      "stray boxes where they are free",
      "a stray box in crowds",
    );
    const verdicts = (kind: RewardConfig["look"]["kind"]) =>
      auditRewards({ ...recommended, look: { kind, cells: 64, over: "others" } }, { exploits: only });
    const grid = verdicts("count-variance");
    expect(grid.rows.map(({ verdict }) => verdict)).toEqual(["fail", "fail", "fail", "fail"]);
    // The strays do not earn more: they make the others earn less.
    const free = grid.rows.find(({ name }) => name === "stray boxes where they are free")!;
    expect(free.earned.total).toBeCloseTo(free.honest.total, 9);
    expect(free.earned.lead).toBeGreaterThan(free.honest.lead);
    for (const kind of ["hit-variance", "instance-variance"] as const) {
      const { passed, rows } = verdicts(kind);
      expect([kind, passed, rows.flatMap(({ ahead }) => ahead)]).toEqual([kind, true, []]);
    }
  });

  it("finds that the linear form pays a beginner for one safe box, and that F1 does not", () => {
    const only = named("one safe box");
    const linear = auditRewards(defaultRewardConfig, { exploits: only });
    expect(linear.rows[0]!.verdict).toBe("weak");
    expect(linear.passed).toBe(true);
    expect(
      auditRewards({ ...defaultRewardConfig, accuracy: fbeta }, { exploits: only }).rows[0]!.verdict,
    ).toBe("pass");
  });

  it("finds that edges which differ by a little pay for looking at one's own boxes, and which kinds they do not pay in", () => {
    const only = named("look at own boxes");
    const ahead = (kind: RewardConfig["look"]["kind"]) =>
      auditRewards({ ...recommended, look: { kind, cells: 64, over: "others" } }, { exploits: only }).rows[0]!
        .ahead;
    expect(ahead("count-variance").map(({ scene }) => scene)).toContain("one person");
    expect(ahead("hit-variance")).toEqual([]);
    expect(ahead("instance-variance")).toEqual([]);
  });

  it("calls rewards broken that are: with form alone paid, saying nothing at all is as good as honest work", () => {
    const form: RewardConfig = { ...recommended, weights: { format: 0, look: 1, accuracy: 0 } };
    const report = auditRewards(form, { exploits: named("look at own boxes", "unreadable answer") });
    // Without accuracy an answer that nobody can read costs nothing; looking is all there is.
    expect(report.rows.find(({ name }) => name === "unreadable answer")!.earned.total).toBeCloseTo(
      report.honest.good.total,
      9,
    );
    const group = { ...form, look: { kind: "count-variance", cells: 64 } } as const;
    expect(auditRewards(group, { exploits: named("own disagreement") }).passed).toBe(false);
  });

  it("reads a hundred thousand boxes and lets none of them pay", () => {
    const scenes = auditScenes().slice(0, 3);
    const [row] = auditRewards(recommended, { exploits: named("100,000 boxes"), scenes, draws: 1 }).rows;
    expect(row!.earned).toMatchObject({ format: 1 });
    expect(row!.earned.accuracy).toBeLessThan(0.001);
    expect(row!.verdict).toBe("pass");
  });

  it("is the same twice, other by another seed, and refuses groups that cannot be compared", () => {
    const only = { exploits: named("look nowhere"), draws: 1 };
    expect(auditRewards(recommended, only)).toEqual(auditRewards(recommended, only));
    expect(auditRewards(recommended, { ...only, seed: 2 }).rows).not.toEqual(
      auditRewards(recommended, only).rows,
    );
    expect(() => auditRewards(recommended, { groupSize: 2 })).toThrow(InputError);
    expect(() => auditRewards(recommended, { draws: 0 })).toThrow(InputError);
  });
});

describe("scenes and exploits", () => {
  it("scenes are inside their pictures, hard ones overlap, and honest work of a good policy is good", () => {
    for (const { truth, hard } of auditScenes()) {
      for (const { box } of truth.objects) {
        expect(box.x1 >= 0 && box.y1 >= 0 && box.x2 <= truth.size.width && box.y2 <= truth.size.height).toBe(true);
      }
      for (const index of hard) {
        const { box } = truth.objects[index]!;
        expect(truth.objects.some((other, i) => i !== index && iou(other.box, box) > 0.15)).toBe(true);
      }
    }
    const { good, beginner } = auditRewards(recommended, { exploits: [], draws: 2 }).honest;
    expect(good.accuracy).toBeGreaterThan(0.85);
    expect(beginner.accuracy).toBeLessThan(0.7);
  });

  it("every exploit has a name of its own and says what its name says", () => {
    expect(new Set(exploits.map(({ name }) => name)).size).toBe(exploits.length);
    const scene = auditScenes().find(({ name }) => name === "five apart")!;
    const answer = scene.truth.objects.map(({ box, label }) => ({ box, label }));
    const read = (name: string) => {
      const rng = { next: () => 0.5, int: (a: number) => a, uniform: (a: number) => a, normal: () => 0 };
      const [exploit] = named(name);
      const text = exploit!.make({ scene, honest: { answer, look: [] }, rng: { ...rng, pick: (all) => all[0]!, state: () => [] } });
      return parseResponse(text, scene.truth.size);
    };
    expect(read("each box ten times").answer!.boxes).toHaveLength(50);
    expect(read("whole image").answer!.boxes[0]!.box).toMatchObject({ x1: 0, y1: 0, x2: 640, y2: 480 });
    expect(read("boxes turned inside out")).toMatchObject({ grade: "strict", answer: { dropped: 51 } });
    expect(read("tags inside think").grade).toBe("repaired");
    expect(read("truncated").grade).toBe("truncated");
    expect(read("NaN and huge numbers").answer!.boxes.length).toBeGreaterThanOrEqual(5);
    expect(read("look at own boxes").look!.boxes).toHaveLength(5);
    expect(read("nothing").grade).toBe("none");
    expect(read("no labels").answer!.boxes.every(({ label }) => label === undefined)).toBe(true);
    expect(read("look at edges").look!.boxes).toHaveLength(20);
    expect(read("look at own boxes where nobody hides").look!.boxes).toHaveLength(5);
    const unseen = read("thinking that nobody can see");
    expect([unseen.grade, formatReward(unseen)]).toEqual(["strict", 0]);
  });
}); // prettier-ignore
