import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { InputError } from "../base/errors.js";
import { compactTokenizer, numberTokenIds } from "./compact-tokenizer.js";
import { loadConfig } from "./config.js";
import { writeUntrainedModel, type UntrainedModelOptions } from "./model-folder.js";
import { loadProcessor } from "./processor.js";
import { loadWeights } from "./weights.js";

const options: UntrainedModelOptions = {
  text: {
    hiddenSize: 16,
    intermediateSize: 24,
    layers: 1,
    heads: 2,
    kvHeads: 1,
    ropeTheta: 1e4,
    mropeSection: [2, 1, 1],
    tieWordEmbeddings: true,
    maxPositions: 64,
  },
  vision: {
    depth: 2,
    hiddenSize: 8,
    intermediateSize: 12,
    heads: 1,
    patchSize: 4,
    mergeSize: 2,
    windowSize: 16,
    fullAttentionBlocks: [1],
  },
  minPixels: 64,
  maxPixels: 1024,
  tokenizer: { words: ["lamp"], labels: ["cat"] },
  seed: 3,
};

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "dip-folder-"));
});
afterAll(() => rm(folder, { recursive: true }));
const bytes = (name: string) => readFile(join(folder, name, "model.safetensors"));

describe("an untrained model's folder", () => {
  it("opens as what was asked for, and agrees with its tokenizer", async () => {
    const written = await writeUntrainedModel(join(folder, "a"), options);
    expect(await loadConfig(join(folder, "a"))).toEqual(written);
    expect(written.text).toMatchObject({ ...options.text, headDim: 8 });
    expect(written.vision).toMatchObject({ ...options.vision, outHiddenSize: 16 });
    const { tokenizer, image } = await loadProcessor(join(folder, "a"));
    expect(image).toMatchObject({ minPixels: 64, maxPixels: 1024, patchSize: 4, mergeSize: 2 });
    expect(written.tokens.image).toBe(tokenizer.requireId("<|image_pad|>"));
    expect(written.tokens.eos).toEqual([tokenizer.requireId("<|im_end|>")]);
    expect(tokenizer.encode("lamp").length).toBe(1);
    const tokens = compactTokenizer(options.tokenizer).vocabSize;
    expect(written.text.vocabSize).toBe(Math.ceil(tokens / 16) * 16);
    const weights = await loadWeights(join(folder, "a"), written);
    expect(weights.get("model.language_model.embed_tokens.weight")!.length).toBe(16 * written.text.vocabSize);
    // What the weights take for the tokens of numbers.
    expect(Array.from(numberTokenIds(tokenizer))).toEqual(Array.from({ length: 1000 }, (_, n) => n));
  });

  it("has the same bytes for the same seed, others for another", async () => {
    await writeUntrainedModel(join(folder, "b"), options);
    await writeUntrainedModel(join(folder, "c"), { ...options, seed: 4 });
    const names = (await readdir(join(folder, "a"))).toSorted();
    expect((await readdir(join(folder, "b"))).toSorted()).toEqual(names);
    const differ: string[] = [];
    for (const name of names) {
      const [a, b] = await Promise.all(["a", "b"].map((each) => readFile(join(folder, each, name))));
      if (!a!.equals(b!)) differ.push(name);
    }
    expect(differ).toEqual([]);
    expect((await bytes("a")).equals(await bytes("c"))).toBe(false);
  });

  it("refuses a vocabulary that the tokenizer does not fit, before anything is written", async () => {
    const small = writeUntrainedModel(join(folder, "d"), { ...options, vocabSize: 1024 });
    await expect(small).rejects.toThrow(InputError);
    await expect(readdir(join(folder, "d"))).rejects.toThrow("ENOENT");
  });
});
