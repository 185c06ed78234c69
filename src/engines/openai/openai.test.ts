import { mkdtempSync, readFileSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it, vi } from "vitest";
import { startOpenAiServer, type MockOptions, type MockServer } from "../../../test/support/openai-server.js";
import { silentLogger, type Logger } from "../../base/logger.js";
import type { Prompt, SamplingParams } from "../contract.js";
import { OpenAiError } from "./errors.js";
import { openOpenAiModel, type OpenAiModel, type OpenAiModelOptions } from "./model.js";
import { loadProfile } from "./profile.js";

const opened: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of opened.splice(0)) await one.close();
});

async function serve(options: MockOptions): Promise<MockServer> {
  const server = await startOpenAiServer(options);
  opened.push(server);
  return server;
}

/** Waits are counted, not waited. */
const waits: number[] = [];
const effects = {
  sleep: (milliseconds: number) => {
    waits.push(milliseconds);
    return Promise.resolve();
  },
  random: () => 0,
};

async function open(
  server: Pick<MockServer, "baseUrl">,
  options: Partial<OpenAiModelOptions> & { readonly kind?: string; readonly dialect?: string } = {},
): Promise<OpenAiModel> {
  waits.length = 0;
  const { kind = "vllm", dialect = "qwen2.5-vl", ...rest } = options;
  const profile = await loadProfile({ profile: kind, dialect });
  const model = await openOpenAiModel({
    baseUrl: server.baseUrl,
    model: "mock",
    profile,
    environment: {},
    effects,
    ...rest,
  });
  opened.unshift(model);
  return model;
}

const picture = { width: 28, height: 56, data: new Uint8Array(28 * 56 * 3).fill(77) };
const promptOf = (model: OpenAiModel, text = "Where?"): Prompt => ({
  chunks: model.encodePrompt({ text, images: [picture] }),
});
const params: SamplingParams = { n: 1, maxTokens: 64, temperature: 0, seed: 1, stop: [] };
const texts = (model: OpenAiModel, rollouts: readonly { readonly tokens: Int32Array }[]) =>
  rollouts.map(({ tokens }) => model.codec.decode(tokens));
const logs = () => {
  const lines: string[] = [];
  const add = (line: string): void => void lines.push(line);
  const logger: Logger = { ...silentLogger, warn: add, info: add, progress: add, debug: add };
  return { lines, logger };
};

describe.each([true, false])("a request, streamed: %s", (stream) => {
  it("sends picture, words and sampling, and reads text, tokens and log-probabilities", async () => {
    const server = await serve({ answer: () => ({ text: "Grüße [1, 2]", logprob: -0.25, tokens: 9 }) });
    const model = await open(server, { stream });
    const [rollout] = await model.sampler.sample(promptOf(model), {
      ...params,
      temperature: 0.5,
      topP: 0.9,
      topK: 7,
    });
    expect(texts(model, [rollout!])).toEqual(["Grüße [1, 2]"]);
    expect(rollout!.stopReason).toBe("stop");
    expect(rollout!.logprobs).toHaveLength(rollout!.tokens.length);
    expect(Array.from(rollout!.logprobs).every((value) => value === -0.25)).toBe(true);
    expect(model.codec.spans(rollout!.tokens).at(-1)!.end).toBe("Grüße [1, 2]".length);
    const { body, text, images } = server.seen[0]!;
    expect(text).toBe("Where?");
    expect(images[0]).toEqual(picture);
    expect(body).toMatchObject({
      model: "mock",
      max_tokens: 64,
      temperature: 0.5,
      top_p: 0.9,
      top_k: 7,
      repetition_penalty: 1,
      logprobs: true,
    });
    expect(Number.isInteger(body["seed"])).toBe(true);
    expect(body["seed"]).toBeGreaterThanOrEqual(0);
  });

  it("does without log-probabilities, and keeps the number of tokens", async () => {
    const server = await serve({ answer: () => ({ text: "[1, 2, 3, 4]", tokens: 12, finish: "length" }) });
    const { lines, logger } = logs();
    const model = await open(server, { stream, logger });
    const [rollout] = await model.sampler.sample(promptOf(model), params);
    expect(texts(model, [rollout!])).toEqual(["[1, 2, 3, 4]"]);
    expect(rollout).toMatchObject({ stopReason: "length" });
    expect(rollout!.tokens).toHaveLength(12);
    expect(rollout!.logprobs).toHaveLength(0);
    expect(lines.join()).toContain("no log-probabilities");
  });

  it("ends an answer that repeats a box, at the same character", async () => {
    const once = '{"bbox_2d": [1, 2, 30, 40]}, ';
    const server = await serve({ answer: () => `[${once.repeat(500)}`, pause: 1 });
    const model = await open(server, { stream });
    const [rollout] = await model.sampler.sample(promptOf(model), { ...params, maxBoxRepeats: 3 });
    expect(rollout!.stopReason).toBe("loop");
    expect(texts(model, [rollout!])[0]).toBe(`[${once.repeat(3)}`.slice(0, -3));
    // Whole answers write no pieces; a stream is ended long before its 4000.
    expect(server.pieces()).toBeLessThan(1000);
  });

  it("draws several samples by n, and by asking again where n is not understood", async () => {
    for (const n of [true, false]) {
      const server = await serve({ answer: ({ body }, i) => `${String(body["seed"])} ${i}`, n });
      const { lines, logger } = logs();
      const model = await open(server, { stream, logger });
      const rollouts = await model.sampler.sample(promptOf(model), { ...params, n: 3, temperature: 1 });
      expect(new Set(texts(model, rollouts)).size).toBe(3);
      expect(server.seen).toHaveLength(n ? 1 : 3);
      expect(lines.some((line) => line.includes("of 3 samples"))).toBe(!n);
    }
  });
});

