/** @file The example is the algorithm: its numbers are the library's. */
import { describe, expect, it } from "vitest";
import { grpo as example, type Hyperparameters, type Step } from "../examples/grpo.js";
import { defaultRewardConfig } from "../src/rewards/index.js";
import { generatedSource, grpo, grpoDefaults, type GrpoStep } from "../src/rl/index.js";
import { createFakeEngine, fakeCodec, fakeEncode, fakeSample } from "./support/fake-engine.js";

const hyper: Hyperparameters = {
  seed: 5,
  steps: 3,
  imagesPerStep: 4,
  groupSize: 6,
  maxTokens: 14,
  temperature: 0.9,
  iterations: 1,
  clip: 0.2,
  beta: 0.04,
  boxMix: 0,
  learningRate: 0.05,
  maxGradNorm: 1,
  rewards: defaultRewardConfig,
};

async function all<T>(steps: AsyncGenerator<T>): Promise<T[]> {
  const out: T[] = [];
  for await (const step of steps) out.push(step);
  return out;
}

describe.each([
  ["as published", { boxMix: 0 }],
  ["with credit by box", { boxMix: 0.7 }],
  ["with several optimiser steps a batch", { iterations: 4, learningRate: 0.2 }],
])("examples/grpo.ts %s", (_, over) => {
  it("has the library's numbers over 3 steps", async () => {
    const { boxMix, ...numbers } = { ...hyper, ...over };
    const [ours, theirs] = [createFakeEngine(), createFakeEngine()];
    const steps: Step[] = await all(
      example(ours, (index) => fakeEncode(fakeSample(index)), fakeCodec, { ...numbers, boxMix }),
    );
    const expected: GrpoStep[] = await all(
      grpo({
        engine: theirs,
        source: generatedSource(fakeSample),
        encode: fakeEncode,
        codec: fakeCodec,
        config: {
          ...grpoDefaults,
          ...numbers,
          clip: { low: numbers.clip, high: numbers.clip },
          sampling: { temperature: numbers.temperature, maxTokens: numbers.maxTokens },
          credit: boxMix === 0 ? { kind: "response" } : { kind: "box", mix: boxMix },
          optimizer: { learningRate: numbers.learningRate, maxGradNorm: numbers.maxGradNorm },
        },
      }),
    );
    expect(steps).toHaveLength(3);
    steps.forEach((step, i) => {
      const { metrics, groups } = expected[i]!;
      expect(step.reward).toBeCloseTo(metrics.reward.mean, 12);
      expect(step.f1).toBeCloseTo(metrics.f1, 12);
      expect(step.loss).toBeCloseTo(metrics.loss, 12);
      expect(step.kl).toBeCloseTo(metrics.kl, 12);
      expect(step.clipShare).toBeCloseTo(metrics.clipShare, 12);
      expect(step.gradNorm).toBeCloseTo(metrics.gradNorm, 12);
      expect(step.advantages).toEqual(
        groups.map((group) => group.responses.map(({ advantage }) => advantage)),
      );
    });
    expect(ours.logits).toEqual(theirs.logits);
    expect(steps.every(({ gradNorm }) => gradNorm > 0)).toBe(true);
    // The clip is at work exactly where the weights move within a batch.
    expect(steps.some(({ clipShare }) => clipShare > 0)).toBe(numbers.iterations > 1);
  });
});
