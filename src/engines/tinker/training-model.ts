/**
 * @file One model in training on a server. Requests are numbered in the order of the calls and submitted in that order,
 * without waiting for one another's results, so that an optimiser step is on its way before its gradients are back.
 */
import { createTurns } from "../local/turns.js";
import { chunkDatums, mergeOutputs } from "./chunks.js";
import { resultOf, type ClientContext } from "./context.js";
import { isTinkerError, protocolError, TinkerError, type TinkerErrorCode } from "./errors.js";
import { requestIdOf, type ResultReader } from "./futures.js";
import { openSamplingSession, SamplingClient } from "./sampling-client.js";
import { jsonOf, type RequestBody } from "./transport.js";
import {
  decodeForwardBackwardOutput,
  encodeForwardBackwardRequest,
  forwardBackwardOutputFromJson,
  forwardBackwardRequestToJson,
  PROTOBUF,
  zstdCompress,
  type ForwardBackwardOutput,
  type ForwardBackwardRequest,
  type WireDatum,
} from "./wire/index.js";

/** A loss function by the API's name, with its numbers. */
export interface LossFunction {
  readonly name: string;
  readonly config?: Readonly<Record<string, number>>;
}

/** AdamW as the API takes it. */
export interface WireAdamParams {
  readonly learningRate: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly eps: number;
  readonly weightDecay: number;
  /** 0 = none. */
  readonly gradClipNorm: number;
}

/** Weights that a sampling session can be opened over. */
export type SamplerWeights = { readonly path: string } | { readonly samplingSessionId: string };

/** After these it is not known what the model holds. */
const LOST: readonly TinkerErrorCode[] = [
  "unreachable",
  "ambiguous",
  "protocol",
  "server",
  "rate-limited",
  "timeout",
  "aborted",
];
const SAVES = 3;
/** Between two looks for a checkpoint that is being written, ms. */
const LOOK_EVERY = 1000;

interface Submission {
  readonly path: string;
  readonly operation: string;
  readonly body: (seqId: number) => RequestBody | Promise<RequestBody>;
  readonly idempotence: "repeatable" | "once";
}

function jsonBody(json: unknown): RequestBody {
  return { bytes: JSON.stringify(json), contentType: "application/json" };
}

function fieldOf(json: unknown, name: string): unknown {
  return typeof json === "object" && json !== null ? (json as Record<string, unknown>)[name] : undefined;
}

function adamBody(modelId: string, adam: WireAdamParams): object {
  return {
    model_id: modelId,
    adam_params: {
      learning_rate: adam.learningRate,
      beta1: adam.beta1,
      beta2: adam.beta2,
      eps: adam.eps,
      weight_decay: adam.weightDecay,
      grad_clip_norm: adam.gradClipNorm,
    },
    type: "optim_step",
  };
}

/** A model in training. Made by TinkerClient.createModel and TinkerClient.loadModel. */
export class TrainingModel {
  readonly #context: ClientContext;
  readonly #turns = createTurns();
  #sequence = 0;
  #lost: TinkerError | undefined;

  /** Use TinkerClient. */
  constructor(
    context: ClientContext,
    /** The server's name of it. */
    readonly id: string,
    readonly baseModel: string,
    /** Of its LoRA adapter; 0 = all weights are trained. */
    readonly rank: number,
  ) {
    this.#context = context;
  }

  /** Why the model can no longer be used, if so. */
  get lost(): TinkerError | undefined {
    return this.#lost;
  }

  /** Requests up to this number were made by others (loading weights). */
  began(sequence: number): void {
    this.#sequence = sequence;
  }

