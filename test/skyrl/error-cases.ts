/** @file Everything that a SkyRL server refuses or fails, provoked on a real one: each a typed error in the server's words. */
import { expect } from "vitest";
import {
  isTinkerError,
  type TinkerError,
  TinkerClient,
  type SamplingClient,
  type TinkerErrorCode,
  type TrainingModel,
  type WireDatum,
} from "../../src/engines/tinker/index.js";
import { retrieveFuture, requestIdOf } from "../../src/engines/tinker/futures.js";
import { defaultRetryPolicy, realRetryTools } from "../../src/engines/tinker/retry.js";
import { createTransport, jsonOf } from "../../src/engines/tinker/transport.js";
import { PROTOBUF } from "../../src/engines/tinker/wire/index.js";
import { tinyModel } from "./server.js";

const NONE = "model_00000000";
const tokens = Int32Array.of(1, 30, 40);
const PROMPT = [{ type: "encoded_text" as const, tokens }];
const ADAM = { learning_rate: 0, beta1: 0.9, beta2: 0.95, eps: 1e-12, weight_decay: 0, grad_clip_norm: 0 };

function datum(targets: readonly number[] = [30, 40, 50]): WireDatum {
  const floats = {
    dtype: "float32" as const,
    data: new Float32Array(targets.length),
    shape: [targets.length],
  };
  return {
    modelInput: PROMPT,
    lossFnInputs: {
      target_tokens: { dtype: "int64", data: Int32Array.from(targets), shape: [targets.length] },
      logprobs: floats,
      advantages: floats,
    },
  };
}

/** What each case works with. */
export interface ErrorBench {
  readonly client: TinkerClient;
  /** Sends its passes as JSON. */
  readonly plain: TinkerClient;
  readonly model: TrainingModel;
  readonly base: SamplingClient;
  /** A request of one's own making. */
  post(path: string, json: unknown): Promise<unknown>;
  /** The same with bytes that are no protobuf. */
  garbage(): Promise<unknown>;
  /** The result of a request of one's own making. */
  result(requestId: string): Promise<unknown>;
  close(): Promise<void>;
}

/** Opens one on a server. */
export async function openBench(url: string): Promise<ErrorBench> {
  const options = { baseUrl: url, retry: { baseDelayMs: 10 }, heartbeatMs: 1000 };
  const client = await TinkerClient.connect(options);
  const plain = await TinkerClient.connect({ ...options, encoding: "json" });
  const model = await client.createModel({ baseModel: tinyModel, rank: 8 });
  const base = await client.sampler({ baseModel: tinyModel });
  const transport = createTransport({
    baseUrl: url,
    apiKey: "tml-none",
    policy: { ...defaultRetryPolicy, baseDelayMs: 10 },
  });
  return {
    client,
    plain,
    model,
    base,
    post: (path, json) => transport.sendJson({ method: "POST", path, json, idempotence: "repeatable" }),
    garbage: () =>
      transport.send(
        {
          method: "POST",
          path: "forward_backward",
          body: { bytes: Uint8Array.of(255, 255, 255, 1), contentType: PROTOBUF },
          idempotence: "repeatable",
        },
        jsonOf,
      ),
    result: (id) =>
      retrieveFuture(
        transport,
        id,
        "request",
        { proto: (bytes) => bytes, json: (json) => json },
        {
          resultTimeoutMs: 900_000,
          pollTimeoutMs: 45_000,
          now: realRetryTools.now,
          sleep: realRetryTools.sleep,
        },
      ),
    async close() {
      await model.unload();
      client.close();
      plain.close();
    },
  };
}

/** A sampling request with something wrong about it. */
const sampling = (
  fields: object,
  params: object = { max_tokens: 1, seed: 0, temperature: 1, stop: [2] },
) => ({
  num_samples: 1,
  prompt: { chunks: [{ type: "encoded_text", tokens: [1, 30] }] },
  sampling_params: params,
  ...fields,
});

/** What is done, and the error that it must be: its code, its status and words of it. */
export interface ErrorCase {
  readonly name: string;
  readonly work: (bench: ErrorBench) => Promise<unknown>;
  readonly code: TinkerErrorCode;
  readonly status: number;
  readonly words: RegExp;
}

const later = async (bench: ErrorBench, path: string, json: unknown): Promise<unknown> =>
  bench.result(requestIdOf(await bench.post(path, json)));

const unsupported = ["gspo", "dppo", "ppo_critic"].map((name): ErrorCase => ({
  name: `the loss ${name}, which this backend has not got`,
  work: ({ model }) => model.forwardBackward([datum()], { name }),
  code: "failed",
  status: 400,
  words: /not supported by the JAX backend/,
}));

