/** @file A recipe whose engine is a server: the same run folder, broken off and taken up again. */
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { readJsonlTolerant, type Logger } from "../src/base/index.js";
import { parseRecipe } from "../src/runs/recipe.js";
import { fitToServer } from "../src/runs/tinker-parts.js";
import { train, type RunEvent } from "../src/runs/train.js";
import { fixture } from "./qwen-fixture.js";
import { startMockServer, type MockOptions } from "./support/tinker/mock-server.js";

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup();
});

const scratch = () => join(mkdtempSync(join(tmpdir(), "dip-tinker-")), "run");

async function recipe(loop: string, options: MockOptions = {}) {
  const server = await startMockServer(options);
  cleanups.push(() => server.close());
  const text = `${loop}
engine: {kind: tinker, model: "${fixture("model")}", server: {url: "${server.url}"}}
trainable: {kind: lora, rank: 4}
data:
  train: "scenes:plaza?count=20&people=1-2"
  eval: {plaza: "scenes:plaza?count=2&seed=9&people=1-2"}
prompt: dip-r1-short
evaluation: {images: 2, samples: 0, maxTokens: 6}
checkpoints: {every: 1}
`;
  return { server, loaded: parseRecipe(text, "r.yaml") };
}
const SFT = "kind: sft\nsft: {steps: 3, batchSize: 2, optimizer: {learningRate: 1.0e-1}}";
const GRPO = "kind: grpo\ngrpo: {steps: 2, imagesPerStep: 2, groupSize: 2, sampling: {maxTokens: 6}}";

const losses = async (run: string) =>
  ((await readJsonlTolerant(join(run, "metrics.jsonl"))) as { loss: number }[]).map(({ loss }) => loss);

function listening(): Logger & { readonly warnings: string[] } {
  const warnings: string[] = [];
  return {
    warnings,
    debug() {},
    info() {},
    warn: (message) => void warnings.push(message),
    progress() {},
    endProgress() {},
  };
}

describe("train with engine.kind tinker", () => {
  it.each(["sum", "mean"] as const)(
    "resumes a run on a %s server to the same losses",
    async (normalization) => {
      const [whole, broken] = [scratch(), scratch()];
      const { loaded } = await recipe(SFT, { normalization });
      await train({ loaded, out: whole });
      const onEvent = (event: RunEvent) => {
        if (event.kind === "sft" && event.step.step === 2) throw new Error("power cut");
      };
      await expect(train({ loaded, out: broken, onEvent })).rejects.toThrow("power cut");
      await train({ loaded, out: broken, resume: true });
      const found = await losses(whole);
      expect(found[2]).toBeLessThan(found[0]!);
      expect(await losses(broken)).toEqual(found);
    },
  );

  it("runs GRPO, and says what is done instead of a KL term in the loss", async () => {
    const { loaded, server } = await recipe(GRPO);
    const logger = listening();
    const out = scratch();
    expect(await train({ loaded, out, logger })).toMatchObject({ state: "done", step: 2 });
    expect(logger.warnings.join("\n")).toMatch(
      /kl.placement "loss" cannot be had[^]*folded into the token advantages/,
    );
    expect(await readJsonlTolerant(join(out, "rollouts.jsonl"))).toHaveLength(8);
    // Every model made is unloaded at the end.
    expect([...server.models.values()].filter(({ loaded: kept }) => kept)).toEqual([]);
  });

  it("refuses before training what cannot be", async () => {
    const blind = await recipe(GRPO, { images: false });
    await expect(train({ loaded: blind.loaded, out: scratch() })).rejects.toThrow("does not take pictures");
    const warm = await recipe(GRPO.replace("{maxTokens: 6}", "{maxTokens: 6, temperature: 0.5}"));
    await expect(train({ loaded: warm.loaded, out: scratch() })).rejects.toThrow("temperature 1 only");
    const split = await recipe(GRPO.replace("steps: 2,", "steps: 2, tokenBudget: 100,"));
    await expect(train({ loaded: split.loaded, out: scratch() })).rejects.toThrow("splits batches itself");
  });

  it("leaves alone what the server can do", () => {
    const kl = { beta: 0.04, estimator: "k3", placement: "reward" } as const;
    const config = { kl };
    expect(fitToServer(config)).toBe(config);
    expect(fitToServer({ kl: { ...kl, placement: "loss" } })).toEqual(config);
  });
});