  /** Numbers are given out at once, in the order of calls; bodies go out in that order. */
  #submit(submission: Submission, seqId = ++this.#sequence): Promise<string> {
    const { transport, limits, signal } = this.#context;
    return this.#turns.take(async () => {
      if (this.#lost !== undefined) {
        throw new TinkerError(
          "out-of-step",
          `${submission.operation}: ${this.id} cannot be used any more, because an earlier request was lost (${this.#lost.message})`,
          { operation: submission.operation, cause: this.#lost },
        );
      }
      try {
        return await transport.send(
          {
            method: "POST",
            path: submission.path,
            body: await submission.body(seqId),
            idempotence: submission.idempotence,
            timeoutMs: limits.requestTimeoutMs,
            ...(signal && { signal }),
          },
          (answer) => requestIdOf(jsonOf(answer)),
        );
      } catch (error) {
        if (isTinkerError(error, ...LOST)) this.#lost = error;
        // Refused: the server has not counted it.
        else if (seqId === this.#sequence) this.#sequence--;
        throw error;
      }
    });
  }

  async #result<T>(requestId: string, operation: string, reader: ResultReader<T>): Promise<T> {
    try {
      return await resultOf(this.#context, requestId, operation, reader);
    } catch (error) {
      if (isTinkerError(error, ...LOST, "model-gone", "not-found")) this.#lost ??= error;
      throw error;
    }
  }

  get #training(): "repeatable" | "once" {
    return this.#context.deduplicates ? "repeatable" : "once";
  }

  /**
   * Gradients of a loss, added to those since the last optimStep. Large batches go as several requests; how a server
   * normalises over them is its own (docs/cluster.md).
   *
   * @throws TinkerError
   */
  forwardBackward(data: readonly WireDatum[], loss: LossFunction): Promise<ForwardBackwardOutput> {
    return this.#pass(data, loss, false);
  }

  /** The loss's outputs without gradients: log-probabilities of the targets under the weights of now. */
  forward(data: readonly WireDatum[]): Promise<ForwardBackwardOutput> {
    return this.#pass(data, { name: "cross_entropy" }, true);
  }

  async #pass(
    data: readonly WireDatum[],
    loss: LossFunction,
    forwardOnly: boolean,
  ): Promise<ForwardBackwardOutput> {
    const operation = forwardOnly ? "forward" : "forward_backward";
    const parts = chunkDatums(data, this.#context.limits);
    const results = parts.map(async (part) => {
      const reader: ResultReader<ForwardBackwardOutput> = {
        proto: (bytes) => checked(decodeForwardBackwardOutput(bytes), part),
        json: (json) => checked(forwardBackwardOutputFromJson(json), part),
      };
      const json = this.#context.encoding === "json";
      const requestId = await this.#submit({
        path: json && forwardOnly ? "forward" : "forward_backward",
        operation,
        idempotence: forwardOnly ? "repeatable" : this.#training,
        body: (seqId) =>
          this.#passBody({
            modelId: this.id,
            seqId,
            data: part,
            lossFn: loss.name,
            ...(loss.config && { lossFnConfig: loss.config }),
            forwardOnly,
          }),
      });
      return this.#result(requestId, operation, reader);
    });
    const settled = await Promise.allSettled(results);
    const failed = settled.find(({ status }) => status === "rejected");
    if (failed?.status === "rejected") {
      // Some parts' gradients may have been added, others not.
      if (parts.length > 1 && !forwardOnly && failed.reason instanceof TinkerError)
        this.#lost ??= failed.reason;
      throw failed.reason;
    }
    return mergeOutputs(settled.map((one) => (one as PromiseFulfilledResult<ForwardBackwardOutput>).value));
  }

  async #passBody(request: ForwardBackwardRequest): Promise<RequestBody> {
    const { encoding, compress } = this.#context;
    if (encoding === "json") return jsonBody(forwardBackwardRequestToJson(request));
    const bytes = encodeForwardBackwardRequest(request);
    return compress
      ? { bytes: await zstdCompress(bytes), contentType: PROTOBUF, contentEncoding: "zstd" }
      : { bytes, contentType: PROTOBUF };
  }

  /**
   * One step of AdamW on the gradients since the last; they are then gone.
   * @returns The server's metrics (SkyRL: `skyrl.ai/grad_norm`).
   */
  async optimStep(adam: WireAdamParams): Promise<Record<string, number>> {
    const requestId = await this.#submit({
      path: "optim_step",
      operation: "optim_step",
      idempotence: this.#training,
      body: (seqId) => jsonBody({ ...adamBody(this.id, adam), seq_id: seqId }),
    });
    return this.#result(requestId, "optim_step", {
      json: (json) => {
        const metrics = fieldOf(json, "metrics") ?? {};
        if (typeof metrics !== "object") throw protocolError("optim_step: metrics are no object");
        return Object.fromEntries(
          Object.entries(metrics as object).filter(([, value]) => typeof value === "number"),
        ) as Record<string, number>;
      },
    });
  }

  /**
   * Whether the server knows a repeated training request again: an optimiser step that is sent twice under one number. On a
   * model of no further use only.
   */
  async repeatIsKnown(adam: WireAdamParams): Promise<boolean> {
    const { transport, signal } = this.#context;
    const json = { ...adamBody(this.id, adam), seq_id: ++this.#sequence };
    const submit = async (): Promise<string> =>
      requestIdOf(
        await this.#turns.take(() =>
          transport.sendJson({
            method: "POST",
            path: "optim_step",
            json,
            idempotence: "repeatable",
            ...(signal && { signal }),
          }),
        ),
      );
    const [first, second] = [await submit(), await submit()];
    await this.#result(first, "optim_step", { json: () => undefined });
    if (first !== second) await this.#result(second, "optim_step", { json: () => undefined });
    return first === second;
  }

  /**
   * Saves weights and optimiser on the server under a name. A name that this model already has is looked up, not an error.
   * @returns Path for TinkerClient.loadModel.
   */
  saveWeights(name: string): Promise<string> {
    return this.#save("save_weights", "training", name);
  }

  /** Saves weights for sampling under a name. @returns Path for TinkerClient.sampler. */
  saveSamplerWeights(name: string): Promise<string> {
    return this.#save("save_weights_for_sampler", "sampler", name);
  }

  async #save(operation: string, type: "training" | "sampler", name: string): Promise<string> {
    let requestId: string;
    try {
      requestId = await this.#submit({
        path: operation,
        operation,
        // A second one is answered 409, and then looked up.
        idempotence: "repeatable",
        body: (seqId) => jsonBody({ model_id: this.id, path: name, seq_id: seqId, type: operation }),
      });
    } catch (error) {
      if (isTinkerError(error, "conflict") && /already exists/i.test(error.detail ?? ""))
        return this.#lookUp(type, name);
      throw error;
    }
    return this.#result(requestId, operation, {
      json(json) {
        const path = fieldOf(json, "path");
        if (typeof path !== "string") throw protocolError(`${operation} gave no path`);
        return path;
      },
    });
  }

  /** Waits for a checkpoint that an earlier request began. */
  async #lookUp(type: "training" | "sampler", name: string): Promise<string> {
    const { tools, limits, signal } = this.#context;
    const began = tools.now();
    for (;;) {
      const found = (await listCheckpoints(this.#context, this.id)).find(
        (one) => one.name === name && one.type === type,
      );
      if (found !== undefined) return found.path;
      if (tools.now() - began > limits.resultTimeoutMs) break;
      await tools.sleep(LOOK_EVERY, signal);
    }
    throw new TinkerError(
      "timeout",
      `the checkpoint "${name}" of ${this.id} was begun and does not appear among the finished ones`,
    );
  }

  /**
   * A sampling session over the weights as they are after every call made before this one. The weights are not kept under
   * a name.
   */
  async sampler(): Promise<SamplingClient> {
    for (let attempt = 1; ; attempt++) {
      const number = this.#context.nextSamplingSession();
      try {
        const requestId = await this.#submit({
          path: "save_weights_for_sampler",
          operation: "save_weights_for_sampler",
          // Not the same session twice: its id would be lost. A new one is made instead.
          idempotence: "once",
          body: (seqId) =>
            jsonBody({
              model_id: this.id,
              sampling_session_seq_id: number,
              seq_id: seqId,
              type: "save_weights_for_sampler",
            }),
        });
        const weights = await this.#result(requestId, "save_weights_for_sampler", { json: samplerWeightsOf });
        return "path" in weights
          ? await openSamplingSession(this.#context, { modelPath: weights.path })
          : new SamplingClient(this.#context, weights.samplingSessionId, this.id);
      } catch (error) {
        // Saving changes nothing of the model, so it may be done anew under another number.
        if (!isTinkerError(error, "ambiguous", "conflict") || attempt >= SAVES) throw error;
        if (this.#lost === error) this.#lost = undefined;
      }
    }
  }

  /** Frees the model's place on the server; a model that is already gone is fine. */
  async unload(): Promise<void> {
    const { transport, signal } = this.#context;
    try {
      const answer = await this.#turns.take(() =>
        transport.sendJson({
          method: "POST",
          path: "unload_model",
          json: { model_id: this.id, type: "unload_model" },
          idempotence: "repeatable",
          ...(signal && { signal }),
        }),
      );
      await resultOf(this.#context, requestIdOf(answer), "unload_model", { json: () => undefined });
    } catch (error) {
      if (!isTinkerError(error, "model-gone", "not-found", "session-expired")) throw error;
    }
  }
}

