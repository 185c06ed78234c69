/** @file The tinker engine against a real SkyRL server: `npm run test:skyrl`. One server for all, in this order. */
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readJsonlTolerant, silentLogger } from "../../src/base/index.js";
import {
  createTinkerEngine,
  isTinkerError,
  TinkerClient,
  type TrainingModel,
} from "../../src/engines/tinker/index.js";
import { readManifest } from "../../src/runs/index.js";
import { startFaultProxy, type FaultProxy } from "../support/tinker/fault-proxy.js";
import { errorCases, errorOf, openBench, type ErrorBench } from "./error-cases.js";
import { adapterHash } from "./saved-adapter.js";
import { ADAPTERS, startSkyrl, tinyModel, type SkyrlServer } from "./server.js";
import { connect, LENGTH, textRun } from "./text-run.js";

const STEPS = 12;
const folder = mkdtempSync(join(tmpdir(), "skyrl-"));
const place = (name: string) => join(folder, name);
const whole = place("whole");
let server: SkyrlServer;
let proxy: FaultProxy;

beforeAll(async () => {
  server = await startSkyrl(place("server"));
});
afterAll(async () => {
  await proxy?.close();
  await server?.stop();
  rmSync(folder, { recursive: true, force: true });
});

interface Line {
  readonly step: number;
  readonly reward: { readonly mean: number };
  readonly maxLogprobGap: number;
  readonly effectiveSampleShare: number;
  readonly staleness: number;
}
const metrics = async (run: string) => (await readJsonlTolerant(join(run, "metrics.jsonl"))) as Line[];
const TIMES = new Set(["seconds", "trainedSeconds", "tokensPerSecond", "sampledTokensPerSecond"]);
/** Everything that a run wrote of its first steps, but what the clock decides. */
async function story(run: string, steps: number): Promise<unknown[]> {
  const files = ["metrics.jsonl", "rollouts.jsonl"].map((name) => readJsonlTolerant(join(run, name)));
  return ((await Promise.all(files)).flat() as Line[])
    .filter(({ step }) => step <= steps)
    .map((line) => Object.fromEntries(Object.entries(line).filter(([key]) => !TIMES.has(key))));
}
/** What the server keeps of a step of a run. */
const weights = (run: string, step: number) => adapterHash(server, run, step);

const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;

describe("SkyRL 0.4.0, JAX backend", () => {
  it("is found to be what its source says", async () => {
    const engine = await connect(server.url);
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
    await engine.close();
  });

  it("learns: the reward of a GRPO run rises over 12 steps, and sampler and trainer agree to 1e-4", async () => {
    const result = await textRun({ url: server.url, out: whole, steps: STEPS });
    expect(result).toMatchObject({ state: "done", step: STEPS });
    const lines = await metrics(whole);
    const rewards = lines.map(({ reward }) => reward.mean);
    console.log(`rewards: ${rewards.map((reward) => reward.toFixed(3)).join(" ")}`);
    console.log(`largest gap: ${Math.max(...lines.map(({ maxLogprobGap }) => maxLogprobGap))}`);
    expect(lines).toHaveLength(STEPS);
    expect(mean(rewards.slice(-4))).toBeGreaterThan(mean(rewards.slice(0, 4)) + 0.02);
    for (const { maxLogprobGap, effectiveSampleShare } of lines) {
      expect(maxLogprobGap).toBeLessThan(1e-4);
      expect(effectiveSampleShare).toBeCloseTo(1, 4);
    }
  });

  it("goes on after its client was killed in the middle of a step, to the same batches and weights", async () => {
    const run = place("killed");
    const program = fileURLToPath(new URL("text-run.ts", import.meta.url));
    proxy = await startFaultProxy(server.url);
    const child = spawn(process.execPath, ["--import", "tsx", program, proxy.url, run, String(STEPS)], {
      stdio: ["ignore", "inherit", "inherit"],
    });
    const gone = new Promise<NodeJS.Signals | null>((resolve) =>
      child.on("exit", (_, signal) => resolve(signal)),
    );
    // The gradients of the third step reach the server; nobody is there to ask for its optimiser step.
    proxy.plan(({ path }) => {
      if (path === "forward_backward" && existsSync(join(run, "checkpoints", "step-000002")))
        child.kill("SIGKILL");
      return undefined;
    });
    expect(await gone).toBe("SIGKILL");
    expect(await metrics(run)).toHaveLength(2);

    await textRun({ url: server.url, out: run, steps: 5, resume: true });
    expect((await readManifest(run)).resumed).toEqual([2]);
    expect(await story(run, 5)).toEqual(await story(whole, 5));
    const expected = await weights(whole, 5);
    expect(await weights(run, 5)).toBe(expected);
    expect(await weights(whole, 4)).not.toBe(expected);
  });

  it("samples ahead of training, stale by the steps it says", async () => {
    const [ahead, broken] = [place("ahead"), place("ahead-broken")];
    const more = "maxStaleness: 2";
    await textRun({ url: server.url, out: ahead, steps: 5, more });
    const lines = await metrics(ahead);
    expect(lines.map(({ staleness }) => staleness)).toEqual([0, 1, 2, 2, 2]);
    // The first batch is of the weights it trains; the ratio of the others is that to their sampler.
    expect(lines[0]!.maxLogprobGap).toBeLessThan(1e-4);
    for (const { maxLogprobGap } of lines.slice(1)) expect(maxLogprobGap).toBeGreaterThan(1e-3);
    // Broken off with two batches under way, and taken up again.
    const stop = new AbortController();
    const onEvent = ({ kind }: { readonly kind: string }) => {
      if (kind === "checkpoint") stop.abort();
    };
    await textRun({ url: server.url, out: broken, steps: 5, more, onEvent, signal: stop.signal });
    expect(await metrics(broken)).toHaveLength(1);
    await textRun({ url: server.url, out: broken, steps: 5, more, resume: true });
    expect(await story(broken, 5)).toEqual(await story(ahead, 5));
    expect(await weights(broken, 5)).toBe(await weights(ahead, 5));
  });
});

