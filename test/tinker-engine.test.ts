import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import type { Datum, Loss, Prompt } from "../src/engines/contract.js";
import { createTinkerEngine, type TinkerEngineOptions } from "../src/engines/tinker/index.js";
import { tokenWeights, type Aggregation } from "../src/rl/aggregation.js";
import { grpo } from "../src/rl/grpo.js";
import { grpoDefaults, type GrpoConfig } from "../src/rl/grpo-config.js";
import { policyLoss } from "../src/rl/policy-loss.js";
import { defaultRewardConfig } from "../src/rewards/index.js";
import type { SampleEncoder, TextCodec } from "../src/rl/text.js";
import { fastTools } from "./support/tinker/fast-tools.js";
import { startMockServer, type MockOptions } from "./support/tinker/mock-server.js";
import { baseTable, logSoftmax, VOCABULARY } from "./support/tinker/table-model.js";

const V = VOCABULARY;
const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

async function start(options: MockOptions = {}) {
  const server = await startMockServer(options);
  cleanups.push(() => server.close());
  return server;
}

async function connect(url: string, options: Partial<TinkerEngineOptions> = {}) {
  const engine = await createTinkerEngine({
    baseUrl: url,
    tools: fastTools(),
    heartbeatMs: 0,
    contextLength: 128,
    probeTokens: [1, 2, 3, 4, 5, 6, 7],
    ...options,
  });
  cleanups.push(() => engine.close());
  return engine;
}

const text = (...tokens: number[]): Prompt => ({
  chunks: [{ kind: "text", tokens: Int32Array.from(tokens) }],
});
const picture: Prompt = {
  chunks: [
    { kind: "text", tokens: Int32Array.of(3) },
    { kind: "image", image: { width: 2, height: 2, data: new Uint8Array(12) }, tokens: 4 },
    { kind: "text", tokens: Int32Array.of(5) },
  ],
};

/** Sequences of unequal length and weight, some of them with a picture. */
function batchFor(kind: Aggregation["kind"], images: boolean): Datum[] {
  const completions = [[4, 5, 6], [7], [8, 9, 10, 11, 0], [2, 2]];
  const weights = tokenWeights(
    completions.map(({ length }) => length),
    { kind, maxTokens: 6 },
  );
  return completions.map((list, i) => ({
    prompt: images && i % 2 === 0 ? picture : text(3, i),
    tokens: Int32Array.from(list),
    weights: weights[i]!,
    advantages: Float32Array.from(list, (_, t) => (i - 1.4) * (1 + t)),
    oldLogprobs: Float32Array.from(list, (_, t) => -2.4 - 0.3 * t),
  }));
}

/** Loss and gradient by the formulas of the design, on the mock's base table. */
function byFormula(batch: readonly Datum[], loss: Loss) {
  const table = baseTable();
  const rows = batch.map(({ prompt, tokens }) => {
    const last = (prompt.chunks.at(-1) as { readonly tokens: Int32Array }).tokens.at(-1)!;
    return [last, ...Array.from(tokens).slice(0, -1)];
  });
  const logprobs = batch.map(({ tokens }, i) =>
    Float64Array.from(tokens, (token, t) => logSoftmax(table, rows[i]![t]!)[token]!),
  );
  const result =
    loss.kind === "policy"
      ? policyLoss(
          batch.map(({ advantages, oldLogprobs, weights }, i) => ({
            logprobs: logprobs[i]!,
            advantages: advantages!,
            oldLogprobs: oldLogprobs!,
            weights,
          })),
          loss,
        )
      : {
          loss: -batch.reduce(
            (sum, { weights }, i) => weights.reduce((a, w, t) => a + w * logprobs[i]![t]!, sum),
            0,
          ),
          gradient: batch.map(({ weights }) => weights.map((w) => -w)),
        };
  const gradient = new Float64Array(V * V);
  batch.forEach(({ tokens }, i) =>
    tokens.forEach((token, t) => {
      const scores = logSoftmax(table, rows[i]![t]!);
      for (let v = 0; v < V; v++)
        gradient[rows[i]![t]! * V + v]! +=
          result.gradient[i]![t]! * ((v === token ? 1 : 0) - Math.exp(scores[v]!));
    }),
  );
  return { loss: result.loss, gradNorm: Math.hypot(...gradient), logprobs };
}

