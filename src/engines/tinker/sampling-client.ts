/** @file Draws and scores with one frozen set of weights: a sampling session of the API. */
import { createGate, type Gate } from "../../base/gate.js";
import { isTinkerError, protocolError, TinkerError } from "./errors.js";
import { resultOf, type ClientContext } from "./context.js";
import { requestIdOf, type ResultReader } from "./futures.js";
import {
  decodeSampleResponse,
  sampleRequestToJson,
  sampleResponseFromJson,
  type ModelInputChunk,
  type SampleRequest,
  type SampleResponse,
  type WireSamplingParams,
} from "./wire/index.js";

/** What to draw. */
export interface SampleOptions extends WireSamplingParams {
  /** How many sequences. @default 1 */
  readonly numSamples?: number;
  /** Score the prompt too. @default false */
  readonly promptLogprobs?: boolean;
}

/** How often a request is made again whose answer was lost. */
const REPEATS = 3;

function checked(response: SampleResponse, request: SampleRequest): SampleResponse {
  const { sequences, promptLogprobs } = response;
  if (sequences.length !== request.numSamples)
    throw protocolError(`${sequences.length} sequences came back, ${request.numSamples} were asked for`);
  for (const { tokens, logprobs } of sequences) {
    if (tokens.length > request.samplingParams.maxTokens)
      throw protocolError(
        `a sequence of ${tokens.length} tokens, at most ${request.samplingParams.maxTokens} were asked for`,
      );
    if (logprobs !== undefined && logprobs.length !== tokens.length)
      throw protocolError(`${logprobs.length} log-probabilities for ${tokens.length} tokens`);
  }
  if (request.promptLogprobs === true && promptLogprobs === undefined)
    throw protocolError("the prompt's log-probabilities were asked for and did not come back");
  return response;
}

/** A sampling session. Calls may overlap. */
export class SamplingClient {
  readonly #context: ClientContext;
  readonly #gate: Gate;
  #sequence = 0;

  /** Use TinkerClient.sampler or TrainingModel.sampler. */
  constructor(
    context: ClientContext,
    /** The server's name of the session. */
    readonly id: string,
    /** `base`, or the model or path whose weights these are, for messages. */
    readonly weights: string,
  ) {
    this.#context = context;
    this.#gate = createGate(context.limits.samplingInFlight);
  }

  /**
   * Draws sequences. The k-th of them is drawn from `seed + k`.
   *
   * A request whose answer was lost is made again only after the server has confirmed that this session is still the one
   * it was. Servers that do not know the request again then draw twice, to the same result.
   *
   * @throws TinkerError
   */
  sample(prompt: readonly ModelInputChunk[], options: SampleOptions): Promise<SampleResponse> {
    const { numSamples = 1, promptLogprobs = false, ...samplingParams } = options;
    const request: SampleRequest = {
      samplingSessionId: this.id,
      seqId: ++this.#sequence,
      numSamples,
      prompt,
      samplingParams,
      promptLogprobs,
    };
    const reader: ResultReader<SampleResponse> = {
      proto: (bytes) => checked(decodeSampleResponse(bytes), request),
      json: (json) => checked(sampleResponseFromJson(json), request),
    };
    return this.#gate.run(async () => resultOf(this.#context, await this.#submit(request), "sample", reader));
  }

  async #submit(request: SampleRequest): Promise<string> {
    const { transport, limits, logger, signal } = this.#context;
    const json = sampleRequestToJson(request);
    for (let attempt = 1; ; attempt++) {
      try {
        const answer = await transport.sendJson({
          method: "POST",
          path: "asample",
          json,
          idempotence: "once",
          timeoutMs: limits.requestTimeoutMs,
          ...(signal && { signal }),
        });
        return requestIdOf(answer);
      } catch (error) {
        if (!isTinkerError(error, "ambiguous") || attempt > REPEATS) throw error;
        await this.#confirm();
        logger.warn(`${error.message}; drawing again with the same seed (this may be billed twice)`);
      }
    }
  }

  /** @throws TinkerError where the server no longer has this session. */
  async #confirm(): Promise<void> {
    const { transport, signal } = this.#context;
    const answer = await transport.sendJson({
      method: "GET",
      path: `samplers/${this.id}`,
      idempotence: "repeatable",
      ...(signal && { signal }),
    });
    const id = (answer as { readonly sampler_id?: unknown } | null)?.sampler_id;
    if (id !== undefined && id !== this.id)
      throw new TinkerError("not-found", `the server no longer has the sampling session ${this.id}`);
  }

  /**
   * Log-probability of each token of a prompt given those before it, from the second on (the first has none). Picture
   * tokens are counted where the server does.
   *
   * @throws TinkerError (`refused` or `failed` where the server cannot do it)
   */
  async promptLogprobs(prompt: readonly ModelInputChunk[]): Promise<Float32Array> {
    const { promptLogprobs } = await this.sample(prompt, {
      maxTokens: 1,
      temperature: 1,
      seed: 0,
      promptLogprobs: true,
    });
    // Some servers leave the first token's entry out, others give it as undefined.
    const all = promptLogprobs!;
    return all.length > 0 && Number.isNaN(all[0]) ? all.subarray(1) : all;
  }
}

/** Opens a sampling session over saved sampler weights or a base model. */
export async function openSamplingSession(
  context: ClientContext,
  weights: { readonly modelPath: string } | { readonly baseModel: string },
): Promise<SamplingClient> {
  const answer = await context.transport.sendJson({
    method: "POST",
    path: "create_sampling_session",
    json: {
      session_id: context.sessionId,
      sampling_session_seq_id: context.nextSamplingSession(),
      ...("modelPath" in weights ? { model_path: weights.modelPath } : { base_model: weights.baseModel }),
      type: "create_sampling_session",
    },
    // A session opened twice is an unused row on the server.
    idempotence: "repeatable",
    ...(context.signal && { signal: context.signal }),
  });
  const id = (answer as { readonly sampling_session_id?: unknown } | null)?.sampling_session_id;
  if (typeof id !== "string") throw protocolError("create_sampling_session gave no session");
  return new SamplingClient(
    context,
    id,
    "modelPath" in weights ? weights.modelPath : `base ${weights.baseModel}`,
  );
}