describe("samples", () => {
  it("are separate requests with seeds of their own where each can be ended early", async () => {
    const server = await serve({ answer: ({ body }) => String(body["seed"]) });
    const model = await open(server);
    const drawn = async (seed: number) =>
      texts(
        model,
        await model.sampler.sample(promptOf(model), {
          ...params,
          n: 4,
          temperature: 1,
          maxBoxRepeats: 4,
          seed,
        }),
      );
    const first = await drawn(5);
    expect(new Set(first).size).toBe(4);
    expect(await drawn(5)).toEqual(first);
    expect(await drawn(6)).not.toEqual(first);
    expect(server.seen.every(({ body }) => body["n"] === undefined)).toBe(true);
  });

  it("never are more requests at once than allowed, and come back in order", async () => {
    const server = await serve({ answer: ({ text }) => text, pause: 2 });
    const model = await open(server, { concurrency: 3 });
    const prompts = Array.from({ length: 12 }, (_, i) => promptOf(model, `question number ${i}`));
    const all = await model.sampler.sampleBatch(
      prompts,
      prompts.map(() => params),
    );
    expect(all.flatMap((rollouts) => texts(model, rollouts))).toEqual(
      prompts.map((_, i) => `question number ${i}`),
    );
    expect(server.peak()).toBe(3);
  });
});

describe("profiles of servers", () => {
  it("send only fields that the server takes", async () => {
    const keys = async (kind: string, dialect = "qwen2.5-vl") => {
      const server = await serve({ answer: () => "[]" });
      const model = await open(server, { kind, dialect });
      await model.sampler.sample(promptOf(model), { ...params, n: 2, temperature: 1 });
      return Object.keys(server.seen[0]!.body).sort();
    };
    // transformers 5 answers 422 to anything else.
    expect(await keys("transformers")).toEqual([
      "max_tokens",
      "messages",
      "model",
      "seed",
      "stream",
      "temperature",
      "top_p",
    ]);
    expect(await keys("hosted")).toContain("max_completion_tokens");
    expect(await keys("llama.cpp")).toEqual(expect.arrayContaining(["top_k", "repeat_penalty", "logprobs"]));
    expect(await keys("ollama")).not.toContain("top_k");
    expect(await keys("vllm", "deepseek-vl2")).toContain("skip_special_tokens");
    expect(await keys("ollama", "deepseek-vl2")).not.toContain("skip_special_tokens");
  });

  it("say what is lacking for the use", async () => {
    const server = await serve({ answer: () => "[]" });
    const plain = (await open(server, { kind: "llama.cpp" })).lacks({ sampling: false });
    expect(plain.join()).not.toContain("special tokens");
    const marked = (await open(server, { kind: "llama.cpp", dialect: "deepseek-vl2" })).lacks({
      sampling: false,
    });
    expect(marked.join()).toContain("special tokens");
    const hosted = await open(server, { kind: "hosted" });
    expect(hosted.lacks({ sampling: true }).length).toBeGreaterThan(hosted.lacks({ sampling: false }).length);
    expect(hosted.lacks({ sampling: false }).join()).toContain("no key");
    const ollama = await open(server, { kind: "ollama" });
    await expect(ollama.sampler.sample(promptOf(ollama), { ...params, topK: 5 })).rejects.toThrow("top-k");
  });

  it("must declare a dialect", async () => {
    await expect(loadProfile({ profile: "vllm" })).rejects.toThrow("--dialect is missing");
    await expect(loadProfile({ profile: "vlm", dialect: "gemini" })).rejects.toThrow(
      "neither a kind of server",
    );
    await expect(loadProfile({ profile: "vllm", dialect: "qwen" })).rejects.toThrow("no dialect");
    const file = join(mkdtempSync(join(tmpdir(), "dip-profile-")), "p.yaml");
    writeFileSync(
      file,
      "kind: openai-profile\nserver: sglang\ndialect: qwen3-vl\nreading: {scale: model, layout: yxyx}\n",
    );
    expect(await loadProfile({ profile: file })).toMatchObject({
      server: { name: "sglang" },
      reading: { scale: "model", layout: "yxyx" },
      picture: { factor: 32 },
    });
    expect((await loadProfile({ profile: file, dialect: "gemini" })).reading.scale).toBe("norm1000");
    expect((await loadProfile({ profile: file, maxPixels: 0 })).picture).toBeUndefined();
    expect((await loadProfile({ profile: file, maxPixels: 32 * 32 })).picture!.minPixels).toBe(1024);
    writeFileSync(file, "kind: openai-profile\nserver: sglang\ndialect: qwen3-vl\ndialects: 2\n");
    await expect(loadProfile({ profile: file })).rejects.toThrow("dialects");
  });
});

