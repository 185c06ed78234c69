/** @file The local engine against Hugging Face's numbers, on whichever device: registers the tests of a `describe`. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { createModelState, type ModelState } from "../../src/engines/local/model-state.js";
import { adamWStep, initialAdamW, type Device } from "../../src/tensor/index.js";
import {
  expectBelow,
  floats,
  goldenFile,
  gradientStore,
  IMAGES,
  ints,
  openGoldenBatch,
  relative,
  type GoldenBatch,
} from "./golden-batch.js";

/** How far a device's numbers may be from Hugging Face's. */
export interface GoldenLimits {
  /** Of a token's log-probability, in nats. */
  readonly logprob: number;
  readonly loss: number;
  /** Of a gradient, over its largest element; of its norm, over the norm. */
  readonly gradient: number;
  /** Share of a tensor's elements that an AdamW step may move elsewhere by more than 1e-6. */
  readonly movedElsewhere: number;
  /** Also three steps of AdamW, as the fixtures took them. @default true */
  readonly adamw?: boolean;
}

/** Registers the tests; gives a function for the batch, which is there while tests run. */
export function goldenSuite(device: Device, limits: GoldenLimits): () => GoldenBatch {
  const { adamw = true } = limits;
  let golden: GoldenBatch;
  beforeAll(async () => {
    golden = await openGoldenBatch(device);
  });
  afterAll(() => golden.close());

  it(`scores completions within ${limits.logprob}, alone and in one padded batch`, async () => {
    const { model, data, text } = golden;
    const together = await model.sampler.logprobsBatch(data);
    for (const [i, name] of IMAGES.entries()) {
      const expected = floats(text, `${name}.completion_logprobs`);
      const alone = await model.sampler.logprobs(data[i]!.prompt, data[i]!.tokens);
      expect(alone.length).toBe(expected.length);
      const off = [alone, together[i]!].flatMap((ours) =>
        [...expected].map((value, t) => [`${name} ${t}`, Math.abs(ours[t]! - value)] as const),
      );
      expectBelow(limits.logprob, off);
    }
  });

  it("decodes the golden ids greedily", async () => {
    const decode = await goldenFile("decode");
    const params = { n: 1, maxTokens: 16, temperature: 0, seed: 0, stop: [] };
    const rollouts = await golden.model.sampler.sampleBatch(
      golden.data.map(({ prompt }) => prompt),
      golden.data.map(() => params),
    );
    for (const [i, name] of IMAGES.entries()) {
      expect(rollouts[i]![0]!.tokens).toEqual(ints(decode, `${name}.greedy_ids`));
    }
  });

  it(`gives every gradient within ${limits.gradient} of its largest element, and the loss within ${limits.loss}`, async () => {
    const { context, weights, scalars } = golden;
    const expected = await goldenFile("grads_full");
    const state = createModelState(context.config, weights, { kind: "full" }, 0);
    const accumulator = gradientStore(state);
    const { loss } = await golden.train(state, accumulator);
    expect(Math.abs(loss - scalars["full.step1.loss"]!)).toBeLessThan(limits.loss);
    const gradients = accumulator.read();
    const hidden = context.config.text.hiddenSize;
    const off = [...expected.keys()].map((name) => {
      const rows = /^(.*)\.rows992_1040$/.exec(name)?.[1];
      const ours = rows === undefined ? gradients.get(name)! : gradients.get(rows)!.subarray(992 * hidden);
      return [name, relative(ours, floats(expected, name))] as const;
    });
    expectBelow(limits.gradient, off);
    const norms = scalars["full.grad_norms"]!;
    expect(new Set(Object.keys(norms))).toEqual(new Set(gradients.keys()));
    expectBelow(
      limits.gradient,
      Object.entries(norms).map(([name, norm]) => [
        name,
        Math.abs(Math.hypot(...gradients.get(name)!) - norm) / norm,
      ]),
    );
  });

  /** Three steps of AdamW as the fixtures took them; gives how many were taken. */
  async function threeSteps(tag: "full" | "lora", state: ModelState): Promise<number> {
    const { scalars, context } = golden;
    const expected = await goldenFile(`adamw_${tag}`);
    const accumulator = gradientStore(state);
    const parameters = new Map([...state.trainable].map((name) => [name, state.weights.get(name)!]));
    let optimizer = initialAdamW(parameters);
    for (let step = 1; step <= 3; step++) {
      const { loss } = await golden.train(state, accumulator);
      expect(Math.abs(loss - scalars[`${tag}.step${step}.loss`]!)).toBeLessThan(limits.loss);
      const taken = adamWStep(parameters, accumulator.read(), optimizer, {
        learningRate: 1e-3,
        weightDecay: 0.01,
        maxGradNorm: 1,
      });
      accumulator.reset();
      context.memory?.changed(parameters.values());
      optimizer = taken.state;
      const norm = scalars[`${tag}.step${step}.total_grad_norm`]!;
      expect(Math.abs(taken.gradNorm - norm) / norm).toBeLessThan(limits.loss);
      for (const name of expected.keys()) {
        const parameter = new RegExp(`^step${step}\\.(.*)$`).exec(name)?.[1];
        if (parameter === undefined) continue;
        // An element whose gradient is at rounding level may move by up to the learning rate either way.
        const differences = floats(expected, name).map((value, i) =>
          Math.abs(value - parameters.get(parameter)![i]!),
        );
        const off = differences.filter((difference) => difference > 1e-6).length;
        expectBelow(limits.movedElsewhere, [[name, off / differences.length]]);
        expectBelow(2e-3, [[name, Math.max(...differences)]]);
      }
    }
    const { loss } = await golden.train(state, accumulator);
    expect(Math.abs(loss - scalars[`${tag}.loss_after_3_steps`]!)).toBeLessThan(1e-4);
    return optimizer.step;
  }

  it.runIf(adamw)("follows AdamW for three steps", async () => {
    const { context, weights } = golden;
    const copies = new Map([...weights].map(([name, value]) => [name, value.slice()]));
    const state = createModelState(context.config, copies, { kind: "full" }, 0);
    expect(await threeSteps("full", state)).toBe(3);
  });

  it("trains LoRA as PEFT does: gradients, AdamW, and nothing else moves", async () => {
    const state = await golden.loraState();
    const expected = await goldenFile("grads_lora");
    const batch = await goldenFile("batch");
    const accumulator = gradientStore(state);
    const { logprobs } = await golden.train(state, accumulator);
    const rows = floats(batch, "lora.logprobs");
    const width = batch.get("lora.logprobs")!.shape[1]!;
    logprobs.forEach((ours, row) => {
      const theirs = rows.subarray(row * width, (row + 1) * width).filter((value) => value !== 0);
      expectBelow(
        limits.logprob,
        [...ours].map((value, t) => [`${row} ${t}`, Math.abs(value - theirs[t]!)]),
      );
    });
    const gradients = accumulator.read();
    expect(new Set(gradients.keys())).toEqual(new Set(expected.keys()));
    expectBelow(
      limits.gradient,
      [...expected.keys()].map((name) => [name, relative(gradients.get(name)!, floats(expected, name))]),
    );
    accumulator.reset();
    const { weights } = golden;
    const before = weights.get("model.language_model.norm.weight")!.slice();
    if (adamw) await threeSteps("lora", state);
    expect(weights.get("model.language_model.norm.weight")).toEqual(before);
  });

  it("samples what it scores: sampled log-probabilities equal the training forward's to 1e-4", async () => {
    const { model, data, context } = golden;
    const params = { n: 4, maxTokens: 40, temperature: 0.8, topP: 0.95, topK: 50, seed: 7, stop: [] };
    for (const { prompt } of data) {
      const rollouts = await model.sampler.sample(prompt, params);
      const scored = await model.sampler.logprobsBatch(
        rollouts.map(({ tokens }) => ({ prompt, tokens })),
        params.temperature,
      );
      rollouts.forEach(({ logprobs }, i) => {
        expectBelow(
          1e-4,
          [...logprobs].map((value, t) => [`${i} ${t}`, Math.abs(value - scored[i]![t]!)]),
        );
      });
      expect(new Set(rollouts.map(({ tokens }) => tokens.join(" "))).size).toBe(4);
      expect(rollouts.flatMap(({ tokens }) => [...tokens])).not.toContain(context.config.tokens.image);
    }
  });

  return () => golden;
}
