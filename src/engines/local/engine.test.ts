import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { RgbImage } from "../../base/rgb-image.js";
import { readJsonIfAny } from "../../qwen/files.js";
import { loadConfig } from "../../qwen/config.js";
import { loraNames } from "../../qwen/layers.js";
import { loadAdapter } from "../../qwen/peft.js";
import { readSafetensors, type StoredTensor } from "../../qwen/safetensors.js";
import { loadWeights } from "../../qwen/weights.js";
import { initialAdamW, adamWStep } from "../../tensor/index.js";
import type { Datum, Prompt } from "../contract.js";
import { createAccumulator, type GradientAccumulator } from "./accumulator.js";
import type { ModelContext } from "./context.js";
import { createLocalEngine, openLocalModel, type LocalModel } from "./engine.js";
import { createModelState, type ModelState } from "./model-state.js";
import { createProgramCache } from "./program-cache.js";
import { forwardBackward } from "./trainer.js";

const fixtures = fileURLToPath(new URL("../../../test/fixtures/qwen2_5_vl/", import.meta.url));
const modelDir = join(fixtures, "model");

type Golden = ReadonlyMap<string, StoredTensor>;
const floats = (golden: Golden, name: string) =>
  Float32Array.from(golden.get(name)!.data as ArrayLike<number | bigint>, Number);
const ints = (golden: Golden, name: string) =>
  Int32Array.from(golden.get(name)!.data as ArrayLike<number | bigint>, Number);

/** |a - b| over the largest |b|: a tensor's relative difference. */
function relative(a: Float32Array, b: Float32Array): number {
  expect(a.length).toBe(b.length);
  let worst = 0;
  let largest = 0;
  for (let i = 0; i < b.length; i++) {
    worst = Math.max(worst, Math.abs(a[i]! - b[i]!));
    largest = Math.max(largest, Math.abs(b[i]!));
  }
  return largest === 0 ? worst : worst / largest;
}

/** Expects every measured number to be below a limit; failures name what they measured. */
function expectBelow(limit: number, measured: Iterable<readonly [name: string, value: number]>): void {
  expect([...measured].filter(([, value]) => !(value < limit))).toEqual([]);
}