const policy: Loss = {
  kind: "policy",
  clipLow: 0.2,
  clipHigh: 0.3,
  klBeta: 0,
  klEstimator: "k3",
  temperature: 1,
};
const kinds = ["sum", "mean"] as const;
const aggregations = ["token", "sequence", "constant"] as const;

describe("the gradient is the contract's, whatever a server makes of a batch", () => {
  it.each(
    kinds.flatMap((normalization) =>
      aggregations.flatMap((aggregation) =>
        [policy, { kind: "crossEntropy" } as const].map(
          (loss) => [normalization, aggregation, loss.kind, loss] as const,
        ),
      ),
    ),
  )("%s server, %s aggregation, %s", async (normalization, aggregation, _, loss) => {
    const server = await start({ normalization });
    // In parts of three sequences, so that a batch is more than one request.
    const engine = await connect(server.url, { picture, limits: { maxDatums: 3 } });
    expect(engine.traits).toMatchObject({ normalization, images: true, policyLoss: "ppo" });
    const batch = batchFor(aggregation, true);
    const expected = byFormula(batch, loss);
    const report = await engine.forwardBackward(batch, loss);
    expect(report.loss).toBeCloseTo(expected.loss, 5);
    report.logprobs.forEach((list, i) =>
      list.forEach((logprob, t) => expect(logprob).toBeCloseTo(expected.logprobs[i]![t]!, 5)),
    );
    const step = await engine.optimStep({ learningRate: 0.01 });
    expect(step.step).toBe(1);
    expect(step.gradNorm).toBeCloseTo(expected.gradNorm, 4);
  });

  it.each(kinds)("accumulates over passes on a %s server", async (normalization) => {
    const engine = await connect((await start({ normalization })).url);
    const batch = batchFor("token", false);
    await engine.forwardBackward(batch.slice(0, 3), policy);
    await engine.forwardBackward(batch.slice(3), policy);
    const { gradNorm } = await engine.optimStep({ learningRate: 0.01 });
    expect(gradNorm).toBeCloseTo(byFormula(batch, policy).gradNorm, 4);
  });
});

