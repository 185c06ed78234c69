import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { picturePrompt, teacherDatum, tinyModel } from "../../../test/support/tiny-model.js";
import type { RgbImage } from "../../base/rgb-image.js";
import type { Box } from "../../geometry/box.js";
import { TEXT_TARGETS } from "../../qwen/lora-targets.js";
import { loadAdapter, mergeAdapter } from "../../qwen/peft.js";
import { loadProcessor } from "../../qwen/processor.js";
import { loadWeights } from "../../qwen/weights.js";
import type { Datum, Loss } from "../contract.js";
import { createAccumulator } from "./accumulator.js";
import { createLocalEngine, openLocalModel, type LocalEngine, type LocalEngineOptions } from "./engine.js";
import { createModelState, isVisionName } from "./model-state.js";
import { createProgramCache } from "./program-cache.js";
import { forwardBackward } from "./trainer.js";

const sft: Loss = { kind: "crossEntropy" };
const adam = { learningRate: 3e-3, maxGradNorm: 1 };
let folder = "";
let data: Datum[];
const open: LocalEngine[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "dip-training-"));
  const processor = await loadProcessor(tinyModel);
  const texts = [
    "<answer>[[1,2,30,40]]</answer>",
    "two people here, one of them behind a car",
    "none",
  ] as const;
  data = await Promise.all(
    (["a", "b", "c"] as const).map(async (name, i) =>
      teacherDatum(processor, await picturePrompt(processor, name), texts[i]!),
    ),
  );
});
afterAll(async () => {
  await Promise.all(open.map((engine) => engine.close()));
  await rm(folder, { recursive: true });
});

async function engineOf(options: Partial<LocalEngineOptions> = {}): Promise<LocalEngine> {
  const engine = await createLocalEngine({ modelDir: tinyModel, ...options });
  open.push(engine);
  return engine;
}

async function steps(engine: LocalEngine, count: number): Promise<number[]> {
  const losses: number[] = [];
  for (let i = 0; i < count; i++) {
    losses.push((await engine.forwardBackward(data, sft)).loss);
    await engine.optimStep(adam);
  }
  return losses;
}

async function logprobsOf(sampler: Awaited<ReturnType<LocalEngine["sampler"]>>): Promise<number[]> {
  const values = (await sampler.logprobsBatch(data)).flatMap((each) => [...each]);
  await sampler.close();
  return values;
}

/** Largest difference over the largest element, over all tensors. */
function farthest(a: ReadonlyMap<string, Float32Array>, b: ReadonlyMap<string, Float32Array>): number {
  let worst = 0;
  for (const [name, values] of a) {
    const other = b.get(name)!;
    const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-6);
    values.forEach((value, i) => (worst = Math.max(worst, Math.abs(value - other[i]!) / largest)));
  }
  return worst;
}

describe("gradients of a batch", () => {
  let gradientsOf: (
    batches: readonly (readonly Datum[])[],
    tokenBudget?: number,
    loss?: Loss,
  ) => Promise<Map<string, Float32Array>>;
  const programs = createProgramCache(40);
  afterAll(() => programs.close());
  beforeAll(async () => {
    const { config, processor } = await engineOf();
    const weights = await loadWeights(tinyModel, config);
    const state = createModelState(config, weights, { kind: "full" }, 0);
    const sizes = new Map([...state.trainable].map((name) => [name, weights.get(name)!.length]));
    const context = {
      config,
      imageConfig: processor.image,
      device: "cpu" as const,
      adapters: new Map(),
      key: "test",
      programs,
    };
    gradientsOf = async (batches, tokenBudget = 4096, loss = sft) => {
      const accumulator = createAccumulator(sizes);
      for (const batch of batches) {
        await forwardBackward({ context, state, accumulator, tokenBudget }, batch, loss);
      }
      return new Map(accumulator.read());
    };
  });

  it("do not depend on how it is cut into microbatches", async () => {
    expect(farthest(await gradientsOf([data], 4096), await gradientsOf([data], 1))).toBeLessThan(1e-5);
  });

  it("add up over calls as over the union", async () => {
    const split = await gradientsOf([data.slice(0, 1), data.slice(1)]);
    expect(farthest(await gradientsOf([data]), split)).toBeLessThan(1e-5);
  });

  it("count a picture once a response that shows it", async () => {
    const [first] = data as [Datum];
    const twice = await gradientsOf([[first, { ...first, weights: first.weights.map((w) => 2 * w) }]]);
    const thrice = await gradientsOf([[{ ...first, weights: first.weights.map((w) => 3 * w) }]]);
    expect(farthest(thrice, twice)).toBeLessThan(1e-5);
  });

  it("of masked tokens are nothing", async () => {
    const masked = data.map((datum) => ({ ...datum, weights: datum.weights.map(() => 0) }));
    for (const values of (await gradientsOf([masked])).values())
      expect(values.every((v) => v === 0)).toBe(true);
  });

  it("stay finite at temperatures so low that padding's ratio to its reference could overflow", async () => {
    const temperature = 0.004;
    const engine = await engineOf();
    const sampler = await engine.sampler();
    const scored = await sampler.logprobsBatch(data, temperature);
    await sampler.close();
    const policy = data.map((datum, i) => ({
      ...datum,
      advantages: datum.weights.map(() => 1),
      oldLogprobs: scored[i]!,
      referenceLogprobs: scored[i]!,
    }));
    for (const klEstimator of ["k1", "k2", "k3"] as const) {
      const loss: Loss = {
        kind: "policy",
        clipLow: 0.2,
        clipHigh: 0.2,
        klBeta: 0.1,
        klEstimator,
        temperature,
      };
      const found = await gradientsOf([policy], 4096, loss);
      expect([...found].filter(([, values]) => !values.every(Number.isFinite)).map(([name]) => name)).toEqual(
        [],
      );
    }
  });

  it("are refused where data lack something", async () => {
    const [first] = data as [Datum];
    await expect(gradientsOf([[{ ...first, prompt: { chunks: [] } }]])).rejects.toThrow(
      "datum 0 has an empty prompt",
    );
    await expect(gradientsOf([[first, { ...first, weights: new Float32Array(1) }]])).rejects.toThrow(
      "datum 1 has",
    );
  });
});