describe("faults", () => {
  const busy = { kind: "status" as const, status: 429, headers: { "retry-after": "7" } };

  it("are tried again: 429 after the server's wish, 5xx and broken answers after growing waits", async () => {
    const faults = [
      busy,
      { kind: "status" as const, status: 503 },
      { kind: "reset" as const },
      { kind: "cut" as const, after: 1 },
    ];
    const server = await serve({ answer: () => "a long enough answer", faults: (index) => faults[index] });
    const model = await open(server);
    const rollouts = await model.sampler.sample(promptOf(model), params);
    expect(texts(model, rollouts)).toEqual(["a long enough answer"]);
    expect(waits).toEqual([7000, 500, 1000, 2000]);
    expect(model.usage()).toMatchObject({ requests: 1, retries: 4 });
  });

  it.each([
    ["a stream that ends in the middle", { kind: "cut" as const, after: 2, clean: true }],
    ["a stream that is torn off", { kind: "cut" as const, after: 2 }],
    ["what is no JSON", { kind: "garbage" as const }],
    ["an error within a stream", { kind: "error-event" as const }],
  ])("are never short answers: %s", async (_, fault) => {
    const server = await serve({ answer: () => "a long enough answer", faults: () => fault });
    const model = await open(server, { retry: { attempts: 3 } });
    const error = await model.sampler.sample(promptOf(model), params).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(OpenAiError);
    expect((error as OpenAiError).message).toContain("tried 3 times");
    expect(waits).toHaveLength(2);
  });

  it("end at the budget, and say how long the server wants to be left alone", async () => {
    const server = await serve({
      answer: () => "x",
      faults: () => ({ ...busy, headers: { "retry-after": "900" } }),
    });
    const model = await open(server);
    await expect(model.sampler.sample(promptOf(model), params)).rejects.toThrow("asks to wait 900 s");
    expect(waits).toEqual([]);
    const patient = await open(server, { retry: { budget: 1e9, attempts: 4 } });
    await expect(patient.sampler.sample(promptOf(patient), params)).rejects.toThrow("tried 4 times");
  });

  it.each([
    [400, "--server"],
    [401, "--api-key-env"],
    [404, "/v1"],
    [413, "--max-pixels"],
    [422, "--server"],
  ])("that asking again cannot mend are told at once: %i", async (status, hint) => {
    const server = await serve({ answer: () => "x", faults: () => ({ kind: "status", status }) });
    const model = await open(server);
    const error = await model.sampler.sample(promptOf(model), params).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ status, message: expect.stringContaining(`fault ${status}`) as string });
    expect((error as OpenAiError).hint).toContain(hint);
    expect(waits).toEqual([]);
  });

  it("include a server that is not there", async () => {
    const server = await serve({ answer: () => "x" });
    await server.close();
    await expect(open(server)).rejects.toThrow(/ECONNREFUSED/);
  });

  it("include a server that falls silent, but not a slow one that goes on", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    try {
      const encoder = new TextEncoder();
      const event = (value: unknown) => encoder.encode(`data: ${JSON.stringify(value)}\n\n`);
      let left = 8;
      /** A piece every 200 s; silent after the last where it is told to be. */
      const slow =
        (silent: boolean): typeof fetch =>
        (url, init) => {
          if (String(url).endsWith("/models")) return Promise.resolve(new Response("{}", { status: 404 }));
          left = 8;
          const body = new ReadableStream<Uint8Array>({
            start(stream) {
              init!.signal!.addEventListener("abort", () => stream.error(new Error("aborted")));
            },
            pull: async (stream) => {
              if (left === 0 && silent) return new Promise(() => {});
              await vi.advanceTimersByTimeAsync(200_000);
              if (left-- > 0) stream.enqueue(event({ choices: [{ delta: { content: "x" } }] }));
              else {
                stream.enqueue(event({ choices: [{ delta: {}, finish_reason: "stop" }] }));
                stream.close();
              }
              return undefined;
            },
          });
          return Promise.resolve(new Response(body, { headers: { "content-type": "text/event-stream" } }));
        };
      const server = { baseUrl: "http://127.0.0.1:9/v1" };
      const steady = await open(server, { fetch: slow(false), idleTimeout: 300_000 });
      expect(texts(steady, await steady.sampler.sample(promptOf(steady), params))).toEqual(["xxxxxxxx"]);
      const silent = await open(server, { fetch: slow(true), idleTimeout: 300_000, retry: { attempts: 1 } });
      left = 8;
      const failing = silent.sampler.sample(promptOf(silent), params).catch((thrown: unknown) => thrown);
      while (left > 0) await new Promise((resolve) => setImmediate(resolve));
      await vi.advanceTimersByTimeAsync(301_000);
      expect(String(await failing)).toContain("no byte for 300 s");
    } finally {
      vi.useRealTimers();
    }
  });

  it("do not include servers that cannot stream or list their models", async () => {
    const server = await serve({ answer: () => "whole", stream: false, models: null });
    const model = await open(server);
    expect(texts(model, await model.sampler.sample(promptOf(model), params))).toEqual(["whole"]);
    const { lines, logger } = logs();
    await open(await serve({ answer: () => "x", models: ["other"] }), { logger });
    expect(lines.join()).toContain("does not list the model mock, but other");
  });

  it("do not pass for scores", async () => {
    const server = await serve({ answer: () => "x" });
    const model = await open(server);
    await expect(model.sampler.logprobs(promptOf(model), Int32Array.of(0))).rejects.toThrow("cannot score");
  });
});

