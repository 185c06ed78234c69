/**
 * @file A small server of the Tinker API on loopback over a table model, with the habits of SkyRL's two backends to choose
 * from. What it answers to what is the recorded wire's; what it computes is exact.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { createRng } from "../../../src/base/rng.js";
import {
  chunkFromJson,
  decodeForwardBackwardRequest,
  encodeForwardBackwardOutput,
  encodeSampleResponse,
  forwardBackwardOutputToJson,
  forwardBackwardRequestFromJson,
  sampleResponseToJson,
  zstdDecompress,
  type ForwardBackwardRequest,
  type ModelInputChunk,
  type SampleResponse,
} from "../../../src/engines/tinker/wire/index.js";
import {
  adamStep,
  baseTable,
  draw,
  IMAGE_TOKEN,
  logSoftmax,
  newOptimizer,
  pass,
  VOCABULARY,
  type Table,
  type TableOptimizer,
} from "./table-model.js";

/** The server's habits. */
export interface MockOptions {
  readonly model?: string;
  /** JAX: each sequence's mean, and their mean; elsewhere the plain sum. @default "sum" */
  readonly normalization?: "sum" | "mean";
  /** JAX: sampling with saved weights puts them into the model in training. @default true */
  readonly isolated?: boolean;
  /** FSDP: one set of weights for sampling, the newest, whichever session asks. @default false */
  readonly oneSampler?: boolean;
  /** FSDP: nothing can be sampled from before a model was made. @default false */
  readonly needsModel?: boolean;
  /** JAX drops pictures without a word. @default true */
  readonly images?: boolean;
  readonly losses?: readonly string[];
  /** Known again by number. @default true */
  readonly deduplicates?: boolean;
  /** Results as protobuf, or as JSON. @default true */
  readonly protobuf?: boolean;
  /** Prompt scores begin with an undefined one. @default true */
  readonly leadingNaN?: boolean;
  readonly promptLogprobs?: boolean;
  readonly gradNorm?: boolean;
  readonly compress?: boolean;
  /** Polls answered "not yet" before each result. @default 0 */
  readonly notYet?: number;
  /** Results announced without their content first. @default false */
  readonly metadataFirst?: boolean;
}

/** A model on the server. */
export interface MockModel {
  table: Table;
  readonly optimizer: TableOptimizer;
  gradient: Float64Array;
  datums: number;
  loaded: boolean;
  requests: number;
  /** Sampler weights that JAX has put into the model. */
  samplerInPlace?: string;
  readonly rank: number;
}

interface Checkpoint {
  readonly id: string;
  readonly kind: "training" | "sampler";
  readonly modelId: string;
  readonly table: Table;
  readonly optimizer: TableOptimizer;
}

interface Result {
  readonly status: number;
  readonly json?: unknown;
  readonly proto?: Uint8Array;
  notYet: number;
}

/** The server, and what a test may look at or do to it. */
export interface MockServer {
  readonly url: string;
  readonly models: Map<string, MockModel>;
  /** Calls so far, by name. */
  readonly calls: Record<string, number>;
  /** Training requests that were worked on: name and sequence number. */
  readonly worked: string[];
  /** Unloads everything, forgets the sessions. */
  restart(): void;
  expireSessions(): void;
  close(): Promise<void>;
}

class Refusal extends Error {
  constructor(
    readonly status: number,
    readonly detail: unknown,
  ) {
    super(String(detail));
  }
}

const copyOptimizer = ({ step, m, v }: TableOptimizer): TableOptimizer => ({
  step,
  m: m.slice(),
  v: v.slice(),
});

async function bodyOf(request: IncomingMessage): Promise<Uint8Array> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  const bytes = new Uint8Array(Buffer.concat(parts));
  return request.headers["content-encoding"] === "zstd" ? zstdDecompress(bytes) : bytes;
}

