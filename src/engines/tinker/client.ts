/**
 * @file A client of the Tinker REST API: SkyRL on one's own machines, or the hosted service.
 *
 * @example
 * const client = await TinkerClient.connect({ baseUrl: "http://127.0.0.1:8000" });
 * const model = await client.createModel({ baseModel: client.models[0]!.name, rank: 8 });
 * const sampler = await model.sampler();
 */
import { silentLogger, type Logger } from "../../base/logger.js";
import { InputError } from "../../base/errors.js";
import { defaultLimits, resultOf, type ClientContext, type Encoding, type TinkerLimits } from "./context.js";
import { isTinkerError, protocolError } from "./errors.js";
import { requestIdOf } from "./futures.js";
import { startHeartbeat, type Heartbeat, type SessionState } from "./heartbeat.js";
import { defaultRetryPolicy, realRetryTools, type RetryPolicy, type RetryTools } from "./retry.js";
import { openSamplingSession, type SamplingClient } from "./sampling-client.js";
import { listCheckpoints, TrainingModel, type ServerCheckpoint } from "./training-model.js";
import { createTransport } from "./transport.js";

/** Said to servers as `sdk_version`; they log it. */
const SDK_VERSION = "dip-r1";

/** Where the server is, and how patient to be. */
export interface TinkerClientOptions {
  /** As `http://127.0.0.1:8000`. @default TINKER_BASE_URL */
  readonly baseUrl?: string;
  /** SkyRL takes any. Never written anywhere. @default TINKER_API_KEY */
  readonly apiKey?: string;
  /** Labels of the session on the server. */
  readonly tags?: readonly string[];
  /** How forward_backward's body is written; `json` is for SkyRL 0.3. @default "protobuf" */
  readonly encoding?: Encoding;
  /** See {@link ClientContext.deduplicates}. SkyRL from 0.4 on and the hosted service do. @default true */
  readonly deduplicates?: boolean;
  readonly limits?: Partial<TinkerLimits>;
  readonly retry?: Partial<RetryPolicy>;
  /** ms between heartbeats; 0 = none. @default 10000 */
  readonly heartbeatMs?: number;
  /** Silence of the server after which a warning is due, ms. @default 120000 */
  readonly heartbeatWarnMs?: number;
  readonly logger?: Logger;
  /** Ends every call under way. */
  readonly signal?: AbortSignal;
  /** Clock, sleep and chance. */
  readonly tools?: RetryTools;
  readonly fetch?: typeof globalThis.fetch;
}

/** A model that a server can train or sample. */
export interface ServerModel {
  readonly name: string;
  /** Tokens of prompt and response, where the server says so. */
  readonly maxContextLength?: number;
}

/** A new adapter. */
export interface CreateModelOptions {
  /** Exactly as the server names it. */
  readonly baseModel: string;
  /** Rank of the LoRA adapter. */
  readonly rank: number;
  /** Of the adapter's first weights. @default the server's choice */
  readonly seed?: number;
}

function fieldsOf(json: unknown, what: string): Record<string, unknown> {
  if (typeof json !== "object" || json === null) throw protocolError(`${what} is no object`);
  return json as Record<string, unknown>;
}

function modelsOf(json: unknown): ServerModel[] {
  const list = fieldsOf(json, "get_server_capabilities")["supported_models"];
  if (!Array.isArray(list)) throw protocolError("get_server_capabilities names no models");
  return list.map((one: unknown) => {
    const fields = fieldsOf(one, "a supported model");
    const length = fields["max_context_length"];
    return {
      name: String(fields["model_name"]),
      ...(typeof length === "number" && { maxContextLength: length }),
    };
  });
}

const CREATIONS = 3;

/** One session with a server. */
export class TinkerClient {
  readonly #context: ClientContext;
  readonly #heartbeat: Heartbeat;
  #created = 0;

  private constructor(
    context: ClientContext,
    heartbeat: Heartbeat,
    /** What the server can train and sample. */
    readonly models: readonly ServerModel[],
  ) {
    this.#context = context;
    this.#heartbeat = heartbeat;
  }

