import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { formatConfig, loadConfig, parseConfig } from "./config.js";
import { fixture, fixtureJson } from "../../test/qwen-fixture.js";
import { formatGenerationConfig, parseGenerationConfig } from "./generation-config.js";

type Json = Record<string, unknown>;
const nested = () => fixtureJson<Json>("model/config.json");
const flat = () => fixtureJson<Json>("model/config_hub_style.json");

describe("parseConfig", () => {
  it("reads every value of the nested layout", () => {
    expect(parseConfig(nested())).toEqual({
      text: {
        vocabSize: 1040,
        hiddenSize: 64,
        intermediateSize: 128,
        layers: 2,
        heads: 4,
        kvHeads: 2,
        headDim: 16,
        rmsNormEps: 1e-6,
        ropeTheta: 1e6,
        mropeSection: [2, 3, 3],
        tieWordEmbeddings: false,
        maxPositions: 4096,
      },
      vision: {
        depth: 4,
        hiddenSize: 32,
        intermediateSize: 64,
        heads: 4,
        patchSize: 14,
        mergeSize: 2,
        temporalPatchSize: 2,
        inChannels: 3,
        windowSize: 56,
        fullAttentionBlocks: [1, 3],
        outHiddenSize: 64,
        tokensPerSecond: 2,
      },
      tokens: {
        image: 1020,
        video: 1021,
        visionStart: 1017,
        visionEnd: 1018,
        eos: [1010],
        pad: 1008,
        bos: 1008,
      },
    });
  });

  it("reads the flat layout to the same", () => {
    expect(parseConfig(flat())).toEqual(parseConfig(nested()));
  });

  it("reads back what it writes", () => {
    const config = parseConfig(nested());
    const tied = {
      ...config,
      text: { ...config.text, tieWordEmbeddings: true },
      tokens: { ...config.tokens, eos: [1010, 1008] },
    };
    expect(parseConfig(JSON.parse(JSON.stringify(formatConfig(tied, { dtype: "bfloat16" }))))).toEqual(tied);
    expect(formatConfig(tied, { dtype: "bfloat16" })).toMatchObject({ torch_dtype: "bfloat16" });
  });

  it("writes exactly what transformers needs, as the published layout has it", () => {
    // sliding_window is ignored where use_sliding_window is false.
    const published = flat();
    delete published.sliding_window;
    expect(formatConfig(parseConfig(nested()))).toMatchObject(published);
  });

  const refused: [string, (json: Json) => Json, string][] = [
    ["another model type", (json) => ({ ...json, model_type: "qwen3_vl" }), 'model_type: "qwen3_vl"'],
    ["a missing size", (json) => ({ ...json, hidden_size: undefined }), "hidden_size"],
    ["a size of the wrong type", (json) => ({ ...json, num_hidden_layers: "2" }), "num_hidden_layers"],
    ["another activation", (json) => ({ ...json, hidden_act: "gelu" }), "hidden_act"],
    ["sliding windows", (json) => ({ ...json, use_sliding_window: true }), "use_sliding_window"],
    [
      "scaled rotary positions",
      (json) => ({ ...json, rope_scaling: { type: "yarn", mrope_section: [2, 3, 3] } }),
      'rope_scaling.type: "yarn"',
    ],
    ["no rotary section", (json) => ({ ...json, rope_scaling: null }), "rope_scaling"],
    [
      "a section that does not fill the head",
      (json) => ({ ...json, rope_scaling: { type: "mrope", mrope_section: [2, 3, 4] } }),
      "mrope_section [2, 3, 4] sums to 9",
    ],
    ["heads that do not group", (json) => ({ ...json, num_key_value_heads: 3 }), "num_key_value_heads 3"],
    ["a token past the vocabulary", (json) => ({ ...json, image_token_id: 2000 }), "2000"],
    ["quantised weights", (json) => ({ ...json, quantization_config: { bits: 4 } }), "quantization_config"],
    [
      "a vision width that the decoder does not take",
      (json) => ({ ...json, vision_config: { ...(json.vision_config as Json), out_hidden_size: 48 } }),
      "out_hidden_size 48",
    ],
  ];
  it.each(refused)("refuses %s and names the key", (_, change, message) => {
    expect(() => parseConfig(change(flat()), "here/config.json")).toThrow(message);
    expect(() => parseConfig(change(flat()), "here/config.json")).toThrow("here/config.json");
  });

  it("refuses what is no object", () => {
    expect(() => parseConfig([])).toThrow("config.json");
    expect(() => parseConfig("x")).toThrow("config.json");
  });
});

describe("loadConfig", () => {
  let folder = "";
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "qwen-config-"));
  });
  afterEach(() => rm(folder, { recursive: true }));

  it("reads the fixture", async () => {
    expect((await loadConfig(fixture("model"))).tokens.eos).toEqual([1010]);
  });

  it("takes end and padding tokens from generation_config.json", async () => {
    await writeFile(join(folder, "config.json"), JSON.stringify(flat()));
    const generation = { eos: [1010, 1008], pad: 1009, temperature: 0.5, topK: 3, doSample: true };
    await writeFile(
      join(folder, "generation_config.json"),
      JSON.stringify(formatGenerationConfig(generation)),
    );
    expect((await loadConfig(folder)).tokens).toMatchObject({ eos: [1010, 1008], pad: 1009, bos: 1008 });
  });

  it("says what is missing and what is not JSON", async () => {
    await expect(loadConfig(folder)).rejects.toThrow("no such file");
    await writeFile(join(folder, "config.json"), "{");
    await expect(loadConfig(folder)).rejects.toThrow("not valid JSON");
  });
});

describe("generation config", () => {
  it("reads the fixture and back what it writes", () => {
    const read = parseGenerationConfig(fixtureJson("model/generation_config.json"));
    expect(read).toEqual({ eos: [1010], bos: 1008 });
    expect(parseGenerationConfig(formatGenerationConfig(read))).toEqual(read);
  });
  it("names a wrong key", () => {
    expect(() => parseGenerationConfig({ top_p: 3 })).toThrow("top_p");
  });
});