describe("snapshots", () => {
  it("stay what they were while training goes on; the reference stays the base", async () => {
    const engine = await engineOf();
    const base = await logprobsOf(await engine.reference());
    const before = await engine.sampler();
    expect((await before.logprobsBatch(data)).flatMap((each) => [...each])).toEqual(base);
    await steps(engine, 2);
    expect(await logprobsOf(before)).toEqual(base);
    expect(await logprobsOf(await engine.sampler())).not.toEqual(base);
    expect(await logprobsOf(await engine.reference())).toEqual(base);
  });
});

describe("an optimiser step", () => {
  it("that refuses a gradient leaves nothing of it for the next", async () => {
    const engine = await engineOf();
    const [first] = data as [Datum];
    await engine.forwardBackward([{ ...first, weights: first.weights.map(() => Number.NaN) }], sft);
    await expect(engine.optimStep(adam)).rejects.toThrow("weights are untouched");
    const fresh = await engineOf();
    expect(await steps(engine, 1)).toEqual(await steps(fresh, 1));
    expect(await logprobsOf(await engine.sampler())).toEqual(await logprobsOf(await fresh.sampler()));
  });
});

describe("the rate of vectors", () => {
  it("moves gains and biases so many times as far, and matrices as far as before", async () => {
    const moved = async (vectorRateFactor: number) => {
      const engine = await engineOf({ trainable: { kind: "full", freezeVision: true } });
      const base = await loadWeights(tinyModel, engine.config);
      await engine.forwardBackward(data.slice(0, 1), sft);
      await engine.optimStep({ learningRate: 1e-4, vectorRateFactor });
      const path = join(folder, `vectors-${vectorRateFactor}`);
      await engine.exportModel(path);
      const far = (name: string, after: Float32Array) =>
        after.reduce((most, value, i) => Math.max(most, Math.abs(value - base.get(name)![i]!)), 0);
      return new Map([...(await loadWeights(path, engine.config))].map(([name, a]) => [name, far(name, a)]));
    };
    const [plain, apart] = [await moved(1), await moved(20)];
    const ratioOf = (name: string) => apart.get(name)! / plain.get(name)!;
    const at = "model.language_model.layers.0.";
    expect(ratioOf(`${at}input_layernorm.weight`)).toBeCloseTo(20, 1);
    expect(ratioOf(`${at}self_attn.q_proj.bias`)).toBeCloseTo(20, 1);
    expect(ratioOf(`${at}self_attn.q_proj.weight`)).toBe(1);
    expect(ratioOf("model.language_model.embed_tokens.weight")).toBe(1);
  });
});

describe("a frozen vision tower", () => {
  it("does not move, and no graph of its gradients is built", async () => {
    const frozen = await engineOf({ trainable: { kind: "full", freezeVision: true } });
    const whole = await engineOf();
    for (const engine of [frozen, whole]) await engine.forwardBackward(data.slice(0, 1), sft);
    // The tower forward and the decoder; the other one needs the tower's gradients besides.
    expect([frozen.graphsBuilt, whole.graphsBuilt]).toEqual([2, 3]);
    await frozen.optimStep(adam);
    await frozen.exportModel(join(folder, "frozen"));
    const base = await loadWeights(tinyModel, frozen.config);
    for (const [name, value] of await loadWeights(join(folder, "frozen"), frozen.config)) {
      expect([
        name,
        Buffer.compare(Buffer.from(value.buffer), Buffer.from(base.get(name)!.buffer)) === 0,
      ]).toEqual([name, isVisionName(name)]);
    }
  });
});