  /**
   * Asks the server what it can do and opens a session, which is kept alive until {@link close}.
   *
   * @throws InputError where no address is given; TinkerError where the server does not answer or refuses.
   */
  static async connect(options: TinkerClientOptions = {}): Promise<TinkerClient> {
    const { env } = process;
    const { baseUrl = env["TINKER_BASE_URL"], apiKey = env["TINKER_API_KEY"] ?? "tml-none" } = options;
    if (baseUrl === undefined || !/^https?:\/\//.test(baseUrl)) {
      throw new InputError(
        baseUrl === undefined
          ? "No address of a Tinker server is given."
          : `"${baseUrl}" is no http address.`,
        { hint: "Give it as http://host:port, or set TINKER_BASE_URL." },
      );
    }
    const { logger = silentLogger, tools = realRetryTools, heartbeatMs = 10_000, signal } = options;
    const transport = createTransport({
      baseUrl,
      apiKey,
      policy: { ...defaultRetryPolicy, ...options.retry },
      requestTimeoutMs: options.limits?.requestTimeoutMs ?? defaultLimits.requestTimeoutMs,
      tools,
      ...(options.fetch && { fetch: options.fetch }),
      onRetry: (message) => logger.debug(message),
    });
    const call = { idempotence: "repeatable", ...(signal && { signal }) } as const;
    let features: Record<string, unknown> = {};
    try {
      features = fieldsOf(
        await transport.sendJson({
          ...call,
          method: "POST",
          path: "client/config",
          json: { sdk_version: SDK_VERSION },
        }),
        "client/config",
      );
    } catch (error) {
      // Older servers have no such call.
      if (!isTinkerError(error, "not-found")) throw error;
    }
    const models = modelsOf(
      await transport.sendJson({ ...call, method: "GET", path: "get_server_capabilities" }),
    );
    const session = fieldsOf(
      await transport.sendJson({
        ...call,
        method: "POST",
        path: "create_session",
        json: {
          tags: options.tags ?? [],
          user_metadata: {},
          sdk_version: SDK_VERSION,
          type: "create_session",
        },
      }),
      "create_session",
    );
    for (const key of ["info_message", "warning_message", "error_message"])
      if (typeof session[key] === "string") logger.warn(`the server says: ${session[key]}`);
    const sessionId = session["session_id"];
    if (typeof sessionId !== "string") throw protocolError("create_session gave no session");
    let samplingSessions = 0;
    const context: ClientContext = {
      transport,
      tools,
      limits: { ...defaultLimits, ...options.limits },
      logger,
      sessionId,
      encoding: options.encoding ?? "protobuf",
      compress: features["proto_compress_fwdbwd"] === true,
      deduplicates: options.deduplicates ?? true,
      ...(signal && { signal }),
      nextSamplingSession: () => samplingSessions++,
    };
    const heartbeat = startHeartbeat({
      transport,
      sessionId,
      everyMs: heartbeatMs,
      ...(options.heartbeatWarnMs !== undefined && { warnAfterMs: options.heartbeatWarnMs }),
      now: tools.now,
      logger,
    });
    return new TinkerClient(context, heartbeat, models);
  }

  /** The server's name of this session. */
  get sessionId(): string {
    return this.#context.sessionId;
  }

  /** Whether the server still keeps the session's models. */
  get sessionState(): SessionState {
    return this.#heartbeat.state;
  }

  /** Tries that were made again so far, by the code of their trouble. */
  get retries(): Readonly<Record<string, number>> {
    return this.#context.transport.retries;
  }

  /** Sampling requests under way together. */
  get concurrency(): number {
    return this.#context.limits.samplingInFlight;
  }

  /** Whether the server was found to know repeated training requests again. */
  setDeduplicates(value: boolean): void {
    this.#context.deduplicates = value;
  }

  /** Beats once, now, beside the timer. */
  beat(): Promise<void> {
    return this.#heartbeat.beat();
  }

