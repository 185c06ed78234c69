import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { createFakeEngine, fakeEncode, fakeSample } from "../../test/support/fake-engine.js";
import { fixture } from "../../test/qwen-fixture.js";
import { loadPixels, openDataset, teacherResponse } from "../datasets/index.js";
import { loadConfig, loadProcessor, parameterCount } from "../qwen/index.js";
import { promptText } from "../response/index.js";
import { evaluationRounds, lengthsOf, planCost, planMemory, planParts } from "./plan.js";
import { promptLength } from "../engines/prompt-length.js";
import { meterEngine } from "./plan-meter.js";
import { planRecipe } from "./plan-recipe.js";
import { loadServerShape } from "./plan-server.js";
import { parseRecipe } from "./recipe.js";

const model = fixture("model");
const text = `kind: grpo
engine: {model: "${model}"}
data: {train: "scenes:plaza?count=10", eval: {plaza: "scenes:plaza?count=5", fog: "scenes:fog?count=50"}}
prompt: dip-r1-short
grpo: {steps: 7, imagesPerStep: 2, groupSize: 3, iterations: 2, sampling: {maxTokens: 40}}
evaluation: {every: 3, images: 8, samples: 2, outOfDomain: {images: 4, samples: 0}, maxTokens: 50}
`;
const recipe = (...set: string[]) => parseRecipe(text, join(tmpdir(), "plan.yaml"), { set });

describe("planRecipe", () => {
  it("counts the tokens that the processor makes", async () => {
    const { sample } = await planRecipe(recipe(), { images: 10 });
    const [processor, dataset] = await Promise.all([
      loadProcessor(model),
      openDataset("scenes:plaza?count=10"),
    ]);
    const prompts: number[] = [];
    const answers: number[] = [];
    for (let i = 0; i < 10; i++) {
      const one = await dataset.at(i);
      const chunks = processor.encodePrompt({
        text: promptText("dip-r1-short"),
        images: [await loadPixels(one)],
      });
      prompts.push(promptLength({ chunks }));
      const shown = chunks.find((chunk) => chunk.kind === "image")!.image;
      const said = teacherResponse(one, {
        labels: ["person"],
        modelSize: { width: shown.width, height: shown.height },
      });
      answers.push(processor.tokenizer.encode(said.text).length + 1);
    }
    expect(sample.prompt).toEqual(lengthsOf(prompts));
    expect(sample.answer).toEqual(lengthsOf(answers));
    expect(sample.truncatedShare).toBe(answers.filter((length) => length > 40).length / 10);
  });

  it("adds the parts up, and prices them", async () => {
    const plan = await planRecipe(recipe(), { images: 3, prices: { prompt: 1, response: 2, train: 3 } });
    const by = Object.fromEntries(plan.parts.map((part) => [part.name, part]));
    expect(by["sampling"]).toMatchObject({ images: 14, sequences: 42, mostResponseTokens: 42 * 40 });
    expect(by["training"]).toMatchObject({ sequences: 84 });
    expect(by["reference"]).toMatchObject({ sequences: 42 });
    // Before, after steps 3 and 6, at the end: 5 images x 3 responses and 4 x 1.
    expect(by["evaluation"]).toMatchObject({
      images: 4 * 9,
      sequences: 4 * 19,
      mostResponseTokens: 4 * 19 * 50,
    });
    expect(plan.tokens.expected).toBe(
      plan.parts.reduce((sum, part) => sum + part.promptTokens + part.responseTokens, 0),
    );
    expect(plan.tokens.most).toBeGreaterThanOrEqual(plan.tokens.expected);
    expect(plan.cost!.most).toBeGreaterThanOrEqual(plan.cost!.expected);
    const silent = await planRecipe(recipe("grpo.kl.beta=0"), { images: 3 });
    expect(silent.parts.map(({ name }) => name)).toEqual(["sampling", "training", "evaluation"]);
    expect(silent.cost).toBeNull();
  });

  it("knows what learns, and what that costs in memory", async () => {
    const config = await loadConfig(model);
    const full = await planRecipe(recipe("trainable={kind: full, vision: trained}"), { images: 1 });
    expect(full.memory!.parameters).toBe(parameterCount(config));
    expect(full.memory).toMatchObject({
      trainable: full.memory!.parameters,
      weights: 4 * full.memory!.parameters,
      gradients: 4 * full.memory!.parameters,
      optimizer: 8 * full.memory!.parameters,
    });
    const frozen = await planRecipe(recipe(), { images: 1 });
    expect(frozen.memory!.trainable).toBeLessThan(full.memory!.trainable);
    const lora = await planRecipe(recipe("trainable={kind: lora, rank: 2, targets: [q_proj]}"), {
      images: 1,
    });
    const { text: shape } = config;
    expect(lora.memory!.trainable).toBe(shape.layers * 2 * (shape.hiddenSize + shape.heads * shape.headDim));
    const longer = planMemory(config, recipe().recipe, { prompt: 100, response: 4000 });
    expect(longer.cache).toBeGreaterThan(
      planMemory(config, recipe().recipe, { prompt: 100, response: 40 }).cache,
    );
  });

  it("plans SFT on what it teaches", async () => {
    const folder = mkdtempSync(join(tmpdir(), "dip-plan-"));
    const path = join(folder, "sft.yaml");
    writeFileSync(path, "");
    const sft = `kind: sft\nengine: {model: "${model}"}\ndata: {train: "scenes:plaza?count=4"}\nsft: {steps: 5, batchSize: 3}\n`;
    const plan = await planRecipe(parseRecipe(sft, path), { images: 4 });
    expect(plan.parts[0]).toMatchObject({
      name: "training",
      sequences: 15,
      responseTokens: Math.round(15 * plan.sample.answer.mean),
    });
    expect(plan.sample.truncatedShare).toBe(0);
  });

  it("does sums", () => {
    expect([
      evaluationRounds(6, 0),
      evaluationRounds(6, 3),
      evaluationRounds(7, 3),
      evaluationRounds(6, 9),
    ]).toEqual([2, 3, 4, 2]);
    expect(lengthsOf([])).toEqual({ mean: 0, p95: 0, max: 0 });
    expect(lengthsOf([1, 2, 3, 6])).toEqual({ mean: 3, p95: 6, max: 6 });
    const sample = { prompt: lengthsOf([100]), answer: lengthsOf([10]), answerWithin: 10 };
    const parts = planParts(recipe("grpo.kl.beta=0", "grpo.iterations=1").recipe, sample, {});
    expect(planCost(parts, { prompt: 1, response: 0, train: 0 }).expected).toBeCloseTo((42 * 100) / 1e6, 12);
    expect(planCost(parts, { prompt: 0, response: 1, train: 0 })).toEqual({
      expected: (42 * 10) / 1e6,
      most: (42 * 40) / 1e6,
    });
  });
});

