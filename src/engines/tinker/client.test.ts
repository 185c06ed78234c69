import { afterEach, describe, expect, it } from "vitest";
import { fastTools } from "../../../test/support/tinker/fast-tools.js";
import {
  startMockServer,
  type MockOptions,
  type MockServer,
} from "../../../test/support/tinker/mock-server.js";
import { baseTable, logSoftmax, VOCABULARY } from "../../../test/support/tinker/table-model.js";
import { TinkerClient, type TinkerClientOptions } from "./client.js";
import type { WireDatum } from "./wire/index.js";

const ADAM = {
  learningRate: 0.1,
  beta1: 0.9,
  beta2: 0.95,
  eps: 1e-12,
  weightDecay: 0,
  gradClipNorm: 0,
};
const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

async function setup(
  options: MockOptions = {},
  clientOptions: TinkerClientOptions = {},
): Promise<{ server: MockServer; client: TinkerClient }> {
  const server = await startMockServer(options);
  cleanups.push(() => server.close());
  const client = await TinkerClient.connect({
    baseUrl: server.url,
    tools: fastTools(),
    heartbeatMs: 0,
    encoding: options.protobuf === false ? "json" : "protobuf",
    ...clientOptions,
  });
  cleanups.push(() => client.close());
  return { server, client };
}

function datum(tokens: readonly number[], advantage = 1): WireDatum {
  const float = (value: number) => ({
    dtype: "float32" as const,
    data: new Float32Array(tokens.length - 1).fill(value),
    shape: [tokens.length - 1],
  });
  return {
    modelInput: [{ type: "encoded_text", tokens: Int32Array.from(tokens.slice(0, -1)) }],
    lossFnInputs: {
      target_tokens: {
        dtype: "int64",
        data: Int32Array.from(tokens.slice(1)),
        shape: [tokens.length - 1],
      },
      logprobs: float(-2.5),
      advantages: float(advantage),
    },
  };
}

const prompt = [{ type: "encoded_text" as const, tokens: Int32Array.of(3, 4) }];

describe.each([
  ["protobuf", {}],
  ["JSON", { protobuf: false }],
  ["not yet, then metadata, then the result", { notYet: 2, metadataFirst: true }],
  ["compressed bodies", { compress: true }],
] as const)("a whole session: %s", (_, options) => {
  it("trains, samples, saves and loads", async () => {
    const { server, client } = await setup(options);
    expect(client.models).toEqual([{ name: "table" }]);
    const model = await client.createModel({ baseModel: "table", rank: 8 });

    // Not awaited one by one: they go out in order all the same.
    const data = [datum([3, 4, 5, 0]), datum([3, 4, 0], -1)];
    const [before, first, step] = await Promise.all([
      model.forward(data),
      model.forwardBackward(data, { name: "importance_sampling" }),
      model.optimStep(ADAM),
    ]);
    expect(before.outputs[0]!["logprobs"]!.data[0]).toBeCloseTo(logSoftmax(baseTable(), 3)[4]!, 5);
    expect(first.outputs.map(({ logprobs }) => logprobs!.data.length)).toEqual([3, 2]);
    expect(step["skyrl.ai/grad_norm"]).toBeGreaterThan(0);
    expect(server.worked).toEqual(["forward_backward 2", "optim_step 3"]);

    const sampler = await model.sampler();
    const drawn = await sampler.sample(prompt, { numSamples: 4, maxTokens: 9, seed: 1, stop: [0] });
    expect(drawn.sequences).toHaveLength(4);
    for (const { tokens, logprobs, stopReason } of drawn.sequences) {
      expect(logprobs).toHaveLength(tokens.length);
      expect(stopReason === "stop").toBe(tokens.at(-1) === 0);
    }
    const again = await sampler.sample(prompt, { numSamples: 4, maxTokens: 9, seed: 1, stop: [0] });
    expect(again).toEqual(drawn);

    const path = await model.saveWeights("first");
    const resumed = await client.loadModel(path, { baseModel: "table", rank: 8 });
    const [a, b] = await Promise.all([model.forward(data), resumed.forward(data)]);
    expect(b.outputs).toEqual(a.outputs);
    const named = await model.saveSamplerWeights("also");
    const sessionOfNamed = await client.sampler({ modelPath: named });
    expect(
      (await sessionOfNamed.sample(prompt, { numSamples: 4, maxTokens: 9, seed: 1, stop: [0] })).sequences,
    ).toEqual(drawn.sequences);
    expect((await client.checkpoints(model.id)).map(({ name }) => name)).toContain("first");
    expect(await client.weightsInfo(path)).toEqual({ baseModel: "table", rank: 8 });
    await model.unload();
    await model.unload();
  });
});