describe("what it refuses", () => {
  let bench: ErrorBench;
  beforeAll(async () => {
    bench = await openBench(server.url);
  });
  afterAll(() => bench?.close());

  it.each(errorCases.map((one) => [one.name, one] as const))("%s", async (_, one) => {
    const error = await errorOf(one, bench);
    expect(error).toMatchObject({ code: one.code, status: one.status });
    // The call, the server's own words, and advice.
    expect(error.operation).toMatch(/./);
    expect(error.detail).toMatch(one.words);
    expect(error.message).toContain(error.detail);
    expect(error.hint).toMatch(/./);
  });

  it("names of checkpoints that are taken are looked up", async () => {
    const path = await bench.model.saveWeights("twice");
    expect(await bench.model.saveWeights("twice")).toBe(path);
    expect((await bench.client.checkpoints(bench.model.id)).map(({ name }) => name)).toEqual(["twice"]);
  });

  it("another base model, which it would silently replace, is refused here", async () => {
    await expect(bench.client.createModel({ baseModel: "other", rank: 8 })).rejects.toThrow(
      `The server has no model "other".`,
    );
  });

  it("more than the model has room for, which it would take, is refused here", async () => {
    const engine = await connect(server.url, { traits: known });
    try {
      const prompt = { chunks: [{ kind: "text" as const, tokens: new Int32Array(3000).fill(5) }] };
      const sampler = await engine.sampler();
      const params = { n: 1, maxTokens: LENGTH, temperature: 1, seed: 0, stop: [] };
      await expect(sampler.sample(prompt, params)).rejects.toThrow("the model has room for 64");
    } finally {
      await engine.close();
    }
  });

  it("too many adapters", async () => {
    const made: TrainingModel[] = [];
    try {
      const error: unknown = await (async () => {
        for (let i = 0; i <= ADAPTERS; i++)
          made.push(await bench.client.createModel({ baseModel: tinyModel, rank: 8 }));
      })().catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ code: "failed", status: 400 });
      expect(isTinkerError(error) && error.detail).toMatch(/Maximum number of LoRA adapters/);
      expect(made.length).toBeLessThan(ADAPTERS);
    } finally {
      for (const model of made) await model.unload();
    }
  });

  it("a result that takes longer than it holds a request open is asked for again", async () => {
    proxy.plan(({ path, index }) =>
      path === "retrieve_future" && index < 2 ? { kind: "status", status: 408 } : undefined,
    );
    const client = await TinkerClient.connect({ baseUrl: proxy.url, heartbeatMs: 0 });
    const base = await client.sampler({ baseModel: tinyModel });
    const prompt = [{ type: "encoded_text" as const, tokens: Int32Array.of(1, 30, 40) }];
    expect(await base.promptLogprobs(prompt)).toHaveLength(2);
    expect(proxy.faults["status"]).toBe(2);
    proxy.plan(() => undefined);
    client.close();
  });
});

