import { afterEach, describe, expect, it } from "vitest";
import { createRng } from "../../base/rng.js";
import { fastTools } from "../../../test/support/tinker/fast-tools.js";
import { startFaultProxy, type Fault, type FaultPlan } from "../../../test/support/tinker/fault-proxy.js";
import { startMockServer, type MockOptions } from "../../../test/support/tinker/mock-server.js";
import { TinkerClient, type TinkerClientOptions } from "./client.js";
import type { WireDatum } from "./wire/index.js";

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

async function setup(options: { server?: MockOptions; client?: TinkerClientOptions; plan?: FaultPlan } = {}) {
  const server = await startMockServer(options.server);
  cleanups.push(() => server.close());
  const proxy = await startFaultProxy(server.url);
  cleanups.push(() => proxy.close());
  if (options.plan) proxy.plan(options.plan);
  const tools = fastTools();
  const client = await TinkerClient.connect({
    baseUrl: proxy.url,
    tools,
    heartbeatMs: 0,
    limits: { pollTimeoutMs: 150, requestTimeoutMs: 150 },
    ...options.client,
  });
  cleanups.push(() => client.close());
  return { server, proxy, client, tools };
}

function datum(tokens: readonly number[], logprobs: Float32Array, advantage: number): WireDatum {
  const length = tokens.length - 1;
  return {
    modelInput: [{ type: "encoded_text", tokens: Int32Array.from(tokens.slice(0, -1)) }],
    lossFnInputs: {
      target_tokens: { dtype: "int64", data: Int32Array.from(tokens.slice(1)), shape: [length] },
      logprobs: { dtype: "float32", data: logprobs, shape: [length] },
      advantages: { dtype: "float32", data: new Float32Array(length).fill(advantage), shape: [length] },
    },
  };
}

const ADAM = { learningRate: 0.05, beta1: 0.9, beta2: 0.95, eps: 1e-6, weightDecay: 0, gradClipNorm: 0 };

/** Three steps of reinforcement learning with a save and a resumption between; what was drawn, and the weights at the end. */
async function session({ client, server }: Awaited<ReturnType<typeof setup>>) {
  let model = await client.createModel({ baseModel: "table", rank: 8 });
  const drawn: number[][] = [];
  const base = await client.sampler({ baseModel: "table" });
  for (let step = 0; step < 3; step++) {
    const sampler = await model.sampler();
    const { sequences } = await sampler.sample([{ type: "encoded_text", tokens: Int32Array.of(3) }], {
      numSamples: 4,
      maxTokens: 6,
      seed: 100 * step,
    });
    drawn.push(...sequences.map(({ tokens }) => Array.from(tokens)));
    const data = sequences.map(({ tokens, logprobs }, i) => datum([3, ...tokens], logprobs!, i - 1.5));
    await base.promptLogprobs([{ type: "encoded_text", tokens: Int32Array.of(3, ...sequences[0]!.tokens) }]);
    await Promise.all([
      model.forwardBackward(data.slice(0, 2), { name: "ppo" }),
      model.forwardBackward(data.slice(2), { name: "ppo" }),
      model.optimStep(ADAM),
    ]);
    const path = await model.saveWeights(`step-${step}`);
    if (step === 1) {
      await model.unload();
      model = await client.loadModel(path, { baseModel: "table", rank: 8 });
    }
  }
  return { drawn, table: Array.from(server.models.get(model.id)!.table), id: model.id };
}

const unbroken = async () => session(await setup());

const passing: readonly Fault[] = [
  { kind: "latency", ms: 5 },
  { kind: "reset-before" },
  { kind: "reset-after" },
  { kind: "reset-mid-body" },
  { kind: "status", status: 429, retryAfter: "2" },
  { kind: "status", status: 503 },
  { kind: "bad-gateway" },
  { kind: "truncate" },
  { kind: "corrupt" },
  { kind: "duplicate" },
];