  /**
   * A new adapter on a base model.
   *
   * @throws InputError for a base model that the server does not have: SkyRL would silently take another; TinkerError.
   */
  async createModel({ baseModel, rank, seed }: CreateModelOptions): Promise<TrainingModel> {
    if (!this.models.some(({ name }) => name === baseModel)) {
      throw new InputError(`The server has no model "${baseModel}".`, {
        hint: `It has ${this.models.map(({ name }) => `"${name}"`).join(", ") || "none"}.`,
      });
    }
    const { transport, logger, limits, signal } = this.#context;
    const number = this.#created++;
    for (let attempt = 1; ; attempt++) {
      try {
        const answer = fieldsOf(
          await transport.sendJson({
            method: "POST",
            path: "create_model",
            json: {
              session_id: this.sessionId,
              model_seq_id: number,
              base_model: baseModel,
              lora_config: {
                rank,
                ...(seed !== undefined && { seed }),
                train_unembed: false,
                train_mlp: true,
                train_attn: true,
              },
              user_metadata: null,
              type: "create_model",
            },
            idempotence: "once",
            timeoutMs: limits.requestTimeoutMs,
            ...(signal && { signal }),
          }),
          "create_model",
        );
        const made = fieldsOf(
          await resultOf(this.#context, requestIdOf(answer), "create_model", { json: (json) => json }),
          "create_model",
        );
        const id = made["model_id"] ?? answer["model_id"];
        if (typeof id !== "string") throw protocolError("create_model gave no model");
        return new TrainingModel(this.#context, id, baseModel, rank);
      } catch (error) {
        if (!isTinkerError(error, "ambiguous") || attempt >= CREATIONS) throw error;
        logger.warn(
          `${error.message}; making another (one may be left on the server until the session ends)`,
        );
      }
    }
  }

  /**
   * A new model with saved weights, and with the optimiser where asked: how training goes on.
   *
   * @param path As TrainingModel.saveWeights gave it.
   * @throws TinkerError (`not-found` where the checkpoint is gone)
   */
  async loadModel(
    path: string,
    options: CreateModelOptions & { /** @default true */ readonly optimizer?: boolean },
  ): Promise<TrainingModel> {
    const { optimizer = true, ...create } = options;
    const { transport, limits, signal } = this.#context;
    for (let attempt = 1; ; attempt++) {
      const model = await this.createModel(create);
      try {
        // Servers take this as a model's first request only, so one that may have been taken is not made again.
        const answer = await transport.sendJson({
          method: "POST",
          path: "load_weights",
          json: { model_id: model.id, path, optimizer, seq_id: 1, type: "load_weights" },
          idempotence: "once",
          timeoutMs: limits.requestTimeoutMs,
          ...(signal && { signal }),
        });
        await resultOf(this.#context, requestIdOf(answer), "load_weights", { json: () => undefined });
        model.began(1);
        return model;
      } catch (error) {
        await model.unload().catch(() => undefined);
        // "Not the first request" of a new model: this very request has arrived twice.
        const twice = isTinkerError(error, "refused") && /not permitted/i.test(error.detail ?? "");
        if (!(twice || isTinkerError(error, "ambiguous")) || attempt >= CREATIONS) throw error;
      }
    }
  }

  /** A sampling session over saved sampler weights or over a base model. */
  sampler(weights: { readonly modelPath: string } | { readonly baseModel: string }): Promise<SamplingClient> {
    return openSamplingSession(this.#context, weights);
  }

  /** Finished checkpoints of a model. */
  checkpoints(modelId: string): Promise<ServerCheckpoint[]> {
    return listCheckpoints(this.#context, modelId);
  }

  /** Base model and rank of saved weights. @throws TinkerError (`not-found`) */
  async weightsInfo(path: string): Promise<{ readonly baseModel: string; readonly rank: number }> {
    const fields = fieldsOf(
      await this.#context.transport.sendJson({
        method: "POST",
        path: "weights_info",
        json: { tinker_path: path },
        idempotence: "repeatable",
      }),
      "weights_info",
    );
    const { base_model: baseModel, lora_rank: rank } = fields;
    if (typeof baseModel !== "string") throw protocolError("weights_info names no base model");
    return { baseModel, rank: typeof rank === "number" ? rank : 0 };
  }

  /** Stops the heartbeat: the server then ends the session and unloads its models in its own time. */
  close(): void {
    this.#heartbeat.stop();
  }
}