describe("keys", () => {
  const key = "sk-secret-0123456789";

  it("come from the environment and go nowhere but to the server", async () => {
    const server = await serve({ answer: () => "x", key });
    const cache = mkdtempSync(join(tmpdir(), "dip-cache-"));
    const { lines, logger } = logs();
    const model = await open(server, {
      environment: { MY_KEY: `${key}\n` },
      apiKeyEnv: "MY_KEY",
      cache,
      logger,
    });
    await model.sampler.sample(promptOf(model), params);
    expect(server.seen[0]!.headers.authorization).toBe(`Bearer ${key}`);
    const kept = readdirSync(cache, { recursive: true, encoding: "utf8" }).filter((name) =>
      name.endsWith(".json"),
    );
    expect(kept).toHaveLength(1);
    expect(readFileSync(join(cache, kept[0]!), "utf8") + lines.join() + JSON.stringify(model)).not.toContain(
      key,
    );
  });

  it("are in no error, even where the server quotes them", async () => {
    const server = await serve({ answer: () => "x", key: "another" });
    const environment = { DIP_R1_API_KEY: key };
    const error = await open(server, { environment }).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ status: 401, message: expect.stringContaining("[key]") as string });
    expect(`${String(error)}${(error as Error).stack}${JSON.stringify(error)}`).not.toContain(key);
  });

  it("are not sent to just anyone, nor taken from where they must not be", async () => {
    const server = await serve({ answer: () => "x" });
    const model = await open(server, { environment: { OPENAI_API_KEY: key } });
    await model.sampler.sample(promptOf(model), params);
    expect(server.seen[0]!.headers.authorization).toBeUndefined();
    const at = (baseUrl: string) => open({ baseUrl }).catch((thrown: unknown) => String(thrown));
    expect(await at(`http://me:${key}@127.0.0.1:1/v1`)).toContain("must not hold a user");
    expect(await at(`http://127.0.0.1:1/v1?key=${key}`)).not.toContain(key);
    await expect(open(server, { apiKeyEnv: "NOT_SET" })).rejects.toThrow("NOT_SET");
    const odd = open(server, { apiKeyEnv: "ODD", environment: { ODD: `${key} ${key}` } });
    const message = await odd.catch((thrown: unknown) => String(thrown));
    expect(message).toContain("ODD");
    expect(message).not.toContain(key);
  });
});

