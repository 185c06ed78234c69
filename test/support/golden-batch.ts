/** @file The batch of the Hugging Face fixtures (images a, b and c with their completions), and training steps on it. */
import { join } from "node:path";
import { expect } from "vitest";
import type { RgbImage } from "../../src/base/rgb-image.js";
import type { Datum, Prompt } from "../../src/engines/contract.js";
import { createAccumulator, type GradientAccumulator } from "../../src/engines/local/accumulator.js";
import type { ModelContext } from "../../src/engines/local/context.js";
import { openLocalModel, type LocalModel } from "../../src/engines/local/engine.js";
import { createModelState, type ModelState } from "../../src/engines/local/model-state.js";
import { createProgramCache } from "../../src/engines/local/program-cache.js";
import { forwardBackward } from "../../src/engines/local/trainer.js";
import { loadConfig } from "../../src/qwen/config.js";
import { loraNames } from "../../src/qwen/layers.js";
import { loadAdapter } from "../../src/qwen/peft.js";
import { readSafetensors, type StoredTensor } from "../../src/qwen/safetensors.js";
import { loadWeights } from "../../src/qwen/weights.js";
import { createDeviceMemory, type Device } from "../../src/tensor/index.js";
import { fixture, fixtureJson } from "../qwen-fixture.js";

/** The tensors of a golden file, by name. */
export type Golden = ReadonlyMap<string, StoredTensor>;
export const goldenFile = (name: string): Promise<Golden> =>
  readSafetensors(fixture(`golden/${name}.safetensors`));
export const floats = (golden: Golden, name: string) =>
  Float32Array.from(golden.get(name)!.data as ArrayLike<number | bigint>, Number);
export const ints = (golden: Golden, name: string) =>
  Int32Array.from(golden.get(name)!.data as ArrayLike<number | bigint>, Number);

/** |a - b| over the largest |b|: a tensor's relative difference. */
export function relative(a: Float32Array, b: Float32Array): number {
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
export function expectBelow(limit: number, measured: Iterable<readonly [name: string, value: number]>): void {
  expect([...measured].filter(([, value]) => !(value < limit))).toEqual([]);
}

export const IMAGES = ["a", "b", "c"] as const;

/** The fixture's model, opened, with its batch. */
export interface GoldenBatch {
  readonly scalars: Readonly<Record<string, number & Record<string, number> & string[]>>;
  readonly context: ModelContext;
  readonly weights: Map<string, Float32Array>;
  /** One datum an image, weighted so that the loss is the mean over all tokens. */
  readonly data: readonly Datum[];
  readonly text: Golden;
  readonly model: LocalModel;
  /** Cross-entropy of the batch; its gradients go to the accumulator. */
  train(state: ModelState, accumulator: GradientAccumulator): ReturnType<typeof forwardBackward>;
  /** The adapter of the fixtures on the fixture's weights. */
  loraState(): Promise<ModelState>;
  close(): Promise<void>;
}

export function gradientStore(state: ModelState): GradientAccumulator {
  return createAccumulator(
    new Map([...state.trainable].map((name) => [name, state.weights.get(name)!.length])),
  );
}

/** Opens the fixtures on a device. */
export async function openGoldenBatch(device: Device): Promise<GoldenBatch> {
  const modelDir = fixture("model");
  const { scalars } = fixtureJson<Pick<GoldenBatch, "scalars">>("golden/manifest.json");
  const config = await loadConfig(modelDir);
  const weights = await loadWeights(modelDir, config);
  const text = await goldenFile("text");
  const vision = await goldenFile("vision");
  const model = await openLocalModel({ modelDir, device });
  const memory = createDeviceMemory(device);
  const context: ModelContext = {
    config,
    imageConfig: model.processor.image,
    device,
    ...(memory && { memory }),
    adapters: new Map(),
    key: "test",
    programs: createProgramCache(16),
  };
  const data = IMAGES.map((name) => goldenDatum(name, scalars[`${name}.prompt_length`]!, text, vision));
  const tokens = data.reduce((sum, datum) => sum + datum.tokens.length, 0);
  for (const datum of data) datum.weights.fill(1 / tokens);
  return {
    scalars,
    context,
    weights,
    data,
    text,
    model,
    train: (state, accumulator) =>
      forwardBackward(
        {
          context: { ...context, adapters: state.adapters, key: `${state.adapters.size}` },
          state,
          accumulator,
          tokenBudget: 4096,
        },
        data,
        { kind: "crossEntropy" },
      ),
    async loraState() {
      const { rank, alpha, modules } = await loadAdapter(join(fixture(), "lora"), config);
      const state = createModelState(
        config,
        weights,
        { kind: "lora", rank, alpha, modules: [...modules.keys()] },
        0,
      );
      for (const [module, { a, b }] of modules) {
        const names = loraNames(module);
        state.weights.get(names.a)!.set(a);
        state.weights.get(names.b)!.set(b);
      }
      return state;
    },
    async close() {
      await model.close();
      await context.programs.close();
      await memory?.close();
    },
  };
}

/** Image and ids of the fixtures, as a prompt with its completion. */
function goldenDatum(name: string, promptLength: number, text: Golden, vision: Golden): Datum {
  const resized = vision.get(`${name}.resized_u8`)!;
  const [height, width] = resized.shape as [number, number];
  const image: RgbImage = { width, height, data: Uint8Array.from(resized.data as Uint8Array) };
  const ids = ints(text, `${name}.input_ids`);
  const isImage = ints(text, `${name}.mm_token_type_ids`);
  const first = isImage.indexOf(1);
  const last = isImage.lastIndexOf(1) + 1;
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