function samplerWeightsOf(json: unknown): SamplerWeights {
  const id = fieldOf(json, "sampling_session_id");
  if (typeof id === "string") return { samplingSessionId: id };
  const path = fieldOf(json, "path");
  if (typeof path === "string") return { path };
  throw protocolError("save_weights_for_sampler gave neither a session nor a path");
}

/** A result that fits what was sent. */
function checked(output: ForwardBackwardOutput, sent: readonly WireDatum[]): ForwardBackwardOutput {
  if (output.outputs.length !== sent.length)
    throw protocolError(`results of ${output.outputs.length} sequences came back, ${sent.length} were sent`);
  return output;
}

/** A checkpoint on the server. */
export interface ServerCheckpoint {
  readonly name: string;
  readonly type: string;
  readonly path: string;
  /** As the server writes it. */
  readonly time?: string;
}

/** Finished checkpoints of a model. */
export async function listCheckpoints(context: ClientContext, modelId: string): Promise<ServerCheckpoint[]> {
  const json = await context.transport.sendJson({
    method: "GET",
    path: `training_runs/${encodeURIComponent(modelId)}/checkpoints`,
    idempotence: "repeatable",
    ...(context.signal && { signal: context.signal }),
  });
  const list = fieldOf(json, "checkpoints");
  if (!Array.isArray(list)) throw protocolError("the list of checkpoints is none");
  return list.map((one: unknown) => {
    const time = fieldOf(one, "time");
    return {
      // Some servers write the kind before the name.
      name: String(fieldOf(one, "checkpoint_id")).replace(/^(weights|sampler_weights)\//, ""),
      type: String(fieldOf(one, "checkpoint_type")),
      path: String(fieldOf(one, "tinker_path")),
      ...(typeof time === "string" && { time }),
    };
  });
}
