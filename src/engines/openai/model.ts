/**
 * @file A model behind an OpenAI-compatible server as the engine contract's sampler: inference only. Pictures go out as
 * lossless PNG at the size they have in the prompt, requests wait their turn, failures are tried again, answers are kept.
 */
import { createHash } from "node:crypto";
import { z } from "zod";
import { InputError, toError, UnavailableError } from "../../base/errors.js";
import { createGate } from "../../base/gate.js";
import { silentLogger, type Logger } from "../../base/logger.js";
import type { RgbImage } from "../../base/rgb-image.js";
import { deriveSeed } from "../../base/rng.js";
import { encodePng } from "../../datasets/image-file.js";
import type { Capabilities, Prompt, PromptChunk, Rollout, Sampler, SamplingParams } from "../contract.js";
import { cacheKey, openCache, type ResponseCache } from "./cache.js";
import {
  chatBody,
  chatOnce,
  type ChatAnswer,
  type ChatChoice,
  type ChatPart,
  type ChatRequest,
} from "./chat.js";
import { createConnection, type Connection, type ConnectionOptions } from "./connection.js";
import { OpenAiError } from "./errors.js";
import { createPieceCodec, type PieceCodec } from "./pieces.js";
import type { OpenAiProfile } from "./profile.js";
import { retryDefaults, sleep, withRetries, type RetryEffects, type RetryPolicy } from "./retry.js";
import { serverLacks } from "./servers.js";

/** Options of {@link openOpenAiModel}. */
export interface OpenAiModelOptions extends ConnectionOptions {
  /** The model's name as the server lists it. */
  readonly model: string;
  readonly profile: OpenAiProfile;
  /** Requests at once. @default 4 */
  readonly concurrency?: number;
  /** Folder that answers are kept in; absent = none are. */
  readonly cache?: string | undefined;
  /** Answers come piece by piece, so that one that repeats itself is ended early. @default true */
  readonly stream?: boolean;
  /** Ask for log-probabilities where the server has them. @default true */
  readonly logprobs?: boolean;
  readonly retry?: Partial<RetryPolicy>;
  readonly effects?: Partial<RetryEffects>;
  readonly logger?: Logger;
  readonly signal?: AbortSignal;
}

/** What was sent and what it took. */
export interface OpenAiUsage {
  /** Requests answered by the server. */
  readonly requests: number;
  /** Requests answered by the cache. */
  readonly cached: number;
  readonly retries: number;
  /** As far as the server told; of requests that it answered. */
  readonly promptTokens: number;
  readonly completionTokens: number;
}

/** A served model. Calls may overlap. */
export interface OpenAiModel {
  readonly capabilities: Capabilities;
  readonly profile: OpenAiProfile;
  /** Without credentials. */
  readonly baseUrl: string;
  readonly sampler: Sampler;
  /** Between text and the "tokens" of prompts and rollouts, which are pieces of text. */
  readonly codec: PieceCodec;
  /** A user's turn: pictures, then text. A picture is sent as it is given here. */
  encodePrompt(request: { readonly text: string; readonly images?: readonly RgbImage[] }): PromptChunk[];
  /** What the server lacks, in sentences, for this use. */
  lacks(needs: { readonly sampling: boolean }): string[];
  usage(): OpenAiUsage;
  /** Ends what is still asked for. */
  close(): Promise<void>;
}

const listSchema = z.object({
  data: z.array(z.object({ id: z.string(), max_model_len: z.number().nullish() })),
});

/** What the server says of its models; nothing where it keeps no such list. */
async function listModels(connection: Connection, signal: AbortSignal) {
  try {
    const text = await (await connection.get("/models", signal)).text();
    const read = listSchema.safeParse(JSON.parse(text));
    return read.success ? read.data.data : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    // No such list is no fault; no server and no access are.
    const status = error instanceof OpenAiError ? error.status : undefined;
    if (status !== undefined && status !== 401 && status !== 403) return undefined;
    throw error;
  }
}

/** Prompts asked about together: after the first failure nothing more of them is begun. */
interface Batch {
  failure?: Error;
}

/** All results, or the first failure once nothing is under way any more: answers that were paid for reach the cache. */
async function allOf<T>(works: readonly Promise<T>[]): Promise<T[]> {
  await Promise.allSettled(works);
  return Promise.all(works);
}