describe("finding out what a server does", () => {
  it("sees a server like SkyRL's JAX backend for what it is, and says so", async () => {
    const server = await start({ normalization: "mean", isolated: false, images: false, leadingNaN: false });
    const engine = await connect(server.url, { picture });
    expect(engine.traits).toEqual({
      normalization: "mean",
      policyLoss: "ppo",
      promptLogprobs: true,
      images: false,
      isolatedSamplers: false,
      keptSamplers: false,
      deduplicates: true,
      gradNorm: true,
    });
    expect(engine.capabilities).toMatchObject({
      engine: "tinker",
      model: "table",
      klInLoss: false,
      images: false,
    });
    expect(engine.notes.join("\n")).toMatch(
      /averages over each sequence[^]*text only[^]*only the newest sampler/,
    );
    // The model it was tried on is gone.
    expect([...server.models.values()].filter(({ loaded }) => loaded)).toEqual([]);
    const sampler = await engine.sampler();
    await expect(
      sampler.sample(picture, { n: 1, maxTokens: 2, temperature: 1, seed: 0, stop: [] }),
    ).rejects.toThrow("does not take pictures");
    await expect(engine.forwardBackward(batchFor("token", true), policy)).rejects.toThrow(
      "does not take pictures",
    );
  });

  it("sees a server like SkyRL's FSDP backend for what it is: one set of weights for sampling, none without a model", async () => {
    const server = await start({ oneSampler: true, needsModel: true });
    const engine = await connect(server.url, { picture });
    expect(engine.traits).toMatchObject({
      promptLogprobs: true,
      images: true,
      isolatedSamplers: true,
      keptSamplers: false,
    });
    expect(engine.capabilities.samplers).toBe("newest");
    expect(engine.notes.join("\n")).toContain("one set of weights for sampling");
    const params = { n: 3, maxTokens: 8, temperature: 1, seed: 7, stop: [0] };
    const old = await engine.sampler();
    const before = await old.sample(text(3), params);
    await engine.forwardBackward(batchFor("token", false), policy);
    await engine.optimStep({ learningRate: 0.5 });
    // Training has not reached it; what it is asked is done before new weights take its place.
    const later = old.sample(text(3), params);
    const fresh = await engine.sampler();
    expect(await later).toEqual(before);
    expect(await fresh.sample(text(3), params)).not.toEqual(before);
    await expect(old.sample(text(3), params)).rejects.toThrow("has newer ones by now");
  });

  it("asks nothing where everything is known", async () => {
    const server = await start();
    const { traits } = await connect(server.url, { picture });
    const models = server.models.size;
    await connect(server.url, { picture, traits });
    expect(server.models.size).toBe(models);
  });

  it("falls back to importance sampling, and to a run without reference", async () => {
    const server = await start({ losses: ["cross_entropy", "importance_sampling"], promptLogprobs: false });
    const engine = await connect(server.url);
    expect(engine.traits).toMatchObject({ policyLoss: "importance_sampling", promptLogprobs: false });
    expect(engine.notes.join("\n")).toMatch(/no clipped loss[^]*kl.beta must be 0/);
    const reference = await engine.reference();
    await expect(reference.logprobs(text(3), Int32Array.of(4))).rejects.toThrow("does not score");
  });

  it("says which trait it cannot find out", async () => {
    const server = await start({ gradNorm: false });
    await expect(connect(server.url)).rejects.toThrow("how it normalises losses cannot be found out");
    const engine = await connect(server.url, { traits: { normalization: "sum" } });
    expect(engine.traits.gradNorm).toBe(false);
  });

  it("notices a server that does not know repeated requests again", async () => {
    const engine = await connect((await start({ deduplicates: false })).url);
    expect(engine.traits.deduplicates).toBe(false);
  });

  it("needs to know the model and its length", async () => {
    const { url } = await start();
    await expect(connect(url, { baseModel: "other" })).rejects.toThrow('no model "other"');
    await expect(connect(url, { contextLength: undefined })).rejects.toThrow("how many tokens");
  });

  it("refuses what would be computed otherwise than asked", async () => {
    const engine = await connect((await start()).url);
    const batch = batchFor("token", false);
    await expect(engine.forwardBackward(batch, { ...policy, klBeta: 0.1 })).rejects.toThrow("no KL term");
    await expect(engine.forwardBackward(batch, { ...policy, temperature: 0.7 })).rejects.toThrow(
      "temperature 1",
    );
    const sampler = await engine.sampler();
    await expect(sampler.logprobs(text(3), Int32Array.of(4), 0.5)).rejects.toThrow("temperature 1");
    await expect(
      sampler.sample(text(3), { n: 1, maxTokens: 500, temperature: 1, seed: 0, stop: [] }),
    ).rejects.toThrow("501 tokens");
  });
});

describe("samplers", () => {
  it.each([true, false])(
    "reach the weights they were made of, or refuse (isolated: %s)",
    async (isolated) => {
      const engine = await connect((await start({ isolated })).url);
      const old = await engine.sampler();
      const params = { n: 3, maxTokens: 8, temperature: 1, seed: -7, stop: [0] };
      const before = await old.sample(text(3), params);
      await engine.forwardBackward(batchFor("token", false), policy);
      await engine.optimStep({ learningRate: 0.5 });
      const later = await old.sample(text(3), params).catch((error: Error) => error.message);
      expect(later).toEqual(
        isolated
          ? before
          : "This server cannot sample from weights of an earlier step while training goes on.",
      );
      const fresh = await engine.sampler();
      const drawn = await fresh.sample(text(3), params);
      expect(drawn).not.toEqual(before);
      // What was drawn is scored alike by sampler and trainer.
      const scored = await fresh.logprobs(text(3), drawn[0]!.tokens);
      scored.forEach((logprob, t) => expect(logprob).toBeCloseTo(drawn[0]!.logprobs[t]!, 5));
    },
  );

  it("ends a response that writes one box over and over, as the local engine would", async () => {
    const engine = await connect((await start()).url, { pieceOf: () => "[1,2,3,4]," });
    const sampler = await engine.sampler();
    const [one] = await sampler.sample(text(3), {
      n: 1,
      maxTokens: 9,
      temperature: 1,
      seed: 0,
      stop: [],
      maxBoxRepeats: 4,
    });
    expect(one).toMatchObject({ stopReason: "loop" });
    expect(one!.tokens).toHaveLength(4);
    expect(one!.logprobs).toHaveLength(4);
  });
});

