/**
 * @file Whole runs on a server of the Tinker API: sampling ahead of training on every kind of server, budgets, and a bad
 * network, behind which a run goes on to the same numbers, or stops with a folder to resume.
 */
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { createRng, readJsonlTolerant, silentLogger } from "../src/base/index.js";
import { createTinkerEngine, type TinkerEngineOptions } from "../src/engines/tinker/index.js";
import { generatedSource } from "../src/rl/index.js";
import { parseRecipe, readManifest, train, type TrainOptions } from "../src/runs/index.js";
import { fastTools } from "./support/tinker/fast-tools.js";
import { startFaultProxy, type Fault, type FaultPlan } from "./support/tinker/fault-proxy.js";
import { startMockServer, type MockOptions } from "./support/tinker/mock-server.js";
import { baseTable } from "./support/tinker/table-model.js";

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

const RECIPE = `kind: grpo
seed: 5
engine: {kind: tinker, model: none}
trainable: {kind: lora, rank: 8}
data: {train: "scenes:plaza"}
grpo:
  steps: 5
  imagesPerStep: 1
  groupSize: 4
  maxStaleness: 1
  sampling: {maxTokens: 8}
  kl: {placement: reward}
  optimizer: {learningRate: 0.2}
checkpoints: {every: 1, keep: 9}
`;
interface Item {
  readonly id: string;
  readonly width: number;
  readonly height: number;
  readonly index: number;
}

interface GoOptions extends Omit<Partial<TrainOptions<Item>>, "set"> {
  readonly engine?: Partial<TinkerEngineOptions>;
  readonly set?: string[];
}

/** The k-th token of a response is a box: that of the k-th person where its id is even, else one of nobody. */
const corners = (k: number, hit: boolean) => [8 * k, hit ? 0 : 30, 8 * k + 6, hit ? 20 : 50] as const;
const text = (tokens: Int32Array): string =>
  `<think>some</think><look>[]</look><answer>[${Array.from(
    tokens,
    (id, k) => `[${corners(k, id % 2 === 0).join(",")}]`,
  ).join(",")}]</answer>`;

async function bench(options: MockOptions = {}) {
  const server = await startMockServer(options);
  cleanups.push(() => server.close());
  const proxy = await startFaultProxy(server.url);
  cleanups.push(() => proxy.close());
  const go = (out: string, { engine, set = [], ...more }: GoOptions = {}) =>
    train<Item>({
      ...more,
      out,
      loaded: parseRecipe(RECIPE, "r.yaml", { set }),
      open: async () => ({
        engine: await createTinkerEngine({
          baseUrl: proxy.url,
          tools: fastTools(),
          heartbeatMs: 0,
          contextLength: 64,
          probeTokens: [1, 2, 3, 4, 5, 6, 7],
          rank: 8,
          ...engine,
        }),
        codec: {
          endTokens: [0],
          encode: () => new Int32Array(),
          decode: text,
          spans: (tokens) => Array.from(tokens, () => ({ start: 0, end: 0 })),
        },
        encode: ({ index }) => ({
          prompt: { chunks: [{ kind: "text", tokens: Int32Array.of(1, 2 + (index % 5)) }] },
          truth: {
            size: { width: 64, height: 64 },
            objects: Array.from({ length: 8 }, (_, k) => {
              const [x1, y1, x2, y2] = corners(k, true);
              return { box: { x1, y1, x2, y2 }, label: "person" };
            }),
            ignore: [],
          },
        }),
        teach: () => "",
        source: generatedSource((index) => ({ id: `item-${index}`, width: 64, height: 64, index })),
        sets: [],
        provenance: { data: {}, model: "table", code: { version: "0", sha256: "0" }, versions: {} },
      }),
    });
  return { server, proxy, go };
}

const scratch = () => join(mkdtempSync(join(tmpdir(), "dip-faults-")), "run");
async function story(run: string): Promise<unknown[]> {
  const drop = new Set(["seconds", "trainedSeconds", "tokensPerSecond", "sampledTokensPerSecond"]);
  const files = ["metrics.jsonl", "rollouts.jsonl"].map((name) => readJsonlTolerant(join(run, name)));
  return (await Promise.all(files))
    .flat()
    .map((line) => Object.fromEntries(Object.entries(line as object).filter(([key]) => !drop.has(key))));
}
const tableOf = ({ models }: Awaited<ReturnType<typeof startMockServer>>) =>
  Array.from([...models.values()].at(-1)!.table);

const passing: readonly Fault[] = [
  { kind: "latency", ms: 3 },
  { kind: "reset-before" },
  { kind: "reset-after" },
  { kind: "reset-mid-body" },
  { kind: "status", status: 429, retryAfter: "1" },
  { kind: "status", status: 503 },
  { kind: "bad-gateway" },
  { kind: "truncate" },
  { kind: "corrupt" },
  { kind: "duplicate" },
];

/** What a run comes to where nothing happens to it. */
let unbroken: { readonly story: unknown[]; readonly table: number[] };
beforeAll(async () => {
  const { server, go } = await bench();
  const out = scratch();
  await go(out);
  unbroken = { story: await story(out), table: tableOf(server) };
});

