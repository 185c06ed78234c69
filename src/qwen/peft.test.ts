import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { fixture, fixtureJson } from "../../test/qwen-fixture.js";
import { loadConfig, type QwenConfig } from "./config.js";
import { linearModules, resolveTargets, SUFFIX_TARGETS, TEXT_TARGETS } from "./lora-targets.js";
import { loadAdapter, mergeAdapter, saveAdapter, type LoraAdapter, type LoraMatrices } from "./peft.js";
import { readSafetensors, writeSafetensors } from "./safetensors.js";
import { loadWeights } from "./weights.js";

let config: QwenConfig;
let adapter: LoraAdapter;
let folder = "";
const golden = () =>
  fixtureJson<{ scalars: { "lora.adapted_modules": string[] } }>("golden/manifest.json").scalars[
    "lora.adapted_modules"
  ];
beforeAll(async () => {
  config = await loadConfig(fixture("model"));
  adapter = await loadAdapter(fixture("lora"), config);
  folder = await mkdtemp(join(tmpdir(), "peft-"));
});
afterAll(() => rm(folder, { recursive: true }));

describe("resolveTargets", () => {
  it("takes the very modules PEFT takes for its usual suffixes: 14 of the decoder and 12 vision MLPs", () => {
    const modules = resolveTargets(SUFFIX_TARGETS, config);
    expect(modules.toSorted()).toEqual(golden());
    expect(modules.filter((name) => name.startsWith("model.visual.")).length).toBe(12);
  });

  it("takes the decoder alone by regular expression, which matches whole names", () => {
    const modules = resolveTargets(TEXT_TARGETS, config);
    expect(modules).toEqual(
      golden().filter((name) => name.startsWith("model.language_model.")).length ? modules : [],
    );
    expect(modules.toSorted()).toEqual(golden().filter((name) => name.startsWith("model.language_model.")));
    expect(() => resolveTargets("q_proj", config)).toThrow('"q_proj" matches no linear layer');
  });

  it("takes all linear layers but the head, and leaves out what is excluded", () => {
    const all = resolveTargets("all-linear", config);
    expect(all.length).toBe(linearModules(config).size - 1);
    expect(all).toContain("model.visual.merger.mlp.2");
    expect(all).not.toContain("lm_head");
    expect(
      resolveTargets("all-linear", config, "model\\.visual\\..*").every((name) => !name.includes("visual")),
    ).toBe(true);
    expect(resolveTargets(["lm_head", "qkv"], config).length).toBe(5);
    expect(resolveTargets(["proj"], config, ["patch_embed.proj"]).length).toBe(4);
  });

  it("refuses what is not linear, not there or no expression", () => {
    expect(() => resolveTargets(["embed_tokens"], config)).toThrow("is not a linear layer");
    expect(() => resolveTargets(["proj"], config)).toThrow("patch_embed.proj");
    expect(() => resolveTargets(["q_proj", "w1"], config)).toThrow('"w1" matches no linear layer');
    expect(() => resolveTargets("(", config)).toThrow("target_modules");
  });
});

