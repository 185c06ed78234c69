import { describe, expect, it } from "vitest";
import {
  createFakeEngine,
  fakeCodec,
  fakeEncode,
  fakeSample,
  type FakeEngine,
} from "../../test/support/fake-engine.js";
import type { Engine, Sampler, SamplerLife } from "../engines/contract.js";
import { defaultRewardConfig } from "../rewards/index.js";
import { mean } from "./advantage.js";
import { generatedSource, startState, type LoopState } from "./batches.js";
import { grpo } from "./grpo.js";
import { grpoDefaults, type GrpoConfig } from "./grpo-config.js";
import type { GrpoStep } from "./grpo-step.js";

const config: GrpoConfig = {
  ...grpoDefaults,
  seed: 1,
  steps: 7,
  imagesPerStep: 2,
  groupSize: 4,
  sampling: { temperature: 1, maxTokens: 14 },
  rewards: defaultRewardConfig,
  optimizer: { learningRate: 0.05, maxGradNorm: 1 },
};

function run(engine: Engine, over: Partial<GrpoConfig>, state?: LoopState): AsyncGenerator<GrpoStep> {
  let now = 0;
  return grpo({
    engine,
    source: generatedSource(fakeSample),
    encode: fakeEncode,
    codec: fakeCodec,
    config: { ...config, ...over },
    state,
    clock: () => now++,
  });
}

/** Steps without what cannot be compared. */
async function all(steps: AsyncGenerator<GrpoStep>): Promise<Omit<GrpoStep, "ahead">[]> {
  const out = [];
  for await (const { ahead: _, ...step } of steps) out.push(step);
  return out;
}

/** Watches what the engine is asked, in order. */
function watched(engine: FakeEngine, capabilities: Partial<Engine["capabilities"]> = {}) {
  const log: string[] = [];
  let steps = 0;
  const wrap = (sampler: Sampler): Sampler => {
    const at = steps;
    return {
      ...sampler,
      async sampleBatch(prompts, params) {
        log.push(`sample from ${at}`);
        // Others get their turn, as they would while a server works.
        for (let i = 0; i < 20; i++) await Promise.resolve();
        const rollouts = await sampler.sampleBatch(prompts, params);
        log.push(`sampled from ${at}`);
        return rollouts;
      },
    };
  };
  const seen: Engine = {
    ...engine,
    capabilities: { ...engine.capabilities, ...capabilities },
    async sampler() {
      // The first step's samplers are all of the same weights.
      if (steps > 0) log.push(`sampler of ${steps}`);
      return wrap(await engine.sampler());
    },
    optimStep(params) {
      steps++;
      log.push(`step ${steps}`);
      return engine.optimStep(params);
    },
  };
  return { engine: seen, log };
}