interface Line {
  readonly staleness: number;
  readonly logprobGap: number;
}
const metrics = async (run: string) => (await readJsonlTolerant(join(run, "metrics.jsonl"))) as Line[];

it("learns something, or all that follows would say little", () => {
  expect(unbroken.table).not.toEqual(Array.from(baseTable()));
});

describe("sampling ahead of training", () => {
  it.each([
    ["keeps every sampler's weights", {}],
    ["holds one set of weights for sampling", { oneSampler: true, needsModel: true }],
    ["samples from the weights in training", { isolated: false, normalization: "mean" }],
  ] as const)("on a server that %s, resumed to the same", async (_, options) => {
    const { server, go } = await bench(options);
    const [whole, broken] = [scratch(), scratch()];
    const set = ["grpo.maxStaleness=2"];
    await go(whole, { set });
    const expected = tableOf(server);
    const lines = await metrics(whole);
    expect(lines.map(({ staleness }) => staleness)).toEqual([0, 1, 2, 2, 2]);
    expect(lines[0]!.logprobGap).toBeLessThan(1e-5);
    // A step whose responses earn all the same has nothing to compare.
    expect(Math.max(...lines.slice(1).map(({ logprobGap }) => logprobGap))).toBeGreaterThan(1e-3);

    const cut = go(broken, {
      set,
      onEvent(event) {
        if (event.kind === "grpo" && event.step.step === 3) throw new Error("power cut");
      },
    });
    await expect(cut).rejects.toThrow("power cut");
    await go(broken, { set, resume: true });
    expect(await story(broken)).toEqual(await story(whole));
    expect(tableOf(server)).toEqual(expected);
  });
});

describe("a budget of tokens", () => {
  it("ends a run with a checkpoint after the step that reached it, counted over resumptions", async () => {
    const { go } = await bench();
    const out = scratch();
    const warnings: string[] = [];
    const logger = { ...silentLogger, warn: (message: string) => void warnings.push(message) };
    const first = await go(out, { maxTokens: 200, logger });
    expect(first).toMatchObject({ state: "stopped" });
    expect(first.step).toBeGreaterThan(0);
    expect(first.step).toBeLessThan(5);
    expect(warnings.join()).toContain("the budget of 200 tokens is spent");
    expect(await go(out, { maxTokens: 200, resume: true })).toMatchObject({ step: first.step });
    expect(await go(out, { resume: true })).toMatchObject({ state: "done", step: 5 });
    expect(await story(out)).toEqual(unbroken.story);
  });

  it("of the engine stops it before the request that would be over it, to be resumed with a larger one", async () => {
    const { go } = await bench();
    const out = scratch();
    await expect(go(out, { engine: { maxTokensBudget: 200 } })).rejects.toThrow("its budget is 200");
    expect(await readManifest(out)).toMatchObject({ state: "failed" });
    expect(await go(out, { resume: true })).toMatchObject({ state: "done", step: 5 });
    expect(await story(out)).toEqual(unbroken.story);
  });
});

describe("a run on a bad network", () => {
  it.each([1, 2])(
    "goes on through all of it by chance (seed %s): same rollouts, same weights",
    async (seed) => {
      const { server, proxy, go } = await bench();
      const rng = createRng(seed);
      proxy.plan(() => (rng.next() < 0.3 ? rng.pick(passing) : undefined));
      const out = scratch();
      expect(await go(out)).toMatchObject({ state: "done", step: 5 });
      expect(await story(out)).toEqual(unbroken.story);
      expect(tableOf(server)).toEqual(unbroken.table);
      expect(Object.keys(proxy.faults).length).toBeGreaterThan(5);
    },
  );

  it.each([
    [
      "never answers gradients again",
      ({ path }) => (path === "forward_backward" ? { kind: "hang" } : undefined),
    ],
    ["is overrun for longer than it is waited for", () => ({ kind: "status", status: 429 })],
    [
      "gives results that are always damaged",
      ({ path }) => (path === "retrieve_future" ? { kind: "corrupt" } : undefined),
    ],
  ] as const satisfies readonly (readonly [string, FaultPlan])[])(
    "stops where the server %s, and goes on from its folder",
    async (_, plan) => {
      const { server, proxy, go } = await bench();
      const out = scratch();
      const error: unknown = await go(out, {
        engine: { retry: { budgetMs: 3000 }, limits: { requestTimeoutMs: 1500 } },
        onEvent(event) {
          if (event.kind === "checkpoint" && event.step === 2) proxy.plan(plan as FaultPlan);
        },
      }).catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ name: "TinkerError" });
      expect(await readManifest(out)).toMatchObject({ state: "failed" });
      proxy.plan(() => undefined);
      expect(await go(out, { resume: true })).toMatchObject({ state: "done", step: 5 });
      expect((await readManifest(out)).resumed).toEqual([2]);
      expect(await story(out)).toEqual(unbroken.story);
      expect(tableOf(server)).toEqual(unbroken.table);
    },
  );
});