/** Every case that a server answers with a status. */
export const errorCases: readonly ErrorCase[] = [
  {
    name: "a pass sent as JSON",
    work: async ({ plain }) =>
      (await plain.createModel({ baseModel: tinyModel, rank: 8 })).forwardBackward([datum()], {
        name: "ppo",
      }),
    code: "refused",
    status: 415,
    words: /x-protobuf/,
  },
  {
    name: "the call `forward` of older servers",
    work: async ({ plain }) =>
      (await plain.createModel({ baseModel: tinyModel, rank: 8 })).forward([datum()]),
    code: "not-found",
    status: 404,
    words: /Not Found/,
  },
  {
    name: "an unknown loss",
    work: ({ model }) => model.forwardBackward([datum()], { name: "nonsense" }),
    code: "refused",
    status: 422,
    words: /loss_fn/,
  },
  {
    name: "a number that a loss has not got",
    work: ({ model }) => model.forwardBackward([datum()], { name: "ppo", config: { clip: 1 } }),
    code: "refused",
    status: 422,
    words: /clip/,
  },
  {
    name: "a negative learning rate",
    work: ({ post, model }) =>
      post("optim_step", { model_id: model.id, seq_id: 900, adam_params: { ...ADAM, learning_rate: -1 } }),
    code: "refused",
    status: 422,
    words: /learning_rate/,
  },
  {
    name: "a picture in a format that is none",
    work: ({ base }) =>
      base.sample([{ type: "image", data: Uint8Array.of(1), format: "gif" as "png" }], {
        maxTokens: 1,
        seed: 0,
      }),
    code: "refused",
    status: 422,
    words: /format/,
  },
  {
    name: "bytes that are no protobuf",
    work: ({ garbage }) => garbage(),
    code: "refused",
    status: 422,
    words: /./,
  },
  ...unsupported,
  {
    name: "an unknown model",
    work: ({ post }) => post("optim_step", { model_id: NONE, seq_id: 1, adam_params: ADAM }),
    code: "not-found",
    status: 404,
    words: /Model not found/,
  },
  {
    name: "an unknown session",
    work: ({ post }) => post("session_heartbeat", { session_id: "session_none" }),
    code: "session-expired",
    status: 404,
    words: /Session not found/,
  },
  {
    name: "an unknown future",
    work: ({ result }) => result("999999999"),
    code: "not-found",
    status: 404,
    words: /Future not found/i,
  },
  {
    name: "a future whose id is no number",
    work: ({ result }) => result("abc"),
    code: "server",
    status: 500,
    words: /Internal Server Error/,
  },
  {
    name: "an unknown sampling session",
    work: ({ post }) => post("asample", sampling({ sampling_session_id: "sampling_none", seq_id: 1 })),
    code: "not-found",
    status: 404,
    words: /not found/i,
  },
  {
    name: "sampler weights that are not there",
    work: async ({ client }) =>
      (await client.sampler({ modelPath: `tinker://${NONE}/none` })).sample(PROMPT, {
        maxTokens: 1,
        seed: 0,
      }),
    code: "not-found",
    status: 404,
    words: /not found/i,
  },
  {
    name: "weights that are not there",
    work: ({ client }) =>
      client.loadModel(`tinker://${NONE}/weights/none`, { baseModel: tinyModel, rank: 8 }),
    code: "not-found",
    status: 404,
    words: /not found/i,
  },
  {
    name: "a sequence number used again for another request",
    async work({ client, post }) {
      const model = await client.createModel({ baseModel: tinyModel, rank: 8 });
      const step = { model_id: model.id, seq_id: 1, adam_params: ADAM };
      try {
        // The same again is known again; another is refused.
        expect(await post("optim_step", step)).toEqual(await post("optim_step", step));
        await post("optim_step", { ...step, adam_params: { ...ADAM, weight_decay: 0.5 } });
      } finally {
        await model.unload();
      }
    },
    code: "conflict",
    status: 409,
    words: /sequence number was reused/,
  },
  {
    name: "weights loaded into a model that has done something already",
    async work({ client, post }) {
      const model = await client.createModel({ baseModel: tinyModel, rank: 8 });
      try {
        const path = await model.saveWeights("first");
        await post("load_weights", { model_id: model.id, path, optimizer: true, seq_id: 10 });
      } finally {
        await model.unload();
      }
    },
    code: "refused",
    status: 400,
    words: /not permitted/,
  },
  {
    name: "a sampling request without a length",
    work: ({ post }) => post("asample", sampling({ base_model: tinyModel }, { seed: 0, temperature: 1 })),
    code: "refused",
    status: 400,
    words: /max_tokens/,
  },
  {
    name: "sampling from another base model",
    work: (bench) => later(bench, "asample", sampling({ base_model: "Qwen/other" })),
    code: "failed",
    status: 400,
    words: /Qwen\/other|base model/i,
  },
  {
    name: "the best tokens of a prompt",
    work: (bench) => later(bench, "asample", sampling({ base_model: tinyModel, topk_prompt_logprobs: 4 })),
    code: "failed",
    status: 400,
    words: /topk_prompt_logprobs is not supported/,
  },
  {
    name: "an adapter of a larger rank than the server has room for",
    work: ({ client }) => client.createModel({ baseModel: tinyModel, rank: 64 }),
    code: "failed",
    status: 400,
    words: /rank/i,
  },
  {
    name: "a token that the model has not got",
    work: ({ base }) =>
      base.sample([{ type: "encoded_text", tokens: Int32Array.of(1, 99_999) }], { maxTokens: 1, seed: 0 }),
    code: "server",
    status: 500,
    words: /Internal Server Error/,
  },
  {
    name: "more targets than the input has room for",
    work: ({ model }) =>
      model.forwardBackward([datum(Array.from({ length: 48 }, () => 30))], { name: "cross_entropy" }),
    code: "failed",
    status: 400,
    words: /exceeds/,
  },
  {
    name: "a model that was unloaded",
    async work({ client }) {
      const model = await client.createModel({ baseModel: tinyModel, rank: 8 });
      await model.unload();
      await model.forwardBackward([datum()], { name: "ppo" });
    },
    code: "model-gone",
    status: 400,
    words: /not loaded/,
  },
];

/** The error that a case ends in. @throws Error where it ends in none, or in one of no kind of ours */
export async function errorOf({ work }: ErrorCase, bench: ErrorBench): Promise<TinkerError> {
  try {
    await work(bench);
  } catch (error) {
    if (isTinkerError(error)) return error;
    throw error;
  }
  throw new Error("no error");
}
