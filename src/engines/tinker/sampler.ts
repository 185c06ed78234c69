/** @file The contract's sampler over a sampling session. */
import { InputError, UnavailableError } from "../../base/errors.js";
import { createRepeatGuard } from "../../response/repeat-guard.js";
import type { Prompt, Rollout, Sampler, SamplingParams } from "../contract.js";
import { promptLength } from "../prompt-length.js";
import { inputChunks } from "./datums.js";
import { protocolError } from "./errors.js";
import type { SamplingClient } from "./sampling-client.js";
import type { SampledSequence } from "./wire/index.js";

/** What a sampler knows of its engine. */
export interface TinkerSamplerOptions {
  readonly session: SamplingClient;
  /** Tokens of prompt and response at most: servers take longer ones without a word. */
  readonly maxTokens: number;
  readonly images: boolean;
  readonly promptLogprobs: boolean;
  /** Text of a token, for the repeat guard. Without it `maxBoxRepeats` cannot be held. */
  readonly pieceOf?: (id: number) => string;
  /** Runs a call; where weights are not isolated, it refuses what would reach other weights. */
  readonly guarded: <T>(work: () => Promise<T>) => Promise<T>;
  /** Told of tokens as they are spent. */
  readonly spend: (kind: "prompt" | "sampled", tokens: number) => void;
}

/** @throws UnavailableError for pictures that the server would not see. */
export function requireImages(prompt: Prompt, images: boolean): void {
  if (images || prompt.chunks.every(({ kind }) => kind === "text")) return;
  throw new UnavailableError("This server does not take pictures for this model.", {
    hint: "SkyRL's JAX backend is for text only: start it with --backend fsdp and a vision-language model.",
  });
}

/** A response as the contract has it; one that got stuck ends where it did. */
function rollout(
  { tokens, logprobs, stopReason }: SampledSequence,
  limit: number,
  pieceOf: TinkerSamplerOptions["pieceOf"],
): Rollout {
  if (logprobs === undefined) throw protocolError("a sampled sequence came without log-probabilities");
  if (limit > 0 && pieceOf !== undefined) {
    const guard = createRepeatGuard(limit);
    const stuck = tokens.findIndex((id) => guard.push(pieceOf(id)));
    if (stuck >= 0 && stuck < tokens.length - 1)
      return {
        tokens: tokens.slice(0, stuck + 1),
        logprobs: logprobs.slice(0, stuck + 1),
        stopReason: "loop",
      };
  }
  return { tokens, logprobs, stopReason };
}

/** A sampler over one session's weights. */
export function createTinkerSampler(options: TinkerSamplerOptions): Sampler {
  const { session, maxTokens, images, pieceOf, guarded, spend } = options;

  function fits(prompt: Prompt, more: number): void {
    requireImages(prompt, images);
    const length = promptLength(prompt) + more;
    if (promptLength(prompt) === 0) throw new InputError("sample: the prompt is empty");
    if (length > maxTokens)
      throw new InputError(
        `a prompt and its response may take ${length} tokens, the model has room for ${maxTokens}`,
        {
          hint: "Lower maxTokens, or the pixel budget of images.",
        },
      );
  }

  async function sample(prompt: Prompt, params: SamplingParams): Promise<Rollout[]> {
    fits(prompt, params.maxTokens);
    if (params.n === 0) return [];
    return guarded(async () => {
      const { sequences } = await session.sample(await inputChunks(prompt), {
        numSamples: params.n,
        maxTokens: params.maxTokens,
        temperature: params.temperature,
        topP: params.topP ?? 1,
        topK: params.topK === undefined || params.topK === 0 ? -1 : params.topK,
        // Servers take no negative seeds; the k-th response is drawn from seed + k.
        seed: params.seed & 0x3fffffff,
        stop: params.stop,
      });
      spend("prompt", promptLength(prompt));
      for (const { tokens } of sequences) spend("sampled", tokens.length);
      return sequences.map((one) => rollout(one, params.maxBoxRepeats ?? 0, pieceOf));
    });
  }

  async function logprobs(prompt: Prompt, tokens: Int32Array, temperature = 1): Promise<Float32Array> {
    if (temperature !== 1)
      throw new UnavailableError(`Servers of the Tinker API score at temperature 1, not at ${temperature}.`, {
        hint: "Set sampling.temperature to 1.",
      });
    if (!options.promptLogprobs)
      throw new UnavailableError("This server does not score given tokens.", {
        hint: 'Set kl.beta to 0 and oldLogprobs to "sampled".',
      });
    fits(prompt, tokens.length + 1);
    return guarded(async () => {
      const scores = await session.promptLogprobs(await inputChunks(prompt, tokens));
      const expected = promptLength(prompt) + tokens.length;
      spend("prompt", expected);
      if (scores.length !== expected - 1)
        throw protocolError(`${scores.length} scores came back for a text of ${expected} tokens`);
      return scores.slice(scores.length - tokens.length);
    });
  }

  return {
    sample,
    sampleBatch: async (prompts, params) => {
      if (prompts.length !== params.length)
        throw new InputError(
          `sampleBatch: ${prompts.length} prompts but ${params.length} sampling parameters`,
        );
      return Promise.all(prompts.map((prompt, i) => sample(prompt, params[i]!)));
    },
    logprobs,
    logprobsBatch: (items, temperature) =>
      Promise.all(items.map(({ prompt, tokens }) => logprobs(prompt, tokens, temperature))),
    // Sessions cost the server nothing; they end with ours.
    close: () => Promise.resolve(),
  };
}
