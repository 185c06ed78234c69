/** @file A run with the embedded engine and the tiny golden model, broken off and taken up again. */
import { cpSync, mkdtempSync, readdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { fixture } from "../../test/qwen-fixture.js";
import { readJsonlTolerant } from "../base/index.js";
import { loadImageProcessorConfig } from "../qwen/index.js";
import { convertDataset, openDataset } from "../datasets/index.js";
import { openResult } from "./evaluation-results.js";
import type { EvaluationLine } from "./evaluations.js";
import { readModelTask, writeModelTask } from "./model-task.js";
import { parseRecipe } from "./recipe.js";
import { train, type RunEvent } from "./train.js";

const scratch = () => join(mkdtempSync(join(tmpdir(), "dip-local-")), "run");
const common = `
engine: {model: "${fixture("model")}"}
data:
  train: "scenes:plaza?count=20&people=1-2"
  eval: {plaza: "scenes:plaza?count=2&seed=9&people=1-2"}
prompt: dip-r1-short
evaluation: {images: 2, samples: 0, maxTokens: 6}
checkpoints: {every: 1}
`;
const SFT = `kind: sft\nsft: {steps: 3, batchSize: 2, optimizer: {learningRate: 1.0e-3}}${common}`;
const LORA = `${SFT}trainable: {kind: lora, rank: 4, alpha: 8}\n`;
const GRPO = `kind: grpo\ngrpo: {steps: 2, imagesPerStep: 1, groupSize: 2, sampling: {maxTokens: 6}}${common}`;
const read = (text: string) => parseRecipe(text, "r.yaml");
const weights = (run: string) => readFileSync(join(run, "model", "model.safetensors"));

describe("train with the embedded engine", () => {
  it.each([
    ["all weights", SFT],
    ["LoRA", LORA],
  ])("resumes to the same bytes of weights: %s", async (_, text) => {
    const [whole, broken] = [scratch(), scratch()];
    await train({ loaded: read(text), out: whole });
    const onEvent = (event: RunEvent) => {
      if (event.kind === "sft" && event.step.step === 2) throw new Error("power cut");
    };
    await expect(train({ loaded: read(text), out: broken, onEvent })).rejects.toThrow("power cut");
    await train({ loaded: read(text), out: broken, resume: true });
    expect(weights(broken).equals(weights(whole))).toBe(true);
    expect(weights(whole).equals(readFileSync(fixture("model/model.safetensors")))).toBe(false);
    const losses = async (run: string) =>
      ((await readJsonlTolerant(join(run, "metrics.jsonl"))) as { loss: number }[]).map(({ loss }) => loss);
    expect(await losses(broken)).toEqual(await losses(whole));
    expect(await readModelTask(join(whole, "model"))).toEqual({
      prompt: "dip-r1-short",
      labels: ["person"],
      profile: "absolute",
    });
  });

  it("runs GRPO", async () => {
    const out = scratch();
    expect(await train({ loaded: read(GRPO), out })).toMatchObject({ state: "done", step: 2 });
    expect(await readJsonlTolerant(join(out, "rollouts.jsonl"))).toHaveLength(4);
  });

  it("shows pictures no larger than engine.maxPixels, and so does the model that it writes", async () => {
    const out = scratch();
    const text = GRPO.replace("engine: {", "engine: {maxPixels: 6300, ");
    await train({ loaded: read(text), out });
    const rollouts = (await readJsonlTolerant(join(out, "rollouts.jsonl"))) as { size: [number, number] }[];
    expect(rollouts).not.toHaveLength(0);
    for (const { size } of rollouts) expect(size[0] * size[1]).toBeLessThanOrEqual(6300);
    expect(await loadImageProcessorConfig(join(out, "model"))).toMatchObject({ maxPixels: 6300 });
    const whole = scratch();
    await train({ loaded: read(GRPO), out: whole });
    const [line] = (await readJsonlTolerant(join(whole, "rollouts.jsonl"))) as [{ size: [number, number] }];
    expect(line.size[0] * line.size[1]).toBeGreaterThan(6300);
  });

  it("speaks thousandths where the recipe says so, and judges a benchmark by its own numbers", async () => {
    const folder = mkdtempSync(join(tmpdir(), "dip-benchmark-"));
    const source = await openDataset("scenes:plaza?count=3&seed=9&people=1-2");
    const crowd = join(folder, "crowd");
    await convertDataset(source, { format: "crowdhuman", out: crowd, copyImages: true });
    const odgt = readdirSync(crowd).find((name) => name.endsWith(".odgt"))!;
    const set = `crowdhuman:${join(crowd, odgt)}`;
    const text = GRPO.replace("scenes:plaza?count=2&seed=9&people=1-2", set) + "profile: norm1000\n";
    const out = scratch();
    await train({ loaded: read(text), out });
    expect(await readModelTask(join(out, "model"))).toMatchObject({ profile: "norm1000" });
    const rollouts = (await readJsonlTolerant(join(out, "rollouts.jsonl"))) as { size: number[] }[];
    expect(rollouts.map(({ size }) => size)).toEqual(rollouts.map(() => [1000, 1000]));
    const [line] = (await readJsonlTolerant(join(out, "evaluations.jsonl"))) as [EvaluationLine];
    const { fingerprint, files } = await openDataset(set);
    expect(line).toMatchObject({
      data: { fingerprint, files: [...files], problems: { leftOut: 0 } },
      benchmark: { benchmark: "crowdhuman", numbers: { MR: 1, JI: 0 }, counts: { images: 2 } },
    });
    const [image] = (await openResult(`${out}@first`)).sets[0]!.images;
    expect(image).toMatchObject({ profile: "norm1000", width: 112, benchmark: { part: "full" } });
    // The record's truth is in pixels of the original again.
    const sample = await source.at(0);
    expect(image!.truth.objects[0]!.box.x2).toBeCloseTo(Math.min(112, sample.objects[0]!.box.x2), 1);
  });

  it("takes the profile of the model's own dip-r1.json where the recipe does not say", async () => {
    const model = join(mkdtempSync(join(tmpdir(), "dip-norm-")), "model");
    cpSync(fixture("model"), model, { recursive: true });
    await writeModelTask(model, { prompt: "dip-r1", labels: ["person"], profile: "norm1000" });
    const out = scratch();
    await train({ loaded: read(SFT.replace(fixture("model"), model)), out });
    expect((await openResult(`${out}@last`)).sets[0]!.images[0]).toMatchObject({ profile: "norm1000" });
  });
});
