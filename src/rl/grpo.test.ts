import { describe, expect, it } from "vitest";
import {
  createFakeEngine,
  fakeCodec,
  fakeEncode,
  fakeSample,
  type FakeEngine,
} from "../../test/support/fake-engine.js";
import { defaultRewardConfig } from "../rewards/index.js";
import { generatedSource, type LoopState } from "./batches.js";
import { grpo } from "./grpo.js";
import { grpoDefaults, type GrpoConfig } from "./grpo-config.js";
import type { GrpoStep } from "./grpo-step.js";
import { mean } from "./advantage.js";

const config: GrpoConfig = {
  ...grpoDefaults,
  seed: 1,
  steps: 4,
  imagesPerStep: 4,
  groupSize: 6,
  sampling: { temperature: 1, maxTokens: 14 },
  rewards: defaultRewardConfig,
  optimizer: { learningRate: 0.05, maxGradNorm: 1 },
};

/** A clock that ticks a millisecond whenever it is read. */
const ticking = () => {
  let now = 0;
  return () => now++;
};

function run(
  engine: FakeEngine,
  over: Partial<GrpoConfig> = {},
  state?: LoopState,
): AsyncGenerator<GrpoStep> {
  return grpo({
    engine,
    source: generatedSource(fakeSample),
    encode: fakeEncode,
    codec: fakeCodec,
    config: { ...config, ...over },
    state,
    clock: ticking(),
  });
}

async function all(steps: AsyncGenerator<GrpoStep>): Promise<GrpoStep[]> {
  const out: GrpoStep[] = [];
  for await (const step of steps) out.push(step);
  return out;
}

const average = (steps: readonly GrpoStep[], of: (step: GrpoStep) => number): number => mean(steps.map(of));

