import { describe, expect, it } from "vitest";
import type { RunEvent } from "../runs/train.js";
import { clock, createProgress, secondsLeft } from "./progress.js";

const spread = (mean: number) => ({ mean, std: 0, groupStd: 0 });
const event = (step: number, seconds: number) =>
  ({
    kind: "grpo",
    steps: 100,
    seconds,
    step: {
      step,
      metrics: {
        reward: spread(1.25),
        format: spread(1),
        look: spread(0.4),
        accuracy: spread(0.5),
        f1: 0.47,
        kl: 0.0031,
        tokensPerSecond: 1234.5,
        seconds: { total: 2 },
      },
    },
  }) as unknown as RunEvent;

describe("createProgress", () => {
  it("tells step, time left, rewards by part, F1, KL and speed", () => {
    const line = createProgress({ minutes: 5 });
    // eslint-disable-next-line no-control-regex
    const plain = (one: RunEvent) => line(one)!.replaceAll(/\u001b\[\d+m/g, "");
    expect(plain(event(1, 2))).toBe(
      "step 1  3:18 left  reward 1.25 (format 1.00 look .40 acc .50)  F1 .47  KL 0.0031  1235 tok/s",
    );
    // The limit of 5 minutes is nearer than 100 steps at this pace.
    expect(plain(event(3, 290))).toContain("0:10 left");
    expect(line({ kind: "checkpoint", step: 1 })).toBeUndefined();
  });

  it("works the pace out from the steps of this process alone", () => {
    expect(secondsLeft({ step: 60, steps: 100, seconds: 1020 }, { step: 50, seconds: 1000 }, {})).toBe(80);
  });
});

describe("clock", () => {
  it.each([
    [0, "0:00"],
    [65.4, "1:05"],
    [3725, "1:02:05"],
    [-3, "0:00"],
  ])("%d seconds are %s", (seconds, text) => expect(clock(seconds)).toBe(text));
});