/** A picture as it is sent, made once however often it is asked about. */
function createPictures() {
  const known = new WeakMap<RgbImage, Promise<{ readonly url: string; readonly sha256: string }>>();
  return (image: RgbImage) => {
    const before = known.get(image);
    if (before !== undefined) return before;
    const made = encodePng(image).then((png) => ({
      url: `data:image/png;base64,${Buffer.from(png).toString("base64")}`,
      sha256: createHash("sha256")
        .update(`${image.width}x${image.height}\0`)
        .update(image.data)
        .digest("hex"),
    }));
    known.set(image, made);
    return made;
  };
}

/**
 * Connects: looks whether the server is there and has the model, says nothing else to it.
 * @throws InputError for a bad address or key; OpenAiError where nobody answers or the key is refused.
 * @example
 * const profile = await loadProfile({ profile: "vllm", dialect: "qwen2.5-vl" });
 * const model = await openOpenAiModel({ baseUrl: "http://127.0.0.1:8000/v1", model: "Qwen/Qwen2.5-VL-3B-Instruct", profile });
 */
export async function openOpenAiModel(options: OpenAiModelOptions): Promise<OpenAiModel> {
  const { profile, model, logger = silentLogger, concurrency = 4, stream = true } = options;
  const { server, dialect } = profile;
  const connection = createConnection(options);
  const closing = new AbortController();
  const signal =
    options.signal === undefined ? closing.signal : AbortSignal.any([closing.signal, options.signal]);
  const policy = { ...retryDefaults, ...options.retry };
  const usage = { requests: 0, cached: 0, retries: 0, promptTokens: 0, completionTokens: 0 };
  const effects: RetryEffects = {
    sleep,
    random: Math.random,
    onRetry(error, wait) {
      logger.progress(`${error.message}; again in ${(wait / 1000).toFixed(1)} s`);
    },
    ...options.effects,
  };
  const counted: RetryEffects = {
    ...effects,
    onRetry(error, wait, attempt) {
      usage.retries++;
      effects.onRetry?.(error, wait, attempt);
    },
  };
  const models = await withRetries(
    () => listModels(connection, signal),
    // A server that is not there shall be told of at once.
    { ...policy, attempts: Math.min(2, policy.attempts) },
    counted,
    signal,
  );
  const listed = models?.find(({ id }) => id === model);
  if (models !== undefined && models.length > 0 && listed === undefined && server.name !== "transformers") {
    const names = models.slice(0, 8).map(({ id }) => id);
    logger.warn(`${connection.baseUrl} does not list the model ${model}, but ${names.join(", ")}`);
  }
  const gate = createGate(concurrency);
  const cache: ResponseCache | undefined =
    options.cache === undefined ? undefined : openCache(options.cache, logger);
  const codec = createPieceCodec();
  const picture = createPictures();
  const wantLogprobs = (options.logprobs ?? true) && server.logprobs;
  const marked = dialect.form === "det-markers" || dialect.form === "box-markers";

  /** One request, from the cache or the server. @param draw Which of the prompt's requests it is */
  async function ask(
    prompt: Prompt,
    params: SamplingParams,
    { n, draw, batch }: { readonly n: number; readonly draw: number; readonly batch: Batch },
  ): Promise<ChatAnswer> {
    const parts: ChatPart[] = [];
    const digests: string[] = [];
    for (const chunk of prompt.chunks) {
      if (chunk.kind === "text") parts.push({ kind: "text", text: codec.decode(chunk.tokens) });
      else {
        const { url, sha256 } = await picture(chunk.image);
        digests.push(sha256);
        parts.push({ kind: "image", url });
      }
    }
    const request: ChatRequest = {
      model,
      parts,
      maxTokens: params.maxTokens,
      temperature: params.temperature,
      topP: params.topP ?? 1,
      topK: params.topK ?? 0,
      // Servers want whole numbers that are not negative.
      seed: deriveSeed(params.seed, "draw", draw) & 0x7fffffff,
      n,
      logprobs: wantLogprobs,
      stream,
      specialTokens: dialect.specialTokens === true,
      ...(profile.extra !== undefined && { extra: profile.extra }),
    };
    const loop = { limit: params.maxBoxRepeats ?? 0, marked };
    let at = 0;
    const named = parts.map((part) =>
      part.kind === "image" ? { kind: "image" as const, url: digests[at++]! } : part,
    );
    const asked = {
      server: server.name,
      body: chatBody({ ...request, parts: named, stream: false }, server),
      draw,
      maxBoxRepeats: loop.limit,
    };
    const key = cacheKey(asked);
    const kept = await cache?.get(key);
    if (kept !== undefined) {
      usage.cached++;
      return kept;
    }
    return gate.run(async () => {
      if (batch.failure !== undefined) throw batch.failure;
      try {
        const once = () => chatOnce(connection, server, request, loop, signal);
        const answer = await withRetries(once, policy, counted, signal);
        usage.requests++;
        usage.promptTokens += answer.promptTokens ?? 0;
        for (const { tokens = 0 } of answer.choices) usage.completionTokens += tokens;
        await cache?.put(key, asked, answer);
        return answer;
      } catch (error) {
        batch.failure ??= toError(error);
        throw error;
      }
    });
  }

  function rolloutOf({ text, pieces, tokens = 0, stopReason }: ChatChoice): Rollout {
    if (pieces !== undefined)
      return {
        tokens: codec.idsOf(pieces.map((piece) => piece.text)),
        logprobs: Float32Array.from(pieces, ({ logprob }) => logprob),
        stopReason,
      };
    if (wantLogprobs && text !== "")
      logger.warn(`${server.title} told no log-probabilities that fit its text: no scores by logprob`);
    if (tokens === 0 && text !== "")
      logger.warn(`${server.title} tells no token counts: lengths of responses are not known`);
    // One piece, and empty ones to make up the number of tokens.
    const rest = Array.from({ length: Math.max(0, tokens - 1) }, () => "");
    return { tokens: codec.idsOf([text, ...rest]), logprobs: new Float32Array(0), stopReason };
  }

  async function draw(prompt: Prompt, params: SamplingParams, batch: Batch): Promise<Rollout[]> {
    if ((params.topK ?? 0) > 0 && server.topK === undefined)
      throw new InputError(`${server.title} cannot be told a top-k`, {
        hint: "Use top-p, or another server.",
      });
    // A request of its own for each where answers may be ended early: one cannot be cancelled without the others.
    const together = server.samples === "server" && (params.maxBoxRepeats ?? 0) === 0 && params.n > 1;
    if (!together) {
      const answers = await allOf(
        Array.from({ length: params.n }, (_, i) => ask(prompt, params, { n: 1, draw: i, batch })),
      );
      return answers.map(({ choices }) => rolloutOf(choices[0]!));
    }
    const choices: ChatChoice[] = [];
    // A server that knows no `n` gives one answer; it is asked again, each time with another seed.
    for (let i = 0; choices.length < params.n; i++) {
      const { choices: more } = await ask(prompt, params, {
        n: params.n - choices.length,
        draw: i,
        batch,
      });
      if (choices.length + more.length < params.n)
        logger.warn(
          `${server.title} gave ${more.length} of ${params.n} samples; the others are asked for one by one`,
        );
      choices.push(...more);
    }
    return choices.slice(0, params.n).map(rolloutOf);
  }

  const noScores = (): Promise<never> =>
    Promise.reject(new UnavailableError("a server of chat completions cannot score given responses"));
  const sampler: Sampler = {
    sample: (prompt, params) => draw(prompt, params, {}),
    sampleBatch(prompts, params) {
      const batch: Batch = {};
      return allOf(prompts.map((prompt, i) => draw(prompt, params[i]!, batch)));
    },
    logprobs: noScores,
    logprobsBatch: noScores,
    close: () => Promise.resolve(),
  };
  return {
    capabilities: {
      engine: "openai",
      model,
      losses: [],
      klInLoss: false,
      images: true,
      promptLogprobs: false,
      maxTokens: listed?.max_model_len ?? Number.MAX_SAFE_INTEGER,
      concurrency,
    },
    profile,
    baseUrl: connection.baseUrl,
    sampler,
    codec,
    encodePrompt: ({ text, images = [] }) => [
      // How many tokens a picture takes is the server's affair.
      ...images.map((image) => ({ kind: "image" as const, image, tokens: 0 })),
      { kind: "text", tokens: codec.encode(text) },
    ],
    lacks: ({ sampling }) =>
      serverLacks(server, {
        sampling,
        specialTokens: dialect.specialTokens === true,
        hasKey: connection.hasKey,
      }),
    usage: () => ({ ...usage }),
    close() {
      closing.abort(new Error("closed"));
      return Promise.resolve();
    },
  };
}