/** Starts one on a free port of the loopback address. */
export async function startMockServer(options: MockOptions = {}): Promise<MockServer> {
  const {
    model: modelName = "table",
    normalization = "sum",
    isolated = true,
    oneSampler = false,
    needsModel = false,
    images = true,
    losses = ["cross_entropy", "importance_sampling", "ppo"],
    deduplicates = true,
    protobuf = true,
    leadingNaN = true,
    promptLogprobs: scoresPrompts = true,
    gradNorm = true,
    compress = false,
    notYet = 0,
    metadataFirst = false,
  } = options;
  const base = baseTable();
  const models = new Map<string, MockModel>();
  const sessions = new Set<string>();
  const samplers = new Map<string, { readonly checkpoint?: string }>();
  const checkpoints = new Map<string, Checkpoint>();
  const results = new Map<string, Result>();
  const numbered = new Map<string, { readonly body: string; readonly id: string }>();
  const calls: Record<string, number> = {};
  const worked: string[] = [];
  let counter = 0;
  const name = (kind: string): string => `${kind}_${(++counter).toString(16).padStart(8, "0")}`;

  const spell = (chunks: readonly ModelInputChunk[]): number[] =>
    chunks.flatMap((chunk) => {
      // Larger vocabularies are folded into ours, so that any tokenizer can be used.
      if (chunk.type === "encoded_text") return Array.from(chunk.tokens, (id) => id % VOCABULARY);
      return images ? Array.from({ length: chunk.expectedTokens ?? 4 }, () => IMAGE_TOKEN) : [];
    });

  /** Accepts a request; what it throws becomes the result. */
  function accept(work: () => { json?: unknown; proto?: Uint8Array }): unknown {
    const id = String(++counter);
    let result: Result;
    try {
      result = { status: 200, ...work(), notYet };
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      result = { status: error.status, json: { detail: error.detail }, notYet };
    }
    results.set(id, result);
    return { future_id: id, status: "pending", request_id: id };
  }

  function once(modelId: string, seqId: number, body: string, work: () => unknown): unknown {
    const key = `${modelId}/${seqId}`;
    const known = deduplicates ? numbered.get(key) : undefined;
    if (known !== undefined) {
      if (known.body !== body) throw new Refusal(409, "Training request sequence number was reused");
      return { future_id: known.id, status: "pending", request_id: known.id };
    }
    const answer = work() as { readonly request_id: string };
    numbered.set(key, { body, id: answer.request_id });
    return answer;
  }

  function modelOf(id: string): MockModel {
    const model = models.get(id);
    if (model === undefined) throw new Refusal(404, "Model not found");
    model.requests++;
    return model;
  }

  function live(id: string): MockModel {
    const model = models.get(id)!;
    if (!model.loaded) throw new Refusal(400, `Model ${id} not loaded`);
    return model;
  }

  function forwardBackward(request: ForwardBackwardRequest): ReturnType<Parameters<typeof accept>[0]> {
    const model = live(request.modelId);
    if (!losses.includes(request.lossFn))
      throw new Refusal(400, `Loss functions ['${request.lossFn}'] are not supported by the table backend`);
    const gradient = new Float64Array(VOCABULARY ** 2);
    const outputs = request.data.map((datum) => {
      const tokens = spell(datum.modelInput);
      const { logprobs, losses: terms } = pass(model.table, gradient, tokens, datum, {
        name: request.lossFn,
        config: request.lossFnConfig ?? {},
        mean: normalization === "mean",
      });
      const tensor = (data: Float32Array) => ({ dtype: "float32" as const, data, shape: [data.length] });
      return { elementwise_loss: tensor(terms), logprobs: tensor(logprobs) };
    });
    if (request.forwardOnly !== true) {
      worked.push(`forward_backward ${request.seqId}`);
      gradient.forEach((g, i) => (model.gradient[i]! += g));
      model.datums += request.data.length;
    }
    const output = { lossFnOutputType: "scalar", outputs, metrics: {} };
    return protobuf
      ? { proto: encodeForwardBackwardOutput(output) }
      : { json: forwardBackwardOutputToJson(output) };
  }

  const ofSameModel =
    ({ modelId }: Checkpoint) =>
    (one: Checkpoint): boolean =>
      one.kind === "sampler" && one.modelId === modelId;

  function weightsOf(sampler: { readonly checkpoint?: string }): Table {
    if (sampler.checkpoint === undefined) return base;
    const checkpoint = checkpoints.get(sampler.checkpoint)!;
    if (oneSampler) return [...checkpoints.values()].findLast(ofSameModel(checkpoint))!.table;
    if (isolated) return checkpoint.table;
    const model = live(checkpoint.modelId);
    if (model.samplerInPlace !== sampler.checkpoint) {
      model.table = checkpoint.table.slice();
      model.samplerInPlace = sampler.checkpoint;
    }
    return model.table;
  }

  function sample(json: Record<string, unknown>): ReturnType<Parameters<typeof accept>[0]> {
    if (needsModel && ![...models.values()].some(({ loaded }) => loaded))
      throw new Refusal(400, "Create a model before sampling from a combined runtime");
    const session = json["sampling_session_id"];
    const params = json["sampling_params"] as Record<string, unknown>;
    const { chunks } = json["prompt"] as { readonly chunks: readonly unknown[] };
    const table = weightsOf(typeof session === "string" ? samplers.get(session)! : {});
    const prompt = spell(chunks.map(chunkFromJson));
    const stop = (params["stop"] ?? []) as number[];
    const sequences = Array.from({ length: json["num_samples"] as number }, (_, k) => {
      const rng = createRng((params["seed"] as number) + k);
      const tokens: number[] = [];
      const logprobs: number[] = [];
      let last = prompt.at(-1) ?? 0;
      while (tokens.length < (params["max_tokens"] as number)) {
        const next = draw(table, last, params["temperature"] as number, () => rng.next());
        tokens.push(next);
        logprobs.push(logSoftmax(table, last)[next]!);
        last = next;
        if (stop.includes(next)) break;
      }
      return {
        stopReason: stop.includes(last) ? ("stop" as const) : ("length" as const),
        tokens: Int32Array.from(tokens),
        logprobs: Float32Array.from(logprobs),
      };
    });
    const scores = prompt.slice(1).map((token, i) => logSoftmax(table, prompt[i]!)[token]!);
    if (json["prompt_logprobs"] === true && !scoresPrompts)
      throw new Refusal(400, "prompt_logprobs is not supported by the table backend");
    const response: SampleResponse = {
      sequences,
      ...(json["prompt_logprobs"] === true && {
        promptLogprobs: Float32Array.from(leadingNaN ? [NaN, ...scores] : scores),
      }),
    };
    return protobuf ? { proto: encodeSampleResponse(response) } : { json: sampleResponseToJson(response) };
  }

  function saved(kind: Checkpoint["kind"], modelId: string, id: string): string {
    const key = `${modelId}/${kind}/${id}`;
    if (checkpoints.has(key))
      throw new Refusal(409, `Checkpoint '${id}' already exists for model '${modelId}'`);
    const model = live(modelId);
    checkpoints.set(key, {
      id,
      kind,
      modelId,
      table: model.table.slice(),
      optimizer: copyOptimizer(model.optimizer),
    });
    return key;
  }

  const post: Record<string, (json: Record<string, unknown>, body: string) => unknown> = {
    "client/config": () => ({ pjwt_auth_enabled: false, proto_compress_fwdbwd: compress }),
    create_session() {
      const id = name("session");
      sessions.add(id);
      return { type: "create_session", session_id: id };
    },
    session_heartbeat(json) {
      if (!sessions.has(json["session_id"] as string)) throw new Refusal(404, "Session not found");
      return { type: "session_heartbeat" };
    },
    create_model(json) {
      if (!sessions.has(json["session_id"] as string)) throw new Refusal(404, "Session not found");
      const id = name("model");
      const { rank } = json["lora_config"] as { readonly rank: number };
      models.set(id, {
        table: base.slice(),
        optimizer: newOptimizer(),
        gradient: new Float64Array(VOCABULARY ** 2),
        datums: 0,
        loaded: true,
        requests: 0,
        rank,
      });
      const made = { model_id: id, base_model: json["base_model"], lora_config: json["lora_config"] };
      return { ...(accept(() => ({ json: made })) as object), ...made };
    },
    optim_step(json, body) {
      const id = json["model_id"] as string;
      const { learning_rate: rate } = json["adam_params"] as Record<string, number>;
      if (rate! < 0)
        throw new Refusal(422, [
          {
            loc: ["body", "adam_params", "learning_rate"],
            msg: "Input should be greater than or equal to 0",
          },
        ]);
      modelOf(id);
      return once(id, json["seq_id"] as number, body, () =>
        accept(() => {
          const model = live(id);
          worked.push(`optim_step ${String(json["seq_id"])}`);
          if (normalization === "mean")
            model.gradient = model.gradient.map((g) => g / Math.max(1, model.datums));
          const norm = adamStep(
            model.table,
            model.gradient,
            model.optimizer,
            json["adam_params"] as Record<string, number>,
          );
          model.gradient = new Float64Array(VOCABULARY ** 2);
          model.datums = 0;
          return { json: { metrics: gradNorm ? { "skyrl.ai/grad_norm": norm } : {} } };
        }),
      );
    },
    save_weights(json) {
      const id = json["model_id"] as string;
      modelOf(id);
      saved("training", id, json["path"] as string);
      return accept(() => ({
        json: { path: `tinker://${id}/weights/${String(json["path"])}`, type: "save_weights" },
      }));
    },
    save_weights_for_sampler(json) {
      const id = json["model_id"] as string;
      modelOf(id);
      const path =
        (json["path"] as string | undefined) ??
        `ss${String(json["sampling_session_seq_id"])}_seq${String(json["seq_id"])}`;
      const key = saved("sampler", id, path);
      if (json["path"] !== undefined)
        return accept(() => ({ json: { path: `tinker://${id}/${path}`, sampling_session_id: null } }));
      const session = name("sampling");
      samplers.set(session, { checkpoint: key });
      return accept(() => ({ json: { path: null, sampling_session_id: session } }));
    },
    load_weights(json) {
      const id = json["model_id"] as string;
      const model = modelOf(id);
      if (model.requests > 1)
        throw new Refusal(400, `LoadWeights is not permitted with seq_id ${String(json["seq_id"])}`);
      const [, source, checkpointName] =
        /^tinker:\/\/(.+)\/weights\/(.+)$/.exec(json["path"] as string) ?? [];
      const checkpoint = checkpoints.get(`${source}/training/${checkpointName}`);
      if (checkpoint === undefined)
        throw new Refusal(404, `Checkpoint not found: ${source}/${checkpointName}`);
      return accept(() => {
        model.table = checkpoint.table.slice();
        if (json["optimizer"] === true) Object.assign(model.optimizer, copyOptimizer(checkpoint.optimizer));
        return { json: { type: "load_weights" } };
      });
    },
    create_sampling_session(json) {
      const id = name("sampling");
      const path = json["model_path"] as string | undefined;
      const [, model, weights] = /^tinker:\/\/([^/]+)\/(?:sampler_weights\/)?(.+)$/.exec(path ?? "") ?? [];
      samplers.set(id, path === undefined ? {} : { checkpoint: `${model}/sampler/${weights}` });
      return { type: "create_sampling_session", sampling_session_id: id };
    },
    asample(json) {
      const session = json["sampling_session_id"];
      if (typeof session === "string" && !samplers.has(session))
        throw new Refusal(404, "Sampling session not found");
      return accept(() => sample(json));
    },
    unload_model(json) {
      const model = modelOf(json["model_id"] as string);
      model.loaded = false;
      return accept(() => ({ json: { model_id: json["model_id"], status: "unloaded" } }));
    },
    weights_info: (json) => {
      const [, source, checkpointName] =
        /^tinker:\/\/(.+)\/weights\/(.+)$/.exec(json["tinker_path"] as string) ?? [];
      const checkpoint = checkpoints.get(`${source}/training/${checkpointName}`);
      if (checkpoint === undefined) throw new Refusal(404, "Checkpoint not found");
      return { base_model: modelName, is_lora: true, lora_rank: models.get(source!)?.rank };
    },
  };

  function get(path: string): unknown {
    if (path === "healthz") return { status: "ok" };
    if (path === "get_server_capabilities") return { supported_models: [{ model_name: modelName }] };
    const [, sampler] = /^samplers\/(.+)$/.exec(path) ?? [];
    if (sampler !== undefined) {
      if (!samplers.has(sampler)) throw new Refusal(404, "Sampler not found");
      return { sampler_id: sampler, base_model: modelName };
    }
    const [, run] = /^training_runs\/(.+)\/checkpoints$/.exec(path) ?? [];
    if (run === undefined) throw new Refusal(404, "Not Found");
    return {
      checkpoints: [...checkpoints.values()]
        .filter(({ modelId }) => modelId === run)
        .map(({ id, kind }) => ({
          checkpoint_id: id,
          checkpoint_type: kind,
          tinker_path: `tinker://${run}/${kind === "training" ? "weights" : "sampler_weights"}/${id}`,
        })),
    };
  }

  function retrieve(
    json: Record<string, unknown>,
  ): Result | { status: number; json: unknown; proto?: undefined } {
    const result = results.get(json["request_id"] as string);
    if (result === undefined) throw new Refusal(404, "Future not found");
    if (result.notYet > 0) {
      result.notYet--;
      return {
        status: 200,
        json: { type: "try_again", request_id: json["request_id"], queue_state: "paused_capacity" },
      };
    }
    if (metadataFirst && json["allow_metadata_only"] === true)
      return { status: 200, json: { status: "complete_metadata", response_payload_size: 9 } };
    return result;
  }

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = (request.url ?? "").replace(/^\/api\/v1\//, "");
    calls[path] = (calls[path] ?? 0) + 1;
    const write = (status: number, content: Uint8Array | unknown): void => {
      const proto = content instanceof Uint8Array;
      const bytes = proto ? content : Buffer.from(JSON.stringify(content));
      response.writeHead(status, {
        "content-type": proto ? "application/x-protobuf" : "application/json",
        "content-length": bytes.length,
      });
      response.end(bytes);
    };
    try {
      const body = await bodyOf(request);
      if (request.method === "GET") return write(200, get(path));
      if (path === "forward_backward" || path === "forward") {
        const proto = request.headers["content-type"] === "application/x-protobuf";
        if (!proto && protobuf)
          throw new Refusal(415, "forward_backward requires a application/x-protobuf body");
        const decoded = proto
          ? decodeForwardBackwardRequest(body)
          : forwardBackwardRequestFromJson(JSON.parse(Buffer.from(body).toString()));
        modelOf(decoded.modelId);
        return write(
          200,
          once(decoded.modelId, decoded.seqId, Buffer.from(body).toString("base64"), () =>
            accept(() => forwardBackward(decoded)),
          ),
        );
      }
      const text = Buffer.from(body).toString();
      const json = JSON.parse(text) as Record<string, unknown>;
      if (path === "retrieve_future") {
        const result = retrieve(json);
        return write(result.status, result.proto ?? result.json);
      }
      const handler = post[path];
      if (handler === undefined) throw new Refusal(404, "Not Found");
      write(200, handler(json, text));
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      write(error.status, { detail: error.detail });
    }
  }

  const server: Server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => {
      response.writeHead(500, { "content-type": "text/plain" });
      response.end(String(error));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    models,
    calls,
    worked,
    restart() {
      for (const model of models.values()) model.loaded = false;
      sessions.clear();
      samplers.clear();
    },
    expireSessions() {
      sessions.clear();
      for (const model of models.values()) model.loaded = false;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