describe("TinkerClient", () => {
  it("scores prompts from their second token on, whether or not a server begins with an undefined score", async () => {
    for (const leadingNaN of [true, false]) {
      const { client } = await setup({ leadingNaN });
      const base = await client.sampler({ baseModel: "table" });
      const scores = await base.promptLogprobs([{ type: "encoded_text", tokens: Int32Array.of(3, 4, 7) }]);
      expect(scores).toHaveLength(2);
      expect(scores[1]).toBeCloseTo(logSoftmax(baseTable(), 4)[7]!, 5);
    }
  });

  it("cuts large batches into requests, and the parts' gradients are the whole's", async () => {
    const data = Array.from({ length: 11 }, (_, i) => datum([i % VOCABULARY, 4, 5, 0], i - 5));
    const tables: number[][] = [];
    for (const maxDatums of [1024, 4]) {
      const { server, client } = await setup({}, { limits: { maxDatums } });
      const model = await client.createModel({ baseModel: "table", rank: 8 });
      const { outputs } = await model.forwardBackward(data, { name: "ppo" });
      expect(outputs).toHaveLength(11);
      // A large epsilon: Adam would blow rounding errors of zero gradients up.
      await model.optimStep({ ...ADAM, eps: 1 });
      expect(server.worked.filter((one) => one.startsWith("forward"))).toHaveLength(
        Math.ceil(11 / maxDatums),
      );
      tables.push(Array.from(server.models.get(model.id)!.table));
    }
    tables[0]!.forEach((value, i) => expect(tables[1]![i]).toBeCloseTo(value, 12));
  });

  it("limits how much is sampled together", async () => {
    const { client } = await setup({}, { limits: { samplingInFlight: 2 } });
    const base = await client.sampler({ baseModel: "table" });
    const all = await Promise.all(
      Array.from({ length: 9 }, (_, seed) => base.sample(prompt, { maxTokens: 2, seed })),
    );
    expect(all).toHaveLength(9);
  });

  it("refuses a base model that the server does not have: SkyRL would take another without a word", async () => {
    const { client } = await setup();
    await expect(client.createModel({ baseModel: "other", rank: 8 })).rejects.toThrow('no model "other"');
  });

  it("needs an address", async () => {
    await expect(TinkerClient.connect({ baseUrl: "localhost:8000" })).rejects.toThrow("no http address");
  });

  it("looks up a checkpoint that is already there", async () => {
    const { client } = await setup();
    const model = await client.createModel({ baseModel: "table", rank: 8 });
    const path = await model.saveWeights("same");
    expect(await model.saveWeights("same")).toBe(path);
  });

  it("notices when the session is over", async () => {
    const { server, client } = await setup();
    await client.beat();
    expect(client.sessionState).toBe("alive");
    server.expireSessions();
    await client.beat();
    expect(client.sessionState).toBe("expired");
  });

  it("says that the model is gone when the server was restarted, and goes on from a checkpoint", async () => {
    const { server, client } = await setup();
    const model = await client.createModel({ baseModel: "table", rank: 8 });
    const path = await model.saveWeights("kept");
    server.restart();
    await expect(model.forwardBackward([datum([3, 4])], { name: "ppo" })).rejects.toMatchObject({
      code: "model-gone",
    });
    await expect(model.optimStep(ADAM)).rejects.toMatchObject({ code: "out-of-step" });
    const anew = await TinkerClient.connect({ baseUrl: server.url, heartbeatMs: 0 });
    cleanups.push(() => anew.close());
    const resumed = await anew.loadModel(path, { baseModel: "table", rank: 8 });
    expect((await resumed.forward([datum([3, 4])])).outputs).toHaveLength(1);
  });

  it("carries the server's words for what it refuses", async () => {
    const { client } = await setup({ losses: ["cross_entropy"] });
    const model = await client.createModel({ baseModel: "table", rank: 8 });
    await expect(model.forwardBackward([datum([3, 4])], { name: "gspo" })).rejects.toMatchObject({
      code: "failed",
      status: 400,
      detail: "Loss functions ['gspo'] are not supported by the table backend",
    });
    await expect(model.optimStep({ ...ADAM, learningRate: -1 })).rejects.toMatchObject({
      code: "refused",
      status: 422,
      detail: "adam_params.learning_rate: Input should be greater than or equal to 0",
    });
    // Neither has hurt the model.
    expect(model.lost).toBeUndefined();
    await model.optimStep(ADAM);
    await expect(
      client.loadModel("tinker://model_x/weights/none", { baseModel: "table", rank: 8 }),
    ).rejects.toMatchObject({ code: "not-found" });
  });
});