const words = [
  "<eos>",
  "<think>some people</think><look>[",
  "]</look><answer>[",
  "]</answer>",
  ",",
  "[0,0,20,40]",
  "[20,0,40,40]",
  "[44,8,60,56]",
  "[0,44,20,60]",
  " ",
  ".",
  "-",
];
const codec: TextCodec = {
  endTokens: [0],
  encode: () => new Int32Array(),
  decode: (tokens) => Array.from(tokens, (token) => words[token]!).join(""),
  spans: (tokens) => Array.from(tokens, () => ({ start: 0, end: 0 })),
};
const encode: SampleEncoder<{ readonly id: string }> = () => ({
  prompt: text(1, 5),
  truth: {
    size: { width: 64, height: 64 },
    objects: [{ box: { x1: 0, y1: 0, x2: 20, y2: 40 }, label: "person" }],
    ignore: [],
  },
});
const config: GrpoConfig = {
  ...grpoDefaults,
  seed: 3,
  steps: 4,
  imagesPerStep: 2,
  groupSize: 6,
  sampling: { ...grpoDefaults.sampling, maxTokens: 12 },
  rewards: defaultRewardConfig,
  kl: { beta: 0.04, estimator: "k3", placement: "reward" },
  optimizer: { learningRate: 0.05 },
};
const source = {
  take: (cursor: number, count: number) =>
    Promise.resolve(Array.from({ length: count }, (_, i) => ({ id: String(cursor + i) }))),
};

describe("GRPO over the wire", () => {
  it("goes on after a kill in the middle of a step with the weights of an unbroken run", async () => {
    for (const options of [{}, { normalization: "mean", isolated: false, leadingNaN: false }] as const) {
      const folder = await mkdtemp(join(tmpdir(), "tinker-"));
      cleanups.push(() => rm(folder, { recursive: true }));
      const server = await start(options);
      const lastTable = () => Array.from([...server.models.values()].at(-1)!.table);

      const whole = await connect(server.url);
      const losses: number[] = [];
      for await (const step of grpo({ engine: whole, source, encode, codec, config })) {
        losses.push(step.metrics.loss);
        expect(step.metrics.logprobGap).toBeLessThan(1e-5);
        expect(step.metrics.kl).toBeDefined();
      }
      const unbroken = lastTable();
      expect(unbroken).not.toEqual(Array.from(baseTable()));

      const killed = await connect(server.url);
      const again: number[] = [];
      for await (const step of grpo({ engine: killed, source, encode, codec, config })) {
        again.push(step.metrics.loss);
        if (step.step < 2) continue;
        await killed.save(folder);
        break;
      }
      // The next step had begun: gradients are on the server that no optimiser step has taken.
      await killed.forwardBackward(batchFor("token", false), policy);

      const resumed = await connect(server.url);
      await resumed.load({ path: folder, step: 2 });
      expect(resumed.usage.sampled).toBeGreaterThan(0);
      const state = { step: 2, cursor: 2 * config.imagesPerStep };
      for await (const step of grpo({ engine: resumed, source, encode, codec, config, state }))
        again.push(step.metrics.loss);
      expect(again).toEqual(losses);
      expect(lastTable()).toEqual(unbroken);
    }
  });

  it("stops before it spends more tokens than it may", async () => {
    const engine = await connect((await start()).url, { maxTokensBudget: 300 });
    const run = async () => {
      for await (const _ of grpo({ engine, source, encode, codec, config }));
    };
    await expect(run()).rejects.toThrow("its budget is 300");
    expect(engine.usage.prompt).toBeGreaterThan(0);
  });

  it("says what is wrong with a checkpoint", async () => {
    const folder = await mkdtemp(join(tmpdir(), "tinker-"));
    cleanups.push(() => rm(folder, { recursive: true }));
    const server = await start();
    const engine = await connect(server.url);
    await expect(engine.load({ path: folder, step: 1 })).rejects.toThrow("no checkpoint of a tinker engine");
    await engine.save(folder);
    const other = await connect((await start()).url);
    await expect(other.load({ path: folder, step: 0 })).rejects.toThrow("no longer has the checkpoint");
    const rank = await connect(server.url, { rank: 4 });
    await expect(rank.load({ path: folder, step: 0 })).rejects.toThrow("with rank 16");
  });
});