/** The batch of the fixtures: images a, b and c with their completions. */
describe("the local engine equals Hugging Face", () => {
  let scalars: Readonly<Record<string, number & Record<string, number> & string[]>>;
  let context: ModelContext;
  let weights: Map<string, Float32Array>;
  let data: Datum[];
  let text: Golden;
  let batch: Golden;
  let model: LocalModel;

  beforeAll(async () => {
    const manifest = (await readJsonIfAny(join(fixtures, "golden/manifest.json"))) as {
      scalars: typeof scalars;
    };
    ({ scalars } = manifest);
    const config = await loadConfig(modelDir);
    model = await openLocalModel({ modelDir });
    weights = await loadWeights(modelDir, config);
    text = await readSafetensors(join(fixtures, "golden/text.safetensors"));
    batch = await readSafetensors(join(fixtures, "golden/batch.safetensors"));
    const vision = await readSafetensors(join(fixtures, "golden/vision.safetensors"));
    context = {
      config,
      imageConfig: model.processor.image,
      device: "cpu",
      adapters: new Map(),
      key: "test",
      programs: createProgramCache(16),
    };
    data = ["a", "b", "c"].map((name) => goldenDatum(name, vision));
    const tokens = data.reduce((sum, datum) => sum + datum.tokens.length, 0);
    for (const datum of data) datum.weights.fill(1 / tokens);
  });
  afterAll(async () => {
    await model.close();
    await context.programs.close();
  });

  /** Image and ids of the fixtures, as a prompt with its completion. */
  function goldenDatum(name: string, vision: Golden): Datum {
    const resized = vision.get(`${name}.resized_u8`)!;
    const [height, width] = resized.shape as [number, number];
    const image: RgbImage = { width, height, data: Uint8Array.from(resized.data as Uint8Array) };
    const ids = ints(text, `${name}.input_ids`);
    const isImage = ints(text, `${name}.mm_token_type_ids`);
    const first = isImage.indexOf(1);
    const last = isImage.lastIndexOf(1) + 1;
    const promptLength = scalars[`${name}.prompt_length`]!;
    const prompt: Prompt = {
      chunks: [
        { kind: "text", tokens: ids.slice(0, first) },
        { kind: "image", image, tokens: last - first },
        { kind: "text", tokens: ids.slice(last, promptLength) },
      ],
    };
    const tokens = ids.slice(promptLength);
    return { prompt, tokens, weights: new Float32Array(tokens.length) };
  }

  function train(state: ModelState, accumulator: GradientAccumulator, adapters = context.adapters) {
    return forwardBackward(
      { context: { ...context, adapters, key: `${adapters.size}` }, state, accumulator, tokenBudget: 4096 },
      data,
      { kind: "crossEntropy" },
    );
  }

  function gradientStore(state: ModelState): GradientAccumulator {
    return createAccumulator(
      new Map([...state.trainable].map((name) => [name, state.weights.get(name)!.length])),
    );
  }

  it("scores completions within 2e-5, alone and in one padded batch", async () => {
    const together = await model.sampler.logprobsBatch(data);
    for (const [i, name] of ["a", "b", "c"].entries()) {
      const golden = floats(text, `${name}.completion_logprobs`);
      const alone = await model.sampler.logprobs(data[i]!.prompt, data[i]!.tokens);
      for (let t = 0; t < golden.length; t++) {
        expect(Math.abs(alone[t]! - golden[t]!)).toBeLessThan(2e-5);
        expect(Math.abs(together[i]![t]! - golden[t]!)).toBeLessThan(2e-5);
      }
    }
  });

  it("decodes the golden ids greedily", async () => {
    const decode = await readSafetensors(join(fixtures, "golden/decode.safetensors"));
    const params = { n: 1, maxTokens: 16, temperature: 0, seed: 0, stop: [] };
    const rollouts = await model.sampler.sampleBatch(
      data.map(({ prompt }) => prompt),
      data.map(() => params),
    );
    for (const [i, name] of ["a", "b", "c"].entries()) {
      expect(rollouts[i]![0]!.tokens).toEqual(ints(decode, `${name}.greedy_ids`));
    }
  });

  it("gives every gradient within 2e-5 of its largest element, and the loss within 1e-5", async () => {
    const golden = await readSafetensors(join(fixtures, "golden/grads_full.safetensors"));
    const state = createModelState(context.config, weights, { kind: "full" }, 0);
    const accumulator = gradientStore(state);
    const { loss } = await train(state, accumulator);
    expect(Math.abs(loss - scalars["full.step1.loss"]!)).toBeLessThan(1e-5);
    const gradients = accumulator.read();
    const hidden = context.config.text.hiddenSize;
    const off = [...golden.keys()].map((name) => {
      const rows = /^(.*)\.rows992_1040$/.exec(name)?.[1];
      const ours = rows === undefined ? gradients.get(name)! : gradients.get(rows)!.subarray(992 * hidden);
      return [name, relative(ours, floats(golden, name))] as const;
    });
    expectBelow(2e-5, off);
    const norms = scalars["full.grad_norms"]!;
    expect(new Set(Object.keys(norms))).toEqual(new Set(gradients.keys()));
    expectBelow(
      2e-5,
      Object.entries(norms).map(([name, norm]) => [
        name,
        Math.abs(Math.hypot(...gradients.get(name)!) - norm) / norm,
      ]),
    );
  });

  /** Three steps of AdamW as the fixtures took them; gives how many were taken. */
  async function threeSteps(tag: "full" | "lora", state: ModelState, adapters = context.adapters) {
    const golden = await readSafetensors(join(fixtures, `golden/adamw_${tag}.safetensors`));
    const accumulator = gradientStore(state);
    const parameters = new Map([...state.trainable].map((name) => [name, state.weights.get(name)!]));
    let optimizer = initialAdamW(parameters);
    for (let step = 1; step <= 3; step++) {
      const { loss } = await train(state, accumulator, adapters);
      expect(Math.abs(loss - scalars[`${tag}.step${step}.loss`]!)).toBeLessThan(1e-5);
      const taken = adamWStep(parameters, accumulator.read(), optimizer, {
        learningRate: 1e-3,
        weightDecay: 0.01,
        maxGradNorm: 1,
      });
      accumulator.reset();
      optimizer = taken.state;
      const norm = scalars[`${tag}.step${step}.total_grad_norm`]!;
      expect(Math.abs(taken.gradNorm - norm) / norm).toBeLessThan(1e-5);
      for (const name of golden.keys()) {
        const parameter = new RegExp(`^step${step}\\.(.*)$`).exec(name)?.[1];
        if (parameter === undefined) continue;
        // An element whose gradient is at rounding level may move by up to the learning rate either way.
        const differences = floats(golden, name).map((value, i) =>
          Math.abs(value - parameters.get(parameter)![i]!),
        );
        const off = differences.filter((difference) => difference > 1e-6).length;
        expectBelow(0.02, [[name, off / differences.length]]);
        expectBelow(2e-3, [[name, Math.max(...differences)]]);
      }
    }
    const { loss } = await train(state, accumulator, adapters);
    expect(Math.abs(loss - scalars[`${tag}.loss_after_3_steps`]!)).toBeLessThan(1e-4);
    return optimizer.step;
  }

  it("follows AdamW for three steps", async () => {
    const copies = new Map([...weights].map(([name, value]) => [name, value.slice()]));
    expect(await threeSteps("full", createModelState(context.config, copies, { kind: "full" }, 0))).toBe(3);
  });

  it("trains LoRA as PEFT does: gradients, three steps, and nothing else moves", async () => {
    const adapter = await loadAdapter(join(fixtures, "lora"), context.config);
    const state = createModelState(
      context.config,
      weights,
      { kind: "lora", rank: adapter.rank, alpha: adapter.alpha, modules: [...adapter.modules.keys()] },
      0,
    );
    for (const [module, { a, b }] of adapter.modules) {
      const names = loraNames(module);
      state.weights.get(names.a)!.set(a);
      state.weights.get(names.b)!.set(b);
    }
    const golden = await readSafetensors(join(fixtures, "golden/grads_lora.safetensors"));
    const accumulator = gradientStore(state);
    const { logprobs } = await train(state, accumulator, state.adapters);
    const expected = floats(batch, "lora.logprobs");
    const width = batch.get("lora.logprobs")!.shape[1]!;
    logprobs.forEach((ours, row) => {
      const theirs = expected.subarray(row * width, (row + 1) * width).filter((value) => value !== 0);
      ours.forEach((value, t) => expect(Math.abs(value - theirs[t]!)).toBeLessThan(2e-5));
    });
    const gradients = accumulator.read();
    expect(new Set(gradients.keys())).toEqual(new Set(golden.keys()));
    expectBelow(
      2e-5,
      [...golden.keys()].map((name) => [name, relative(gradients.get(name)!, floats(golden, name))]),
    );
    accumulator.reset();
    const before = weights.get("model.language_model.norm.weight")!.slice();
    await threeSteps("lora", state, state.adapters);
    expect(weights.get("model.language_model.norm.weight")).toEqual(before);
  });

  it("samples what it scores: sampled log-probabilities equal the training forward's to 1e-4", async () => {
    const params = { n: 4, maxTokens: 40, temperature: 0.8, topP: 0.95, topK: 50, seed: 7, stop: [] };
    for (const { prompt } of data) {
      const rollouts = await model.sampler.sample(prompt, params);
      const scored = await model.sampler.logprobsBatch(
        rollouts.map(({ tokens }) => ({ prompt, tokens })),
        params.temperature,
      );
      rollouts.forEach(({ logprobs }, i) => {
        logprobs.forEach((value, t) => expect(Math.abs(value - scored[i]![t]!)).toBeLessThan(1e-4));
      });
      expect(new Set(rollouts.map(({ tokens }) => tokens.join(" "))).size).toBe(4);
      expect(rollouts.flatMap(({ tokens }) => [...tokens])).not.toContain(context.config.tokens.image);
    }
  });

  it("goes on from a checkpoint as if nothing had happened", async () => {
    const folder = await mkdtemp(join(tmpdir(), "dip-engine-"));
    const adam = { learningRate: 1e-3, weightDecay: 0.01, maxGradNorm: 1 };
    const step = async (engine: Awaited<ReturnType<typeof createLocalEngine>>) => {
      const { loss } = await engine.forwardBackward(data, { kind: "crossEntropy" });
      await engine.optimStep(adam);
      return loss;
    };
    try {
      const whole = await createLocalEngine({ modelDir });
      await step(whole);
      const checkpoint = await whole.save(join(folder, "one"));
      const expected = [await step(whole), await step(whole)];
      const again = await createLocalEngine({ modelDir });
      await again.load(checkpoint);
      expect([await step(again), await step(again)]).toEqual(expected);
      await Promise.all([whole.close(), again.close()]);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
