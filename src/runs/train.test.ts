import { mkdtempSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import {
  createFakeEngine,
  fakeCodec,
  fakeEncode,
  fakeSample,
  fakeTeacher,
  type FakeEngine,
  type FakeSample,
} from "../../test/support/fake-engine.js";
import { InputError, readJsonlTolerant, silentLogger } from "../base/index.js";
import { generatedSource } from "../rl/index.js";
import { readEvaluation } from "./evaluations.js";
import type { RunParts } from "./run-parts.js";
import { parseRecipe } from "./recipe.js";
import { readManifest } from "./run-folder.js";
import type { TokenLine } from "./token-lines.js";
import { train, type RunEvent, type TrainOptions } from "./train.js";

const scratch = () => join(mkdtempSync(join(tmpdir(), "dip-train-")), "run");

const RECIPE = `
kind: grpo
preset: recommended
engine: {model: none}
data: {train: "scenes:plaza"}
grpo:
  steps: 6
  imagesPerStep: 4
  groupSize: 4
  sampling: {maxTokens: 14}
  optimizer: {learningRate: 0.05}
evaluation: {every: 3, images: 6, samples: 2, maxTokens: 14, outOfDomain: {images: 3, samples: 0}}
checkpoints: {every: 2, keep: 2}
`;
const recipe = (set: string[] = [], text = RECIPE) => parseRecipe(text, "r.yaml", { set });

/** The fake engine keeps its checkpoints in memory under the path given; runs move folders, so the path goes into a file. */
function onDisk(engine: FakeEngine): FakeEngine {
  return {
    ...engine,
    async save(path) {
      writeFileSync(join(path, "key.txt"), path);
      writeFileSync(join(path, "logits.json"), JSON.stringify([...engine.logits]));
      return engine.save(path);
    },
    load: ({ path, step }) => engine.load({ path: readFileSync(join(path, "key.txt"), "utf8"), step }),
  };
}

function partsOf(engine: FakeEngine, over: Partial<RunParts<FakeSample>> = {}): RunParts<FakeSample> {
  const set = (name: string, domain: "in" | "out") => ({
    name,
    domain,
    length: 20,
    async *samples() {
      for (let i = 0; i < 20; i++) yield fakeSample(1000 + i);
    },
  });
  return {
    engine: onDisk(engine),
    codec: fakeCodec,
    encode: fakeEncode,
    teach: fakeTeacher,
    source: generatedSource(fakeSample),
    sets: [set("plaza", "in"), set("night", "out")],
    provenance: {
      data: { train: "t", "eval.plaza": "p" },
      model: "m",
      code: { version: "0.0.0", sha256: "c" },
      versions: {},
    },
    ...over,
  };
}

function go(engine: FakeEngine, out: string, over: Partial<TrainOptions<FakeSample>> = {}) {
  return train<FakeSample>({
    loaded: recipe(),
    out,
    open: () => Promise.resolve(partsOf(engine)),
    ...over,
  });
}

/** Lines without what the clock decides. */
async function timeless(path: string): Promise<unknown[]> {
  const drop = new Set(["seconds", "trainedSeconds", "tokensPerSecond", "sampledTokensPerSecond"]);
  return (await readJsonlTolerant(path)).map((line) =>
    Object.fromEntries(Object.entries(line as object).filter(([key]) => !drop.has(key))),
  );
}

const FILES = ["metrics.jsonl", "rollouts.jsonl", "tokens.jsonl", "evaluations.jsonl"];

describe("train", () => {
  it("stops with a checkpoint when its token budget is spent, and goes on where it was, counting on", async () => {
    const out = scratch();
    const warnings: string[] = [];
    const logger = { ...silentLogger, warn: (text: string) => void warnings.push(text) };
    const whole = scratch();
    await go(createFakeEngine(), whole);
    const engine = createFakeEngine();
    const first = await go(engine, out, { maxTokens: 1500, logger });
    expect(first.state).toBe("stopped");
    expect(first.step).toBeGreaterThan(0);
    expect(first.step).toBeLessThan(6);
    expect(warnings.join()).toContain("the budget of 1500 tokens is spent");
    // Nothing is left of it: a resumed run does not begin another step.
    const again = await go(engine, out, { maxTokens: 1500, resume: true });
    expect(again).toMatchObject({ state: "stopped", step: first.step });
    const rest = await go(engine, out, { resume: true });
    expect(rest).toMatchObject({ state: "done", step: 6 });
    expect(await timeless(join(out, "metrics.jsonl"))).toEqual(await timeless(join(whole, "metrics.jsonl")));
  });

  it("leaves a folder that tells the whole run", async () => {
    const out = scratch();
    const events: RunEvent[] = [];
    const result = await go(createFakeEngine(), out, { onEvent: (event) => events.push(event) });
    expect(result).toMatchObject({ step: 6, state: "done" });
    expect(await readManifest(out)).toMatchObject({
      state: "done",
      seed: 0,
      data: { train: "t" },
      resumed: [],
    });
    expect(
      (await timeless(join(out, "metrics.jsonl"))).map((line) => (line as { step: number }).step),
    ).toEqual([1, 2, 3, 4, 5, 6]);
    const rollouts = (await timeless(join(out, "rollouts.jsonl"))) as Record<string, unknown>[];
    expect(rollouts).toHaveLength(6 * 4 * 4);
    expect(rollouts[0]).toMatchObject({ step: 1, index: 0, size: [64, 64], sample: "fake-0" });
    expect(Object.keys(rollouts[0]!)).toEqual(
      expect.arrayContaining([
        "text",
        "boxes",
        "regions",
        "format",
        "look",
        "accuracy",
        "total",
        "advantage",
      ]),
    );
    // Tokens of the first step only: the next are kept at step 10. Each ends where the text of its response goes on.
    const tokens = (await timeless(join(out, "tokens.jsonl"))) as TokenLine[];
    expect(tokens.map(({ step, sample, index }) => [step, sample, index])).toEqual(
      rollouts.slice(0, 16).map(({ step, sample, index }) => [step, sample, index]),
    );
    for (const [i, { ends, logprobs, referenceLogprobs, advantages }] of tokens.entries()) {
      const { text, tokens: count } = rollouts[i] as { text: string; tokens: number };
      expect([ends, logprobs, referenceLogprobs, advantages].map((list) => list!.length)).toEqual(
        Array(4).fill(count),
      );
      expect(ends).toEqual([...ends].sort((a, b) => a - b));
      expect(ends.at(-1)).toBe(text.length);
      expect(Math.max(...logprobs)).toBeLessThanOrEqual(0);
    }
    // plaza greedy and sampled, night greedy, at steps 0, 3 and 6.
    const evaluations = (await timeless(join(out, "evaluations.jsonl"))) as Record<string, unknown>[];
    expect(evaluations.map(({ step, set, decoding, images }) => [step, set, decoding, images])).toEqual(
      [0, 3, 6].flatMap((step) => [
        [step, "plaza", "greedy", 6],
        [step, "plaza", "sampled", 6],
        [step, "night", "greedy", 3],
      ]),
    );
    expect((await readEvaluation(out, 6, "plaza", "sampled"))![0]!.responses).toHaveLength(2);
    expect(readdirSync(join(out, "checkpoints"))).toEqual(["step-000004", "step-000006"]);
    expect(events.filter(({ kind }) => kind === "checkpoint")).toHaveLength(3);
  });

  it.each(["grpo", "sft"] as const)(
    "resumes %s to the same lines and weights as an unbroken run",
    async (kind) => {
      const loaded = (over: string[] = []) =>
        kind === "grpo"
          ? recipe(over)
          : recipe(
              over,
              RECIPE.replace("kind: grpo", "kind: sft").replace(
                /grpo:[^]*evaluation:/,
                "sft: {steps: 6, batchSize: 3, optimizer: {learningRate: 0.05}}\nevaluation:",
              ),
            );
      const [whole, broken] = [scratch(), scratch()];
      const unbroken = createFakeEngine();
      await go(unbroken, whole, { loaded: loaded() });

      // Dies in step 5, after the checkpoint of step 4 and lines beyond it.
      const engine = createFakeEngine();
      const dying = {
        loaded: loaded(),
        onEvent: (event: RunEvent) => {
          if ((event.kind === "grpo" || event.kind === "sft") && event.step.step === 5)
            throw new Error("power cut");
        },
      };
      await expect(go(engine, broken, dying)).rejects.toThrow("power cut");
      expect(await readManifest(broken)).toMatchObject({ state: "failed", error: "power cut" });
      expect(engine.logits).not.toEqual(unbroken.logits);

      engine.logits.fill(0.5);
      await go(engine, broken, { loaded: loaded(), resume: true });
      expect(engine.logits).toEqual(unbroken.logits);
      for (const file of FILES)
        expect(await timeless(join(broken, file))).toEqual(await timeless(join(whole, file)));
      const manifest = await readManifest(broken);
      expect(manifest).toMatchObject({ state: "done", resumed: [4] });
      expect(manifest.error).toBeUndefined();
      expect(engine.calls.openSamplers).toBe(0);
    },
  );

  it("judges again what was judged after the checkpoint that it goes on from", async () => {
    const [whole, broken] = [scratch(), scratch()];
    const loaded = recipe(["checkpoints.every=4"]);
    await go(createFakeEngine(), whole, { loaded });
    const onEvent = (event: RunEvent) => {
      if (event.kind === "grpo" && event.step.step === 4) throw new Error("power cut");
    };
    const engine = createFakeEngine();
    await expect(go(engine, broken, { loaded, onEvent })).rejects.toThrow("power cut");
    await go(createFakeEngine(), broken, { loaded, resume: true });
    for (const file of FILES)
      expect(await timeless(join(broken, file))).toEqual(await timeless(join(whole, file)));
  });

  it("stops at a signal with a checkpoint, and goes on for longer than first asked", async () => {
    const out = scratch();
    const engine = createFakeEngine();
    const stop = new AbortController();
    const stopped = await go(engine, out, {
      signal: stop.signal,
      onEvent: (event) => event.kind === "grpo" && event.step.step === 3 && stop.abort(),
    });
    expect(stopped).toMatchObject({ state: "stopped", step: 3 });
    const longer = recipe(["grpo.steps=8"]);
    expect(await go(engine, out, { loaded: longer, resume: true })).toMatchObject({ state: "done", step: 8 });
    expect((await readManifest(out)).resumed).toEqual([3]);
    const unbroken = createFakeEngine();
    await go(unbroken, scratch(), { loaded: longer });
    expect(engine.logits).toEqual(unbroken.logits);
    // The evaluation that the signal left out was made up for.
    expect(await readEvaluation(out, 3, "plaza", "greedy")).toHaveLength(6);
  });

  it("ends when its minutes are over, evaluations not counted", async () => {
    let time = 0;
    const out = scratch();
    const loaded = recipe(["grpo.steps=100", "grpo.minutes=1", "evaluation.minutes=1000"]);
    // Every look at the clock costs 10 seconds.
    const result = await go(createFakeEngine(), out, { loaded, now: () => (time += 10_000) });
    expect(result).toMatchObject({ state: "done", step: 6 });
  });

  it("judges fewer images, the same ones each round, where the minutes of a round are few", async () => {
    let time = 0;
    const out = scratch();
    const loaded = recipe(["evaluation.minutes=0.01", "evaluation.batchSize=2", "evaluation.every=0"]);
    await go(createFakeEngine(), out, { loaded, now: () => (time += 1000) });
    const lines = (await timeless(join(out, "evaluations.jsonl"))) as { images: number }[];
    expect(lines.map(({ images }) => images)).toEqual([2, 2, 2, 2, 2, 2]);
  });

  it("refuses to mix runs", async () => {
    const out = scratch();
    const engine = createFakeEngine();
    await expect(go(engine, out, { resume: true })).rejects.toThrow(/holds no run/);
    await go(engine, out);
    await expect(go(engine, out)).rejects.toThrow(/holds a run already/);
    const other = recipe(["grpo.kl.beta=0", "seed=3"]);
    await expect(go(engine, out, { resume: true, loaded: other })).rejects.toThrow(
      /another recipe: seed, grpo\.kl\.beta differ/,
    );
    const provenance = { ...partsOf(engine).provenance, data: { train: "other" } };
    const open = () => Promise.resolve(partsOf(engine, { provenance }));
    await expect(go(engine, out, { resume: true, open })).rejects.toThrow(InputError);
    // A refused resume leaves the run as it was, and free.
    expect(await readManifest(out)).toMatchObject({ state: "done" });
    await go(engine, out, { resume: true });
  });
});
