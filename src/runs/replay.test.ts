import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { InputError } from "../base/index.js";
import { parseResponse } from "../response/index.js";
import { scoreGroup, type RewardTruth } from "../rewards/index.js";
import { groupAdvantages } from "../rl/index.js";
import { rankCorrelation, replayRun } from "./replay.js";
import { rewardsOf } from "./rewards-of.js";
import { rolloutLines } from "./rollout-lines.js";
import type { Recipe } from "./recipe-schema.js";

const say = (look: string, answer: string) =>
  `<think>x</think><look>${look}</look><answer>${answer}</answer>`;
const truths: RewardTruth<"model">[] = [
  {
    size: { width: 100, height: 100 },
    objects: [
      // A box written as [0, 0, 33, 20] has an IoU of 0.5 with this one; rounded to hundredths it would not.
      { box: { x1: 0, y1: 0, x2: 66 - 1e-3, y2: 20 }, label: "person" },
      { box: { x1: 50, y1: 50, x2: 70, y2: 90 }, label: "car" },
    ],
    ignore: [{ x1: 0, y1: 60, x2: 30, y2: 100 }],
  },
  {
    size: { width: 64, height: 64 },
    objects: [{ box: { x1: 0, y1: 0, x2: 20, y2: 20 }, label: "person" }],
    ignore: [],
  },
];
const texts = [
  [
    say("[]", '[{"bbox_2d":[0,0,33,20],"label":"person"}]'),
    say("[[50,50,70,90]]", '[{"bbox_2d":[50,50,70,90],"label":"car"},{"bbox_2d":[1,62,28,98],"label":"person"}]'),
    say("[]", '[{"bbox_2d":[50,50,70,90],"label":"person"}]'),
  ],
  [say("[]", "[[0,0,20,20]]"), say("[[0,0,20,20]]", "[[0,0,20,20],[40,40,60,60],[30,30,50,50]]"), "nothing"],
]; // prettier-ignore

/** A run's folder with what training would have written. */
async function storedRun(preset: string, strip: readonly string[] = []): Promise<string> {
  const { rewards, advantage } = await rewardsOf(preset);
  const folder = mkdtempSync(join(tmpdir(), "dip-replay-"));
  mkdirSync(folder, { recursive: true });
  const recipe = { kind: "grpo", data: { labels: ["person", "car"] }, rewards, grpo: { advantage } };
  writeFileSync(join(folder, "manifest.json"), JSON.stringify({ format: 1, recipe: recipe as unknown as Recipe }));
  const lines = [1, 2].flatMap((step) => {
    const scored = truths.map((truth, g) => scoreGroup(truth, texts[g]!.map((t) => parseResponse<"model">(t, truth.size)), rewards).responses);
    const { advantages } = groupAdvantages(scored.map((group) => group.map(({ total }) => total)), { kind: advantage });
    const groups = truths.map((truth, g) => ({
      sampleId: `s${g}`,
      truth,
      responses: texts[g]!.map((text, i) => {
        const read = parseResponse<"model">(text, truth.size);
        const boxes = (section?: typeof read.look) => section?.boxes.map(({ box }) => box) ?? [];
        return {
          ...scored[g]![i]!, text, advantage: advantages[g]![i]!, tokens: 9, stopReason: "stop",
          lookBoxes: boxes(read.look), answerBoxes: boxes(read.answer),
        };
      }),
    }));
    return [...rolloutLines({ step, groups } as unknown as Parameters<typeof rolloutLines>[0])];
  });
  const kept = lines.map((line) => JSON.stringify(Object.fromEntries(Object.entries(line).filter(([key]) => !strip.includes(key)))));
  writeFileSync(join(folder, "rollouts.jsonl"), kept.join("\n") + "\n");
  return folder;
} // prettier-ignore

describe("replayRun", () => {
  it.each(["paper", "recommended"])(
    "gives what was stored under the run's own rewards: %s",
    async (preset) => {
      const report = await replayRun(await storedRun(preset), await rewardsOf(preset));
      expect(report).toMatchObject({ groups: 4, responses: 12, steps: [1, 2], notes: [] });
      for (const { before, after, signChanges, rankCorrelation: all } of report.parts) {
        expect(after).toBeCloseTo(before, 12);
        expect(signChanges).toBe(0);
        expect(all).toBeCloseTo(1, 12);
      }
      expect(report.zeroStdGroups.after).toBe(report.zeroStdGroups.before);
    },
  );

  it("says what another recipe would have changed", async () => {
    const report = await replayRun(await storedRun("paper"), await rewardsOf("recommended"));
    const part = (name: string) => report.parts.find((one) => one.part === name)!;
    expect(part("format")).toMatchObject({ signChanges: 0, rankCorrelation: 1 });
    expect(part("accuracy").after).toBeLessThan(part("accuracy").before);
    expect(part("total").after).not.toBe(part("total").before);
    expect((await replayRun(await storedRun("paper"), await rewardsOf("paper"), { steps: { from: 2 } })).groups).toBe(2);
  }); // prettier-ignore

  it("does with runs of before, which stored neither labels nor ignore regions, what can be done, and says so", async () => {
    const { notes } = await replayRun(await storedRun("paper", ["labels", "ignore"]), await rewardsOf("paper"));
    expect(notes.join("\n")).toMatch(/every object counts as "person"[^]*own rewards[^]*ignore regions were not stored/);
  }); // prettier-ignore

  it("refuses a folder without a run, and steps without rollouts", async () => {
    await expect(replayRun("/nowhere", await rewardsOf("paper"))).rejects.toThrow(InputError);
    const run = await storedRun("paper");
    await expect(replayRun(run, await rewardsOf("paper"), { steps: { from: 9 } })).rejects.toThrow(/no rollouts of these/);
  }); // prettier-ignore
});

describe("rankCorrelation", () => {
  it("is Spearman's, with ties at their mean rank", () => {
    expect(rankCorrelation([1, 2, 3], [10, 20, 30])).toBe(1);
    expect(rankCorrelation([1, 2, 3], [3, 2, 1])).toBe(-1);
    // By hand: ranks 1, 2.5, 2.5, 4 against 1, 2, 3, 4.
    expect(rankCorrelation([1, 2, 2, 3], [1, 2, 3, 4])).toBeCloseTo(4.5 / Math.sqrt(4.5 * 5), 12);
    expect(rankCorrelation([1, 1], [1, 2])).toBeNaN();
  });
});