describe("a bad network", () => {
  it.each(passing.map((fault) => [`${fault.kind} ${"status" in fault ? fault.status : ""}`, fault] as const))(
    "%s at every other request: the same draws, the same weights, nothing trained twice",
    async (_, fault) => {
      const expected = await unbroken();
      const broken = await setup({ plan: ({ index }) => (index % 2 === 0 ? fault : undefined) });
      const found = await session(broken);
      expect(found.drawn).toEqual(expected.drawn);
      expect(found.table).toEqual(expected.table);
      // Three steps of two passes and one optimiser step each.
      expect(broken.server.worked).toHaveLength(9);
      expect(broken.proxy.faults[fault.kind]).toBeGreaterThan(5);
    },
  );

  it.each([1, 2, 3, 4])("all of it by chance, seed %s", async (seed) => {
    const expected = await unbroken();
    const rng = createRng(seed);
    const broken = await setup({ plan: () => (rng.next() < 0.35 ? rng.pick(passing) : undefined) });
    const found = await session(broken);
    expect(found.drawn).toEqual(expected.drawn);
    expect(found.table).toEqual(expected.table);
    expect(broken.server.worked).toHaveLength(9);
  });

  it("waits as long as Retry-After says, and longer with each refusal", async () => {
    const { client, tools } = await setup({
      plan: ({ path, index }) =>
        path === "create_sampling_session" && index < 4
          ? { kind: "status", status: 429, ...(index === 0 && { retryAfter: "7" }) }
          : undefined,
    });
    await client.sampler({ baseModel: "table" });
    expect(tools.slept).toEqual([7000, 750, 1500, 3000]);
    expect(client.retries).toEqual({ "rate-limited": 4 });
  });

  it("gives up on a storm of 429 when its time is over, and says so", async () => {
    const { client, proxy } = await setup({ client: { retry: { budgetMs: 60_000 } } });
    proxy.plan(() => ({ kind: "status", status: 429 }));
    await expect(client.sampler({ baseModel: "table" })).rejects.toMatchObject({
      code: "rate-limited",
      message: expect.stringContaining("gave up after") as string,
    });
  });

  it("gives up on a server that never answers a request; the model then refuses further use", async () => {
    const { client, proxy, server } = await setup({ client: { retry: { budgetMs: 2000 } } });
    const model = await client.createModel({ baseModel: "table", rank: 8 });
    proxy.plan(() => ({ kind: "hang" }));
    await expect(
      model.forwardBackward([datum([3, 4], Float32Array.of(-2), 1)], { name: "ppo" }),
    ).rejects.toMatchObject({ code: "unreachable" });
    proxy.plan(() => undefined);
    await expect(model.optimStep(ADAM)).rejects.toMatchObject({ code: "out-of-step" });
    expect(server.worked).toEqual([]);
  });

  it("waits on where only the result is slow, and gives up where the server says nothing at all", async () => {
    const { client, proxy } = await setup({ client: { retry: { budgetMs: 2000 } } });
    const base = await client.sampler({ baseModel: "table" });
    const prompt = [{ type: "encoded_text" as const, tokens: Int32Array.of(3) }];
    proxy.plan(({ path, index }) => (path === "retrieve_future" && index < 3 ? { kind: "hang" } : undefined));
    expect((await base.sample(prompt, { maxTokens: 2, seed: 0 })).sequences).toHaveLength(1);
    expect(proxy.faults["hang"]).toBe(3);
    proxy.plan(({ path }) =>
      path === "retrieve_future" || path === "healthz" ? { kind: "hang" } : undefined,
    );
    await expect(base.sample(prompt, { maxTokens: 2, seed: 0 })).rejects.toMatchObject({
      code: "unreachable",
    });
  });

  it("does not repeat training on a server that would not know it again", async () => {
    const { client, proxy, server } = await setup({
      server: { deduplicates: false },
      client: { deduplicates: false },
    });
    const model = await client.createModel({ baseModel: "table", rank: 8 });
    const data = [datum([3, 4], Float32Array.of(-2), 1)];
    // Surely not taken: repeated.
    proxy.plan(({ path, index }) =>
      path === "forward_backward" && index === 0 ? { kind: "status", status: 429 } : undefined,
    );
    await model.forwardBackward(data, { name: "ppo" });
    // Perhaps taken: not repeated.
    proxy.plan(({ path }) => (path === "forward_backward" ? { kind: "reset-after" } : undefined));
    await expect(model.forwardBackward(data, { name: "ppo" })).rejects.toMatchObject({ code: "ambiguous" });
    await expect(model.optimStep(ADAM)).rejects.toMatchObject({ code: "out-of-step" });
    expect(server.worked).toEqual(["forward_backward 1", "forward_backward 2"]);
  });

  it("does not draw again where the session is gone", async () => {
    const { client, proxy, server } = await setup();
    const model = await client.createModel({ baseModel: "table", rank: 8 });
    const sampler = await model.sampler();
    proxy.plan(({ path }) => {
      if (path !== "asample") return undefined;
      server.restart();
      return { kind: "reset-before" };
    });
    await expect(
      sampler.sample([{ type: "encoded_text", tokens: Int32Array.of(3) }], { maxTokens: 2, seed: 0 }),
    ).rejects.toMatchObject({ code: "not-found" });
    expect(proxy.faults["reset-before"]).toBe(1);
  });

  it("hears of a session that ended while beats were lost", async () => {
    const { client, proxy, server } = await setup();
    proxy.plan(({ index }) => (index < 2 ? { kind: "reset-before" } : undefined));
    await client.beat();
    await client.beat();
    expect(client.sessionState).toBe("alive");
    server.expireSessions();
    await client.beat();
    expect(client.sessionState).toBe("expired");
  });

  it("ends when its caller does", async () => {
    const stop = new AbortController();
    const { client, proxy } = await setup({ client: { signal: stop.signal } });
    const base = await client.sampler({ baseModel: "table" });
    proxy.plan(({ path }) => (path === "retrieve_future" ? { kind: "hang" } : undefined));
    const result = base.sample([{ type: "encoded_text", tokens: Int32Array.of(3) }], {
      maxTokens: 2,
      seed: 0,
    });
    setTimeout(() => stop.abort(), 20);
    await expect(result).rejects.toMatchObject({ code: "aborted" });
  });
});
