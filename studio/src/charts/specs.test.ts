import { describe, expect, it } from "vitest";
import { chartsOf } from "./specs.js";

const titles = (keys: string[], several = false) =>
  chartsOf(new Set(keys), several).map(({ title, charts }) => [title, charts.map((chart) => chart.title)]);

describe("chartsOf", () => {
  it("shows only charts that have something to show", () => {
    expect(titles(["reward.mean", "reward.groupStd", "reward.std", "kl", "step"])).toEqual([
      ["Rewards", ["Total reward"]],
      ["Policy", ["KL to the reference"]],
    ]);
  });

  it("gives what it does not know a chart of its own", () => {
    expect(titles(["novelty"])).toEqual([["Others", ["novelty"]]]);
  });

  it("splits charts of several curves where several runs are shown", () => {
    expect(titles(["precision", "recall"], true)).toEqual([
      ["Answers", ["Precision, recall, F1: precision", "Precision, recall, F1: recall"]],
    ]);
  });
});
