import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { fixture, fixtureJson } from "../../test/qwen-fixture.js";
import { loadConfig, type QwenConfig } from "./config.js";
import {
  canonicalName,
  EMBEDDING,
  HEAD,
  parameterCount,
  parameterShapes,
  PATCH_EMBEDDING,
  storedName,
} from "./parameters.js";
import { openSafetensors, readSafetensors, writeSafetensors } from "./safetensors.js";
import { loadWeights, saveWeights } from "./weights.js";

let folder = "";
let config: QwenConfig;
let weights: Map<string, Float32Array>;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "weights-"));
  config = await loadConfig(fixture("model"));
  weights = await loadWeights(fixture("model"), config);
});
afterAll(() => rm(folder, { recursive: true }));

describe("names and shapes", () => {
  it("are those transformers has in memory, for every parameter", () => {
    const { scalars } = fixtureJson<{ scalars: Record<string, Record<string, number>> }>(
      "golden/manifest.json",
    );
    expect([...parameterShapes(config).keys()].sort()).toEqual(
      Object.keys(scalars["full.grad_norms"]!).sort(),
    );
    expect([...weights.keys()].sort()).toEqual([...parameterShapes(config).keys()].sort());
  });

  it("go from disk to memory and back", async () => {
    const disk = await openSafetensors(fixture("model/model.safetensors"));
    for (const name of disk.tensors.keys()) {
      expect(storedName(canonicalName(name))).toBe(name);
      expect(canonicalName(canonicalName(name))).toBe(canonicalName(name));
    }
  });

  it("add up to the parameters of the published 3B and 7B models", () => {
    const vision = {
      ...config.vision,
      depth: 32,
      hiddenSize: 1280,
      intermediateSize: 3420,
      heads: 16,
      outHiddenSize: 2048,
    };
    const text = {
      ...config.text,
      vocabSize: 151936,
      hiddenSize: 2048,
      intermediateSize: 11008,
      layers: 36,
      heads: 16,
      kvHeads: 2,
      headDim: 128,
      tieWordEmbeddings: true,
    };
    expect(parameterCount({ ...config, text, vision })).toBe(3_754_622_976);
    const larger = {
      ...text,
      vocabSize: 152064,
      hiddenSize: 3584,
      intermediateSize: 18944,
      layers: 28,
      heads: 28,
      kvHeads: 4,
      tieWordEmbeddings: false,
    };
    const wider = { ...vision, outHiddenSize: 3584 };
    expect(parameterCount({ ...config, text: larger, vision: wider })).toBe(8_292_166_656);
  });

  it("have the patch embedding flat and count a tied head once", () => {
    expect(parameterShapes(config).get(PATCH_EMBEDDING)).toEqual([32, 1176]);
    const tied = { ...config, text: { ...config.text, tieWordEmbeddings: true } };
    expect(parameterCount(config) - parameterCount(tied)).toBe(1040 * 64);
  });
});

describe("saveWeights", () => {
  it("writes the very file transformers wrote", async () => {
    const own = await mkdtemp(join(folder, "a-"));
    await saveWeights(own, config, weights);
    const ours = await readSafetensors(join(own, "model.safetensors"));
    const theirs = await readSafetensors(fixture("model/model.safetensors"));
    expect(new Map([...ours].sort())).toEqual(new Map([...theirs].sort()));
  });

  it("shards, reads shards and clears files of another set", async () => {
    const own = await mkdtemp(join(folder, "b-"));
    await saveWeights(own, config, weights);
    await saveWeights(own, config, weights, { maxShardBytes: 300_000 });
    const files = (await readdir(own)).sort();
    expect(files.length).toBeGreaterThan(3);
    expect(files).toContain("model.safetensors.index.json");
    expect(files).not.toContain("model.safetensors");
    expect(await loadWeights(own, config)).toEqual(weights);
    await saveWeights(own, config, weights);
    expect(await readdir(own)).toEqual(["model.safetensors"]);
  });

  it.each([
    ["bfloat16", 2 ** -8],
    ["float16", 2 ** -11],
  ] as const)("%s keeps every number to half a unit in the last place", async (dtype, relative) => {
    const own = await mkdtemp(join(folder, "c-"));
    await saveWeights(own, config, weights, { dtype });
    const read = await loadWeights(own, config);
    let worst = 0;
    for (const [name, values] of weights) {
      const back = read.get(name)!;
      values.forEach((value, i) => {
        worst = Math.max(worst, Math.abs(back[i]! - value) / Math.max(Math.abs(value), 2 ** -13));
      });
    }
    expect(worst).toBeLessThanOrEqual(relative);
    expect(worst).toBeGreaterThan(relative / 2);
  });

  it("leaves out a tied head and takes it as the embedding", async () => {
    const own = await mkdtemp(join(folder, "d-"));
    const tied = { ...config, text: { ...config.text, tieWordEmbeddings: true } };
    const { [HEAD]: _head, ...rest } = Object.fromEntries(weights);
    await saveWeights(own, tied, new Map(Object.entries(rest)));
    const read = await loadWeights(own, tied);
    expect(read.has(HEAD)).toBe(false);
    expect(read.get(EMBEDDING)).toEqual(weights.get(EMBEDDING));
    await expect(loadWeights(own, config)).rejects.toMatchObject({
      message: expect.stringContaining('lack "lm_head.weight"') as string,
      hint: expect.stringContaining("tie_word_embeddings") as string,
    });
    // A tied checkpoint may still hold a copy of the head.
    await saveWeights(own, config, weights);
    expect((await loadWeights(own, tied)).has(HEAD)).toBe(false);
  });
});

describe("weights that do not fit the config", () => {
  const more = (): QwenConfig => ({ ...config, text: { ...config.text, layers: 3 } });
  it("are refused on load, with names", async () => {
    await expect(loadWeights(fixture("model"), more())).rejects.toThrow(
      /lack "model\.layers\.2\.input_layernorm\.weight", .* and \d+ more/,
    );
    const fewer = { ...config, text: { ...config.text, layers: 1 } };
    await expect(loadWeights(fixture("model"), fewer)).rejects.toThrow('have "model.layers.1.');
    const wider = { ...config, text: { ...config.text, intermediateSize: 130 } };
    await expect(loadWeights(fixture("model"), wider)).rejects.toThrow(
      "is [64, 128], config.json asks for [64, 130]",
    );
  });

  it("are refused on save", async () => {
    await expect(saveWeights(folder, more(), weights)).rejects.toThrow("lack");
    await expect(
      saveWeights(folder, config, new Map([...weights, ["x", new Float32Array(1)]])),
    ).rejects.toThrow('"x"');
    await expect(
      saveWeights(folder, config, new Map([...weights, [EMBEDDING, new Float32Array(1)]])),
    ).rejects.toThrow("1 numbers");
  });

  it("are refused where they hold integers", async () => {
    const own = await mkdtemp(join(folder, "e-"));
    const stored = await readSafetensors(fixture("model/model.safetensors"));
    stored.set("model.norm.weight", { dtype: "I32", shape: [64], data: new Int32Array(64) });
    await writeSafetensors(join(own, "model.safetensors"), stored);
    await expect(loadWeights(own, config)).rejects.toThrow("I32");
  });
});