describe("when it goes away", () => {
  it("stops a run with a folder to resume; started anew, it goes on to the same batches and weights", async () => {
    const run = place("outlived");
    const idle = await TinkerClient.connect({ baseUrl: server.url, heartbeatMs: 0 });
    const left = await idle.createModel({ baseModel: tinyModel, rank: 8 });
    let killed: Promise<void> | undefined;
    const error: unknown = await textRun({
      url: server.url,
      out: run,
      steps: 4,
      engine: { traits: known },
      onEvent(event) {
        if (event.kind === "checkpoint" && event.step === 2) killed = server.kill();
      },
    }).catch((thrown: unknown) => thrown);
    await killed;
    expect(error).toMatchObject({ code: "unreachable", hint: expect.stringContaining("--resume") as string });
    expect(await readManifest(run)).toMatchObject({ state: "failed" });

    server = await startSkyrl(place("server"), { port: server.port, sessionTimeoutSec: 6 });
    // The model's name is known; it is not there any more.
    await expect(
      left.optimStep({ learningRate: 0, beta1: 0.9, beta2: 0.9, eps: 1, weightDecay: 0, gradClipNorm: 0 }),
    ).rejects.toMatchObject({ code: "model-gone", hint: expect.stringContaining("--resume") as string });
    idle.close();
    await textRun({ url: server.url, out: run, steps: 4, resume: true, engine: { traits: known } });
    expect(await story(run, 4)).toEqual(await story(whole, 4));
    expect(await weights(run, 4)).toBe(await weights(whole, 4));
  });

  it("keeps a session whose heart beats, says when beats are lost, and ends it when they stay away", async () => {
    const warnings: string[] = [];
    const engine = await createTinkerEngine({
      baseUrl: proxy.url,
      rank: 8,
      contextLength: 64,
      heartbeatMs: 500,
      heartbeatWarnMs: 2000,
      traits: known,
      logger: { ...silentLogger, warn: (message) => void warnings.push(message) },
    });
    const path = place("saved");
    const saved = await engine.save(path);
    const seconds = (count: number) => new Promise((resolve) => setTimeout(resolve, count * 1000));
    // Longer than the server waits.
    await seconds(9);
    await engine.sampler();
    expect(engine.client.sessionState).toBe("alive");
    expect(warnings).toEqual([]);

    proxy.plan(({ path: call }) => (call === "session_heartbeat" ? { kind: "reset-before" } : undefined));
    await expect.poll(() => engine.client.sessionState, { timeout: 30_000, interval: 200 }).toBe("silent");
    expect(warnings.join()).toMatch(/no heartbeat of session \w+ was answered for \d+ s/);
    // The server unloads the model in its own time.
    await expect
      .poll(
        () => readFileSync(server.log, "utf8").includes(`Expired stale session ${engine.client.sessionId}`),
        {
          timeout: 60_000,
          interval: 500,
        },
      )
      .toBe(true);
    const prompt = { chunks: [{ kind: "text" as const, tokens: Int32Array.of(1, 30, 40) }] };
    const datum = { prompt, tokens: Int32Array.of(50), weights: Float32Array.of(1) };
    await expect(engine.forwardBackward([datum], { kind: "crossEntropy" })).rejects.toMatchObject({
      code: "model-gone",
      hint: expect.stringContaining("--resume") as string,
    });

    // Beats get through again: what was saved is where to go on.
    proxy.plan(() => undefined);
    await engine.client.beat();
    expect(engine.client.sessionState).toBe("alive");
    await engine.close();
    const again = await connect(server.url, { seed: 0, traits: known });
    await again.load(saved);
    await again.save(path);
    await again.close();
  });
});

/** What the first test finds out, so that the others need not. */
const known = {
  normalization: "mean",
  policyLoss: "ppo",
  promptLogprobs: true,
  images: false,
  isolatedSamplers: false,
  keptSamplers: false,
  deduplicates: true,
  gradNorm: true,
} as const;