describe("the cache", () => {
  const sampled = { ...params, n: 2, temperature: 1, maxBoxRepeats: 4 };

  it("answers what was asked before, word for word, from another server too", async () => {
    const cache = mkdtempSync(join(tmpdir(), "dip-cache-"));
    const answer = ({ body }: { body: Record<string, unknown> }) => ({
      text: `é ${String(body["seed"])}`,
      logprob: -1,
    });
    const first = await open(await serve({ answer }), { cache });
    const before = await first.sampler.sample(promptOf(first), sampled);
    const other = await serve({ answer: () => "never asked" });
    const second = await open(other, { cache, stream: false });
    const after = await second.sampler.sample(promptOf(second), sampled);
    expect(texts(second, after)).toEqual(texts(first, before));
    expect(after.map(({ logprobs }) => logprobs)).toEqual(before.map(({ logprobs }) => logprobs));
    expect(other.seen).toHaveLength(0);
    expect(second.usage()).toMatchObject({ requests: 0, cached: 2 });
    // One sample more: only that one is asked for.
    await second.sampler.sample(promptOf(second), { ...sampled, n: 3 });
    expect(other.seen).toHaveLength(1);
  });

  it("asks again where anything differs that an answer depends on", async () => {
    const cache = mkdtempSync(join(tmpdir(), "dip-cache-"));
    const server = await serve({ answer: () => "x", models: ["mock", "other"] });
    const model = await open(server, { cache });
    const ask = async (one: OpenAiModel, prompt: Prompt, over: Partial<SamplingParams> = {}) => {
      await one.sampler.sample(prompt, { ...params, ...over });
      return server.seen.length;
    };
    expect(await ask(model, promptOf(model))).toBe(1);
    expect(await ask(model, promptOf(model))).toBe(1);
    expect(await ask(model, promptOf(model, "What?"))).toBe(2);
    const data = picture.data.slice();
    data[5]! += 1;
    const changed = { chunks: model.encodePrompt({ text: "Where?", images: [{ ...picture, data }] }) };
    expect(await ask(model, changed)).toBe(3);
    expect(await ask(model, promptOf(model), { temperature: 1 })).toBe(4);
    expect(await ask(model, promptOf(model), { maxTokens: 65 })).toBe(5);
    expect(await ask(model, promptOf(model), { seed: 2 })).toBe(6);
    expect(await ask(model, promptOf(model), { maxBoxRepeats: 4 })).toBe(7);
    const named = await open(server, { cache, model: "other" });
    expect(await ask(named, promptOf(named))).toBe(8);
    const kind = await open(server, { cache, kind: "sglang" });
    expect(await ask(kind, promptOf(kind))).toBe(9);
  });

  it("asks again where a file was damaged, and holds no failures", async () => {
    const cache = mkdtempSync(join(tmpdir(), "dip-cache-"));
    const files = () =>
      readdirSync(cache, { recursive: true, encoding: "utf8" })
        .map((name) => join(cache, name))
        .filter((path) => statSync(path).isFile());
    let broken = true;
    const server = await serve({
      answer: () => "right",
      faults: () => (broken ? { kind: "status", status: 400 } : undefined),
    });
    const { lines, logger } = logs();
    const model = await open(server, { cache, logger });
    await expect(model.sampler.sample(promptOf(model), params)).rejects.toThrow("400");
    expect(files()).toEqual([]);
    broken = false;
    await model.sampler.sample(promptOf(model), params);
    expect(files()).toHaveLength(1);
    writeFileSync(files()[0]!, readFileSync(files()[0]!, "utf8").slice(0, 40));
    expect(texts(model, await model.sampler.sample(promptOf(model), params))).toEqual(["right"]);
    expect(lines.join()).toContain("cannot be read");
    expect(texts(model, await model.sampler.sample(promptOf(model), params))).toEqual(["right"]);
    expect(server.seen).toHaveLength(2);
  });
});