describe("grpo", () => {
  it.each([
    ["as published", {}],
    ["credit by box", { credit: { kind: "box" } }],
    ["KL in the reward", { kl: { beta: 0.04, estimator: "k3", placement: "reward" } }],
    [
      "no KL, Dr. GRPO",
      { kl: { beta: 0, estimator: "k3", placement: "loss" }, advantage: "center", aggregation: "constant" },
    ],
    ["two passes of two minibatches", { iterations: 2, minibatches: 2 }],
  ] as const)("learns: %s", async (_, over) => {
    const steps = await all(run(createFakeEngine(), { steps: 40, ...over }));
    const [early, late] = [steps.slice(0, 5), steps.slice(-5)];
    expect(average(late, ({ metrics }) => metrics.reward.mean)).toBeGreaterThan(
      average(early, ({ metrics }) => metrics.reward.mean) + 0.2,
    );
    expect(average(late, ({ metrics }) => metrics.f1)).toBeGreaterThan(
      average(early, ({ metrics }) => metrics.f1) + 0.1,
    );
  });

  it("goes on from a checkpoint as if it had never stopped", async () => {
    const over = { minibatches: 2, iterations: 2 };
    const unbroken = createFakeEngine();
    const expected = await all(run(unbroken, over));

    const engine = createFakeEngine();
    let state: LoopState | undefined;
    for await (const step of run(engine, over)) {
      if (step.step < 2) continue;
      await engine.save("half");
      state = step.state;
      break;
    }
    // Whatever happened to the weights since then is undone by loading.
    for await (const _ of run(engine, { ...over, seed: 9, steps: 1 })) break;
    await engine.load({ path: "half", step: 2 });
    const rest = await all(run(engine, over, JSON.parse(JSON.stringify(state)) as LoopState));
    expect(rest).toEqual(expected.slice(2));
    expect(engine.logits).toEqual(unbroken.logits);
  });

  it("gives other numbers for another seed, the same for the same", async () => {
    const first = await all(run(createFakeEngine(), { steps: 2 }));
    expect(await all(run(createFakeEngine(), { steps: 2 }))).toEqual(first);
    expect(await all(run(createFakeEngine(), { steps: 2, seed: 2 }))).not.toEqual(first);
  });

  it("accumulates gradients: a token budget changes the calls, not the weights", async () => {
    const [whole, pieces] = [createFakeEngine(), createFakeEngine()];
    await all(run(whole));
    await all(run(pieces, { tokenBudget: 40 }));
    expect(pieces.calls.forwardBackward).toBeGreaterThan(whole.calls.forwardBackward);
    expect(pieces.calls.optimStep).toBe(whole.calls.optimStep);
    pieces.logits.forEach((value, i) => expect(value).toBeCloseTo(whole.logits[i]!, 9));
  });

  it("asks for a reference only where there is KL, and leaves no sampler open", async () => {
    const engine = createFakeEngine();
    await all(run(engine, { kl: { ...config.kl, beta: 0 } }));
    expect(engine.calls).toMatchObject({ reference: 0, openSamplers: 0 });
    for await (const _ of run(engine)) break;
    expect(engine.calls).toMatchObject({ reference: 1, openSamplers: 0 });
  });

  it("tells what happened", async () => {
    const [step] = await all(run(createFakeEngine(), { steps: 1 }));
    const { metrics, groups } = step!;
    const responses = groups.flatMap((group) => group.responses);
    expect(responses).toHaveLength(24);
    expect(groups.map(({ sampleId }) => sampleId)).toEqual(["fake-0", "fake-1", "fake-2", "fake-3"]);
    for (const group of groups)
      expect(mean(group.responses.map(({ advantage }) => advantage))).toBeCloseTo(0, 9);
    expect(metrics.reward.mean).toBeCloseTo(mean(responses.map(({ total }) => total)), 12);
    expect(metrics.responseTokens.mean).toBeCloseTo(mean(responses.map(({ tokens }) => tokens)), 12);
    const { strict, repaired, truncated, none } = metrics.grades;
    expect(strict + repaired + truncated + none).toBeCloseTo(1, 12);
    const hits = responses.reduce((sum, { truePositives }) => sum + truePositives, 0);
    expect(metrics.recall).toBeCloseTo(hits / (2 * responses.length), 12);
    // The fake's trainer is its sampler, and the first pass has not moved yet.
    expect(metrics).toMatchObject({ logprobGap: 0, clipShare: 0, meanRatio: 1, kl: 0, optimizerSteps: 1 });
    expect(metrics.effectiveSampleShare).toBeCloseTo(1, 12);
    expect(metrics.entropy).toBeGreaterThan(0);
    expect(metrics.gradNorm).toBeGreaterThan(0);
    expect(metrics.seconds.total).toBeGreaterThan(metrics.seconds.sample);
    expect(JSON.parse(JSON.stringify(metrics))).toEqual(metrics);
  });

  it("moves away from the reference, and the KL says so", async () => {
    const steps = await all(run(createFakeEngine(), { steps: 8 }));
    expect(steps.at(-1)!.metrics.kl).toBeGreaterThan(steps[1]!.metrics.kl);
  });

  it("learns nothing from cut-off responses where they are masked", async () => {
    const engine = createFakeEngine();
    const before = engine.logits.slice();
    // No response can end within two tokens.
    const [step] = await all(
      run(engine, { steps: 1, maskTruncated: true, sampling: { temperature: 1, maxTokens: 2 } }),
    );
    expect(step!.metrics).toMatchObject({ truncatedShare: 1, optimizerSteps: 0, gradNorm: 0, loss: 0 });
    expect(engine.logits).toEqual(before);
  });

  it("computes old log-probabilities again where asked, at the sampling temperature", async () => {
    const sampling = { temperature: 0.7, maxTokens: 14 };
    const [sampled, recomputed] = [createFakeEngine(), createFakeEngine()];
    await all(run(sampled, { sampling }));
    await all(run(recomputed, { sampling, oldLogprobs: "recomputed" }));
    expect(recomputed.logits).toEqual(sampled.logits);
  });

  it("refuses what cannot work before the first step", async () => {
    await expect(all(run(createFakeEngine(), { groupSize: 1 }))).rejects.toThrow(/at least 2/);
    await expect(
      all(run(createFakeEngine(), { sampling: { temperature: 0, maxTokens: 4 } })),
    ).rejects.toThrow(/greedy/);
    await expect(all(run(createFakeEngine({ klInLoss: false })))).rejects.toThrow(/no KL term/);
    await expect(all(run(createFakeEngine({ losses: [] })))).rejects.toThrow(/no policy loss/);
    const placed = run(createFakeEngine({ klInLoss: false }), {
      steps: 1,
      kl: { ...config.kl, placement: "reward" },
    });
    expect(await all(placed)).toHaveLength(1);
  });

  it("stops at a loss that is no number, before the weights take it", async () => {
    const engine = createFakeEngine();
    const before = engine.logits.slice();
    const broken = { ...engine, forwardBackward: () => Promise.resolve({ loss: Number.NaN, logprobs: [] }) };
    await expect(all(run(broken))).rejects.toThrow(/loss of step 1 is NaN/);
    expect(engine.logits).toEqual(before);
    expect(engine.calls.openSamplers).toBe(0);
  });
});