describe("LoRA, from end to end", () => {
  const trainable = { kind: "lora", rank: 3, alpha: 6, targets: TEXT_TARGETS } as const;

  it("learns, saves what PEFT opens, goes on from it to the bit, and exports what it is", async () => {
    const engine = await engineOf({ trainable, seed: 4 });
    const losses = await steps(engine, 3);
    expect(losses[2]).toBeLessThan(losses[0]!);
    const path = join(folder, "lora");
    const checkpoint = await engine.save(path);
    expect((await readdir(join(path, "adapter"))).toSorted()).toEqual([
      "adapter_config.json",
      "adapter_model.safetensors",
    ]);
    const adapter = await loadAdapter(join(path, "adapter"), engine.config);
    expect(adapter).toMatchObject({ rank: 3, alpha: 6, targets: TEXT_TARGETS, baseModel: tinyModel });

    // Adapters beside the weights, as training computes, and folded into them, as sampling does.
    const { logprobs } = await engine.forwardBackward(data, sft);
    const merged = await logprobsOf(await engine.sampler());
    const beside = logprobs.flatMap((each) => [...each]);
    merged.forEach((value, i) => expect(Math.abs(value - beside[i]!)).toBeLessThan(1e-4));
    const base = await loadWeights(tinyModel, engine.config);
    const inCheckpoint = await loadWeights(path, engine.config);
    for (const [name, value] of mergeAdapter(base, adapter)) expect(value).toEqual(inCheckpoint.get(name));
    await engine.exportModel(join(folder, "exported"));
    const exported = await openLocalModel({ modelDir: join(folder, "exported") });
    expect((await exported.sampler.logprobsBatch(data)).flatMap((each) => [...each])).toEqual(merged);
    await exported.close();

    await engine.load(checkpoint);
    const again = await engineOf({ trainable, seed: 99 });
    await again.load(checkpoint);
    expect(await steps(again, 2)).toEqual(await steps(engine, 2));
    expect(await logprobsOf(await again.sampler())).toEqual(await logprobsOf(await engine.sampler()));
    expect(await logprobsOf(await again.reference())).not.toEqual(merged);
  });

  it("refuses another rank, other layers and another way of training, and leaves the weights as they are", async () => {
    const engine = await engineOf({ trainable });
    await steps(engine, 1);
    const lora = await engine.save(join(folder, "mismatch"));
    const full = await engineOf();
    const whole = await full.save(join(folder, "mismatch-full"));
    const before = await logprobsOf(await full.sampler());
    await expect(full.load(lora)).rejects.toThrow("was trained, in this run it is not");
    expect(await logprobsOf(await full.sampler())).toEqual(before);
    await expect(engine.load(whole)).rejects.toThrow("adapter_config.json: no such file");
    const rank = await engineOf({ trainable: { ...trainable, rank: 2 } });
    await expect(rank.load(lora)).rejects.toThrow(
      "has rank 3 and scale 2, this run asks for rank 2 and scale 3",
    );
    const fewer = await engineOf({ trainable: { ...trainable, targets: ["q_proj"] } });
    await expect(fewer.load(lora)).rejects.toThrow("this run asks for no adapter there");
    const more = await engineOf({ trainable: { ...trainable, targets: "all-linear" } });
    await expect(more.load(lora)).rejects.toThrow("was not trained, in this run it is");
    await expect(engine.load({ path: tinyModel, step: 0 })).rejects.toThrow("engine.json is missing");
  });
});

describe("the dense head of pretraining", () => {
  const instances = () =>
    new Map<RgbImage, Box<"model">[]>(
      data.flatMap(({ prompt }) =>
        prompt.chunks.flatMap((chunk) =>
          chunk.kind === "image" ? [[chunk.image, [{ x1: 10, y1: 10, x2: 40, y2: 60 } as Box<"model">]]] : [],
        ),
      ),
    );
  async function denseSteps(engine: LocalEngine, count: number): Promise<(number | undefined)[]> {
    const losses: (number | undefined)[] = [];
    for (let i = 0; i < count; i++) {
      losses.push((await engine.forwardBackward(data, sft, { instances: instances(), weight: 1 })).denseLoss);
      await engine.optimStep(adam);
    }
    return losses;
  }

  it("learns, and goes on from a checkpoint to the bit; the model in it has no head", async () => {
    const engine = await engineOf({ denseHead: true });
    const first = await denseSteps(engine, 3);
    expect(first[2]).toBeLessThan(first[0]!);
    const checkpoint = await engine.save(join(folder, "dense"));
    const rest = await denseSteps(engine, 2);
    const again = await engineOf({ denseHead: true });
    await again.load(checkpoint);
    expect(await denseSteps(again, 2)).toEqual(rest);
    expect((await loadWeights(join(folder, "dense"), engine.config)).has("dense_head.object.weight")).toBe(
      false,
    );
  });

  it("starts anew where a checkpoint has none, and is left out where a run has none", async () => {
    const plain = await engineOf();
    await steps(plain, 1);
    const checkpoint = await plain.save(join(folder, "headless"));
    const dense = await engineOf({ denseHead: true });
    const [untrained] = await denseSteps(await engineOf({ denseHead: true }), 1);
    await denseSteps(dense, 2);
    await dense.load(checkpoint);
    const [restarted] = await denseSteps(dense, 1);
    // Zeros say the same whatever the tower sees.
    expect(restarted).toBeCloseTo(untrained!, 5);
    await plain.load(await dense.save(join(folder, "headed")));
    expect(await logprobsOf(await plain.sampler())).toEqual(await logprobsOf(await dense.sampler()));
  });
});
