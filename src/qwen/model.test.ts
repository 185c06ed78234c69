import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, it } from "vitest";
import { additiveKeyMask, compile, input, type Tensor, type TensorData } from "../tensor/index.js";
import { loadConfig, VISION_ROPE_THETA, type QwenConfig } from "./config.js";
import { languageHead, languageModel } from "./language-model.js";
import { weightInputs } from "./layers.js";
import { textRopeTables, visionRopeTables } from "./rope-tables.js";
import { readSafetensors, type StoredTensor } from "./safetensors.js";
import { visionTower, type SegmentTensors } from "./vision-tower.js";
import { loadWeights } from "./weights.js";

const fixtures = fileURLToPath(new URL("../../test/fixtures/qwen2_5_vl/", import.meta.url));

type Golden = ReadonlyMap<string, StoredTensor>;
const numbers = (golden: Golden, name: string) =>
  Float32Array.from(golden.get(name)!.data as ArrayLike<number | bigint>, Number);
const integers = (golden: Golden, name: string) =>
  Int32Array.from(golden.get(name)!.data as ArrayLike<number | bigint>, Number);

function maxDifference(a: TensorData, b: Float32Array): number {
  expect(a.length).toBe(b.length);
  let worst = 0;
  for (let i = 0; i < b.length; i++) worst = Math.max(worst, Math.abs(Number(a[i]) - b[i]!));
  return worst;
}

describe("Qwen2.5-VL's graphs equal Hugging Face", () => {
  let config: QwenConfig;
  let weights: Map<string, Float32Array>;
  let vision: Golden;
  let text: Golden;

  beforeAll(async () => {
    config = await loadConfig(join(fixtures, "model"));
    weights = await loadWeights(join(fixtures, "model"), config);
    vision = await readSafetensors(join(fixtures, "golden/vision.safetensors"));
    text = await readSafetensors(join(fixtures, "golden/text.safetensors"));
  });

  /** Segments from cumulative bounds, padded to the longest. */
  function segments(name: string, bounds: Int32Array, feeds: Record<string, TensorData>): SegmentTensors {
    const count = bounds.length - 1;
    const lengths = Array.from({ length: count }, (_, s) => bounds[s + 1]! - bounds[s]!);
    const size = Math.max(...lengths);
    const patches = bounds[count]!;
    const gather = new Int32Array(count * size);
    const scatter = new Int32Array(patches);
    const seen = new Uint8Array(count * size);
    lengths.forEach((length, s) => {
      for (let i = 0; i < length; i++) {
        gather[s * size + i] = bounds[s]! + i;
        scatter[bounds[s]! + i] = s * size + i;
        seen[s * size + i] = 1;
      }
    });
    feeds[`${name}_gather`] = gather;
    feeds[`${name}_scatter`] = scatter;
    feeds[`${name}_mask`] = additiveKeyMask(seen);
    return {
      segments: count,
      size,
      padding: {
        gather: input(`${name}_gather`, [count * size], "int32"),
        scatter: input(`${name}_scatter`, [patches], "int32"),
        mask: input(`${name}_mask`, [count, 1, 1, size]),
      },
    };
  }

  /** Rows of x taken by merged units in window order. */
  function toWindowOrder(x: Float32Array, order: Int32Array, unitRows: number): Float32Array {
    const width = (x.length / order.length / unitRows) * unitRows;
    const out = new Float32Array(x.length);
    order.forEach((unit, i) => out.set(x.subarray(unit * width, (unit + 1) * width), i * width));
    return out;
  }

  it.each(["a", "b", "c"])("vision tower, image %s, within 2e-5", async (image) => {
    const order = integers(vision, `${image}.window_index`);
    const pixels = numbers(vision, `${image}.pixel_values`);
    const hw = numbers(vision, `${image}.hw_position_ids`);
    const patches = hw.length / 2;
    const headDim = config.vision.hiddenSize / config.vision.heads;
    const tables = visionRopeTables(toWindowOrder(hw, order, 4), headDim, VISION_ROPE_THETA);
    const feeds: Record<string, TensorData> = { ...Object.fromEntries(weights), ...tables };
    feeds.pixels = toWindowOrder(pixels, order, 4);
    const out = visionTower(config.vision, weightInputs(), {
      pixels: input("pixels", [patches, pixels.length / patches]),
      cos: input("cos", [patches, headDim / 2]),
      sin: input("sin", [patches, headDim / 2]),
      windows: segments("windows", integers(vision, `${image}.cu_window_seqlens`), feeds),
      frames: segments("frames", integers(vision, `${image}.cu_seqlens`), feeds),
    });
    const outputs: Record<string, Tensor> = { patches: out.patches, merged: out.merged };
    out.blocks.forEach((block, i) => (outputs[`block${i}`] = block));
    const program = await compile(outputs);
    const result = await program.run(feeds);
    const golden = (name: string) => numbers(vision, `${image}.${name}`);
    expect(maxDifference(result.patches!, toWindowOrder(golden("patch_embed"), order, 4))).toBeLessThan(2e-5);
    out.blocks.forEach((_, i) => {
      expect(maxDifference(result[`block${i}`]!, golden(`block${i}`))).toBeLessThan(2e-5);
    });
    expect(maxDifference(result.merged!, toWindowOrder(golden("merged"), order, 1))).toBeLessThan(2e-5);
    await program.close();
  });

  it.each(["a", "b", "c"])("decoder, image %s, hidden states and logits within 5e-5", async (image) => {
    const ids = integers(text, `${image}.input_ids`);
    const isImage = integers(text, `${image}.mm_token_type_ids`);
    const features = numbers(vision, `${image}.merged`);
    const length = ids.length;
    let next = 0;
    const index = Int32Array.from(isImage, (flag) => (flag ? next++ : 0));
    const half = config.text.headDim / 2;
    const outputs = languageModel(config.text, weightInputs(), {
      prompts: 1,
      promptLength: length,
      responses: 0,
      responseLength: 0,
      ids: input("ids", [length], "int32"),
      cos: input("cos", [length, half]),
      sin: input("sin", [length, half]),
      visual: {
        features: input("features", [next, config.text.hiddenSize]),
        index: input("index", [length], "int32"),
        isImage: input("isImage", [length, 1]),
      },
    });
    const logits = languageHead(config.text, weightInputs(), outputs.hidden.at(-1)!);
    const program = await compile({
      logits,
      ...Object.fromEntries(outputs.hidden.map((h, i) => [`hidden${i}`, h])),
    });
    const result = await program.run({
      ...Object.fromEntries(weights),
      ids,
      index,
      features,
      isImage: Float32Array.from(isImage),
      ...textRopeTables(integers(text, `${image}.position_ids`), config.text),
    });
    outputs.hidden.forEach((_, i) => {
      expect(maxDifference(result[`hidden${i}`]!, numbers(text, `${image}.hidden${i}`))).toBeLessThan(2e-5);
    });
    const golden = numbers(text, `${image}.logits`);
    expect(maxDifference(result.logits!.slice(-golden.length), golden)).toBeLessThan(5e-5);
    await program.close();
  });
});