describe("sampling ahead of training", () => {
  it.each([0, 1, 3])(
    "trains each batch on the weights of %s steps before, and says so",
    async (maxStaleness) => {
      const { engine, log } = watched(createFakeEngine());
      const steps = await all(run(engine, { maxStaleness }));
      const stale = steps.map((_, step) => Math.min(step, maxStaleness));
      expect(steps.map(({ metrics }) => metrics.staleness)).toEqual(stale);
      expect(log.filter((line) => line.startsWith("sample ")).toSorted()).toEqual(
        stale.map((k, step) => `sample from ${step - k}`).toSorted(),
      );
    },
  );

  it("is told apart by the ratio: 1 on policy, that to the sampler's weights otherwise", async () => {
    const [now, ahead] = [createFakeEngine(), createFakeEngine()];
    const fresh = await all(run(now, {}));
    const stale = await all(run(ahead, { maxStaleness: 1 }));
    // The first step is the same, and so is the second batch's policy under which it was sampled: that of the start.
    expect(stale[0]!.groups).toEqual(fresh[0]!.groups);
    expect(stale[1]!.groups).not.toEqual(fresh[1]!.groups);
    for (const { metrics } of fresh) expect(metrics).toMatchObject({ meanRatio: 1, logprobGap: 0 });
    for (const { metrics } of stale.slice(1)) {
      expect(metrics.logprobGap).toBeGreaterThan(0);
      expect(metrics.effectiveSampleShare).toBeLessThan(1);
    }
    expect(now.calls.openSamplers + ahead.calls.openSamplers).toBe(0);
  });

  it("learns at a staleness of 2", async () => {
    const steps = await all(
      run(createFakeEngine(), { steps: 30, imagesPerStep: 4, groupSize: 6, maxStaleness: 2 }),
    );
    const reward = (part: typeof steps) => mean(part.map(({ metrics }) => metrics.reward.mean));
    expect(reward(steps.slice(-5))).toBeGreaterThan(reward(steps.slice(0, 5)) + 0.15);
  });

  it.each(["sampled", "recomputed"] as const)(
    "goes on from any checkpoint to the same batches and weights (old log-probabilities %s)",
    async (oldLogprobs) => {
      const over = { maxStaleness: 2, oldLogprobs, sampling: { temperature: 0.8, maxTokens: 14 } };
      const unbroken = createFakeEngine();
      const expected = await all(run(unbroken, over));
      for (const half of [1, 4, 6]) {
        const engine = createFakeEngine();
        let state: LoopState = startState;
        for await (const step of run(engine, over)) {
          if (step.step < half) continue;
          await engine.save("half");
          const ahead = await step.ahead?.();
          state = JSON.parse(JSON.stringify({ ...step.state, ahead })) as LoopState;
          break;
        }
        expect(state.ahead ?? []).toHaveLength(Math.min(2, config.steps - half));
        expect(engine.calls.openSamplers).toBe(0);
        // Whatever happened to the weights since then is undone by loading.
        await all(run(engine, { seed: 9, steps: 1 }));
        await engine.load({ path: "half", step: half });
        expect(await all(run(engine, over, state))).toEqual(expected.slice(half));
        expect(engine.logits).toEqual(unbroken.logits);
      }
    },
  );

  it("samples while it trains where samplers keep their weights, and before where they do not", async () => {
    const order = async (samplers: SamplerLife) => {
      const { engine, log } = watched(createFakeEngine(), { samplers });
      return { log, steps: await all(run(engine, { steps: 4, maxStaleness: 2 })) };
    };
    const [kept, newest, live] = [await order("kept"), await order("newest"), await order("live")];
    // The numbers are the same on all of them, the order is not.
    expect(newest.steps).toEqual(kept.steps);
    expect(live.steps).toEqual(kept.steps);
    /** What is still being sampled whenever an event of this kind comes. */
    const open = (log: readonly string[], kind: string): number[] => {
      let count = 0;
      return log.flatMap((line) => {
        if (line.startsWith("sample ")) count++;
        if (line.startsWith("sampled ")) count--;
        return line.startsWith(kind) ? [count] : [];
      });
    };
    expect(Math.max(...open(kept.log, "step "))).toBeGreaterThan(0);
    expect(Math.max(...open(newest.log, "sampler "))).toBe(0);
    expect(Math.max(...open(live.log, "step "))).toBe(0);
  });

  it("does not sample what no step will train on", async () => {
    const { engine, log } = watched(createFakeEngine());
    await all(run(engine, { steps: 2, maxStaleness: 5 }));
    expect(log.filter((line) => line.startsWith("sample "))).toHaveLength(2);
  });

  it("goes on where the run is made longer, with fresh weights after its old end", async () => {
    const engine = createFakeEngine();
    let state: LoopState = startState;
    for await (const step of run(engine, { steps: 3, maxStaleness: 1 })) ({ state } = step);
    const rest = await all(run(engine, { steps: 5, maxStaleness: 1 }, state));
    expect(rest.map(({ metrics }) => metrics.staleness)).toEqual([0, 1]);
  });

  it("throws a failure where its batch is due, with nothing left open", async () => {
    const plain = createFakeEngine();
    let calls = 0;
    const engine: Engine = {
      ...plain,
      async sampler() {
        const sampler = await plain.sampler();
        const mine = ++calls;
        return {
          ...sampler,
          sampleBatch: (...args) =>
            mine === 3 ? Promise.reject(new Error("no such weights")) : sampler.sampleBatch(...args),
        };
      },
    };
    const steps: number[] = [];
    await expect(
      (async () => {
        for await (const { step } of run(engine, { maxStaleness: 1 })) steps.push(step);
      })(),
    ).rejects.toThrow("no such weights");
    expect(steps).toEqual([1, 2]);
    expect(plain.calls.openSamplers).toBe(0);
  });

  it("refuses saved batches of another shape, and a staleness that is none", async () => {
    const engine = createFakeEngine();
    const first = await run(engine, { maxStaleness: 1 }).next();
    const step = first.value as GrpoStep;
    const state = { ...step.state, ahead: await step.ahead!() };
    await expect(all(run(engine, { maxStaleness: 1, groupSize: 6 }, state))).rejects.toThrow(
      "saved for step 2 is not of 2 images with 6 responses",
    );
    await expect(all(run(engine, { maxStaleness: -1 }))).rejects.toThrow("maxStaleness must be");
  });
});