describe("planRecipe for a server", () => {
  const served = (...set: string[]) =>
    recipe("engine.kind=tinker", "trainable={kind: lora, rank: 2}", ...set);

  it("counts pictures at the size that they are sent, and the memory of the server's GPUs", async () => {
    const [small, large] = await Promise.all(
      [3136 * 2, 3136 * 4].map((pixels) =>
        planRecipe(served(`engine.maxPixels=${pixels}`), { images: 4, gpus: 2 }),
      ),
    );
    expect(small!.sample.picture.max).toBeLessThan(large!.sample.picture.max);
    expect(small!.sample.picture.max).toBeLessThanOrEqual((3136 * 2) / 28 ** 2);
    expect(small!.memory).toBeNull();
    const { text: shape } = await loadConfig(model);
    const server = small!.server!;
    expect(server.parameters).toBe(parameterCount(await loadConfig(model)));
    const { hiddenSize: h, heads, kvHeads, headDim, intermediateSize: i, layers, vocabSize } = shape;
    const [q, kv] = [heads * headDim, kvHeads * headDim];
    expect(server.trained).toBe(layers * 2 * (2 * (h + q) + 2 * (h + kv) + 3 * (h + i)));
    const sequence = small!.sample.prompt.max + 40;
    expect(server.trainer).toMatchObject({
      weights: (2 * server.parameters) / 2,
      optimizer: (16 * server.trained) / 2,
      logits: 8 * sequence * vocabSize,
    });
    // Six responses on two GPUs.
    expect(server.sampler).toMatchObject({
      weights: 2 * server.parameters,
      cache: 2 * 3 * sequence * layers * 2 * kv,
    });
    const sum = (parts: object) => Object.values(parts).reduce((a: number, b: number) => a + b, 0) as number;
    expect(sum(server.trainer)).toBe(2 * server.trainer.total);
  });

  it("knows the published sizes of Qwen3-VL", async () => {
    const folder = mkdtempSync(join(tmpdir(), "dip-plan-"));
    const config = {
      model_type: "qwen3_vl",
      tie_word_embeddings: true,
      text_config: {
        vocab_size: 151_936,
        hidden_size: 2560,
        intermediate_size: 9728,
        num_hidden_layers: 36,
        num_attention_heads: 32,
        num_key_value_heads: 8,
        head_dim: 128,
      },
      vision_config: {
        depth: 24,
        hidden_size: 1024,
        intermediate_size: 4096,
        patch_size: 16,
        temporal_patch_size: 2,
        spatial_merge_size: 2,
        out_hidden_size: 2560,
        num_position_embeddings: 2304,
        deepstack_visual_indexes: [5, 11, 17],
      },
    };
    writeFileSync(join(folder, "config.json"), JSON.stringify(config));
    const { parameters } = await loadServerShape(folder);
    // Qwen3-4B has 4,022,468,096; Qwen3-VL-4B-Instruct 4,437,815,808 with its tower.
    expect(parameters).toEqual({ language: 4_022_468_096, vision: 415_347_712 });
    writeFileSync(join(folder, "config.json"), JSON.stringify({ ...config, model_type: "qwen3_vl_moe" }));
    await expect(loadServerShape(folder)).rejects.toThrow('not "qwen3_vl_moe"');
  });
});

describe("meterEngine", () => {
  it("counts what is drawn, scored and trained on", async () => {
    const meter = meterEngine(createFakeEngine());
    const { prompt } = fakeEncode(fakeSample(0));
    const length = promptLength(prompt);
    const sampler = await meter.engine.sampler();
    const params = { n: 3, maxTokens: 14, temperature: 1, seed: 1, stop: [0] };
    const rollouts = await sampler.sample(prompt, params);
    const drawn = rollouts.reduce((sum, { tokens }) => sum + tokens.length, 0);
    expect(meter.count()).toEqual({ prompt: 3 * length, response: drawn, trained: 0 });
    await sampler.logprobsBatch([{ prompt, tokens: rollouts[0]!.tokens }]);
    expect(meter.count().trained).toBe(length + rollouts[0]!.tokens.length);
    const again = meterEngine(createFakeEngine(), meter.count());
    expect(again.total()).toBe(meter.total());
  });
});