describe("loadAdapter", () => {
  it("reads PEFT's files", () => {
    expect(adapter).toMatchObject({ rank: 4, alpha: 8, baseModel: "../model" });
    expect([...adapter.modules.keys()].sort()).toEqual(golden());
    const down = adapter.modules.get("model.language_model.layers.0.mlp.down_proj")!;
    expect([down.rank, down.scale, down.a.length, down.b.length]).toEqual([4, 2, 4 * 128, 64 * 4]);
  });

  it("understands the names of older versions, alpha patterns and rank-stabilised scales", async () => {
    const own = await mkdtemp(join(folder, "o-"));
    const tensors = await readSafetensors(fixture("lora/adapter_model.safetensors"));
    const old = [...tensors].map(([name, tensor]) => {
      const renamed = name
        .replace("model.language_model.", "model.")
        .replace("model.model.visual.", "model.visual.");
      return [renamed, tensor] as const;
    });
    expect(old.some(([name]) => name.startsWith("base_model.model.visual.blocks"))).toBe(true);
    await writeSafetensors(join(own, "adapter_model.safetensors"), new Map(old));
    const json = fixtureJson<object>("lora/adapter_config.json");
    const change = { use_rslora: true, alpha_pattern: { "layers\\.0\\..*_proj": 16 } };
    await writeFile(join(own, "adapter_config.json"), JSON.stringify({ ...json, ...change }));
    const read = await loadAdapter(own, config);
    expect([...read.modules.keys()]).toEqual([...adapter.modules.keys()]);
    expect(read.modules.get("model.language_model.layers.0.mlp.up_proj")!.scale).toBe(8);
    expect(read.modules.get("model.language_model.layers.1.mlp.up_proj")!.scale).toBe(4);
  });

  const refused: [string, object, string][] = [
    ["DoRA", { use_dora: true }, "use_dora"],
    ["trained biases", { bias: "all" }, "bias"],
    ["fully trained modules", { modules_to_save: ["lm_head"] }, "modules_to_save"],
    ["another method", { peft_type: "IA3" }, "peft_type"],
  ];
  it.each(refused)("refuses %s", async (_, change, message) => {
    const own = await mkdtemp(join(folder, "r-"));
    await saveAdapter(own, adapter);
    const json = fixtureJson<object>("lora/adapter_config.json");
    await writeFile(join(own, "adapter_config.json"), JSON.stringify({ ...json, ...change }));
    await expect(loadAdapter(own, config)).rejects.toThrow(message);
  });

  it("refuses an adapter of another model or with half of a pair", async () => {
    const wider: QwenConfig = { ...config, text: { ...config.text, intermediateSize: 100 } };
    await expect(loadAdapter(fixture("lora"), wider)).rejects.toThrow("the model asks for [100, 4]");
    const fewer: QwenConfig = { ...config, text: { ...config.text, layers: 1 } };
    await expect(loadAdapter(fixture("lora"), fewer)).rejects.toThrow(
      'no linear layer "model.language_model.layers.1',
    );
    await expect(loadAdapter(fixture("model"), config)).rejects.toThrow("adapter_config.json: no such file");
    const own = await mkdtemp(join(folder, "h-"));
    await saveAdapter(own, adapter);
    const tensors = await readSafetensors(join(own, "adapter_model.safetensors"));
    tensors.delete("base_model.model.model.visual.blocks.0.mlp.up_proj.lora_B.weight");
    await writeSafetensors(join(own, "adapter_model.safetensors"), tensors);
    await expect(loadAdapter(own, config)).rejects.toThrow("only one of its two matrices");
  });
});

describe("saveAdapter", () => {
  it("writes PEFT's own file byte for byte", async () => {
    const own = await mkdtemp(join(folder, "s-"));
    await saveAdapter(own, adapter);
    const [ours, theirs] = await Promise.all([
      readFile(join(own, "adapter_model.safetensors")),
      readFile(fixture("lora/adapter_model.safetensors")),
    ]);
    expect(Buffer.compare(ours, theirs)).toBe(0);
    expect(fixtureJson("lora/adapter_config.json")).toMatchObject(
      JSON.parse(await readFile(join(own, "adapter_config.json"), "utf8")) as object,
    );
    expect(await loadAdapter(own, config)).toEqual(adapter);
  });

  it("refuses an adapter whose modules differ", async () => {
    const [[name, matrices]] = [...adapter.modules] as [[string, LoraMatrices]];
    const odd = { ...adapter, modules: new Map([[name, { ...matrices, scale: 3 }]]) };
    await expect(saveAdapter(folder, odd)).rejects.toThrow("scale 3");
  });
});

describe("mergeAdapter", () => {
  it("adds scale * B A to each adapted weight and nothing else", async () => {
    const weights = await loadWeights(fixture("model"), config);
    const merged = mergeAdapter(weights, adapter);
    const changed = [...merged.keys()].filter((name) => merged.get(name) !== weights.get(name));
    expect(changed.map((name) => name.replace(/\.weight$/, "")).sort()).toEqual(golden());
    const module = "model.visual.blocks.2.mlp.gate_proj";
    const { a, b, rank, scale } = adapter.modules.get(module)!;
    const into = a.length / rank;
    const base = weights.get(`${module}.weight`)!;
    const result = merged.get(`${module}.weight`)!;
    for (const at of [0, 1, 40, 777, base.length - 1]) {
      const [row, column] = [Math.floor(at / into), at % into];
      let sum = 0;
      for (let k = 0; k < rank; k++) sum += b[row * rank + k]! * a[k * into + column]!;
      expect(result[at]).toBe(Math.fround(base[at]! + scale * sum));
    }
  });

  it("refuses weights of another model", () => {
    expect(() => mergeAdapter(new Map(), adapter)).toThrow("have no");
  });
});
