/** @file The engine contract (design, section 3; after Tinker's primitives): what a trainer needs of whatever computes. */
import type { RgbImage } from "../base/rgb-image.js";

/** A stretch of a prompt: token ids, or a picture at the exact size the model sees, with the tokens it takes. */
export type PromptChunk =
  | { readonly kind: "text"; readonly tokens: Int32Array }
  | { readonly kind: "image"; readonly image: RgbImage; readonly tokens: number };

/** What the model is given. Vision start and end tokens are part of the text around an image. */
export interface Prompt {
  readonly chunks: readonly PromptChunk[];
}

/** How to draw tokens. */
export interface SamplingParams {
  /** How many responses to this prompt. */
  readonly n: number;
  readonly maxTokens: number;
  /** 0 is greedy. */
  readonly temperature: number;
  /** @default 1 */
  readonly topP?: number;
  /** 0 or absent keeps all. */
  readonly topK?: number;
  readonly seed: number;
  /** Ids that end a response; the end token is kept as the last token. */
  readonly stop: readonly number[];
  /**
   * End a response (stop reason `loop`) once it has written one box this many times within one section, whatever it
   * wrote between. 0 or absent: never.
   */
  readonly maxBoxRepeats?: number;
  /**
   * Told every token as it is drawn, and the place (from 0) of the response that it belongs to, by engines that draw token
   * by token; others tell nothing. What it throws ends the call.
   */
  readonly onToken?: (response: number, token: number) => void;
}

/** `stop` = an end token was drawn, `length` = maxTokens reached, `loop` = the repeat guard ended it. */
export type StopReason = "stop" | "length" | "loop";

/** One sampled response. */
export interface Rollout {
  /** Sampled ids, the end token included where one was drawn. */
  readonly tokens: Int32Array;
  /** Log-probability of each token under the distribution at the sampling temperature, before top-p and top-k. */
  readonly logprobs: Float32Array;
  readonly stopReason: StopReason;
}

/** One training sequence: a prompt, a completion and what is known of each completion token. All arrays have its length. */
export interface Datum {
  readonly prompt: Prompt;
  readonly tokens: Int32Array;
  /** Weight of each token's term in the loss (0 = masked); normalisation over the batch is the caller's, so losses add up. */
  readonly weights: Float32Array;
  /** Policy losses: advantage of each token. */
  readonly advantages?: Float32Array;
  /** Policy losses: log-probability when it was sampled. */
  readonly oldLogprobs?: Float32Array;
  /** Policy losses with KL: log-probability under the reference. */
  readonly referenceLogprobs?: Float32Array;
}

/** k1 = d', k2 = d'^2/2, k3 = exp(-d') - 1 + d', where d' = logp - logp_ref (Schulman's estimators). */
export type KlEstimator = "k1" | "k2" | "k3";

/**
 * What to minimise: the sum over tokens of weight * term.
 * `crossEntropy`: term = -logp.
 * `policy`: term = -min(rho * A, clip(rho, 1 - clipLow, 1 + clipHigh) * A) + klBeta * KL (design, 4.5).
 */
export type Loss =
  | { readonly kind: "crossEntropy" }
  | {
      readonly kind: "policy";
      readonly clipLow: number;
      readonly clipHigh: number;
      readonly klBeta: number;
      readonly klEstimator: KlEstimator;
      /** Temperature the responses were sampled at: logits are divided by it before the softmax. */
      readonly temperature: number;
    };

/** What a forward and backward pass tells. */
export interface LossReport {
  /** The value minimised, summed over the batch. */
  readonly loss: number;
  /** Log-probability of each completion token under the current weights, one array a datum. */
  readonly logprobs: readonly Float32Array[];
}

/** AdamW (decoupled decay) with global-norm clipping. */
export interface AdamParams {
  readonly learningRate: number;
  /** @default 0.9 */
  readonly beta1?: number;
  /** @default 0.999 */
  readonly beta2?: number;
  /** @default 1e-8 */
  readonly eps?: number;
  /** @default 0 */
  readonly weightDecay?: number;
  /** Global gradient norm is scaled down to this. 0 or absent: no clipping. */
  readonly maxGradNorm?: number;
  /**
   * The rate of vectors (gains of norms, biases) is this many times that of matrices: gains are of size one where the
   * entries of a matrix are hundredths, so that one rate for both hardly moves them. Nothing to apply it to where only
   * LoRA's matrices learn. @default 1
   */
  readonly vectorRateFactor?: number;
}

/** What an optimiser step tells. */
export interface StepReport {
  /** Global norm before clipping. */
  readonly gradNorm: number;
  readonly step: number;
}

/** How long a sampler keeps its weights. */
export type SamplerLife = "kept" | "newest" | "live";

/** What an engine can do: probed at connect, never assumed. */
export interface Capabilities {
  readonly engine: "local" | "tinker" | "openai";
  readonly model: string;
  readonly losses: readonly Loss["kind"][];
  /** Whether the KL term can be computed in the loss. */
  readonly klInLoss: boolean;
  readonly images: boolean;
  readonly promptLogprobs: boolean;
  readonly maxTokens: number;
  /** Sampling calls that are worked on together; the engine lets further ones wait for their turn. */
  readonly concurrency: number;
  /**
   * How long a sampler keeps its weights: `kept` = until it is closed; `newest` = until the next sampler is made, training
   * does not change it; `live` = until the next optimiser step. What a sampler was asked must be over by then. @default "kept"
   */
  readonly samplers?: SamplerLife;
}

/** A frozen snapshot of weights that draws responses and scores given ones. */
export interface Sampler {
  sample(prompt: Prompt, params: SamplingParams): Promise<Rollout[]>;
  /** Several prompts decoded together: much faster than one by one where an engine batches. */
  sampleBatch(prompts: readonly Prompt[], params: readonly SamplingParams[]): Promise<Rollout[][]>;
  /** Log-probability of each of the completion's tokens at this temperature (1 where absent). */
  logprobs(prompt: Prompt, tokens: Int32Array, temperature?: number): Promise<Float32Array>;
  logprobsBatch(
    items: readonly { prompt: Prompt; tokens: Int32Array }[],
    temperature?: number,
  ): Promise<Float32Array[]>;
  close(): Promise<void>;
}

/** A saved state: weights and optimiser, under a name or a folder. */
export interface Checkpoint {
  readonly path: string;
  readonly step: number;
}

/** Whatever computes: the embedded engine, or a client of a remote one. */
export interface Engine {
  readonly capabilities: Capabilities;
  /** A snapshot of the current weights. */
  sampler(): Promise<Sampler>;
  /** The weights the run began from, for the KL term. */
  reference(): Promise<Sampler>;
  /** Gradients accumulate until {@link Engine.optimStep}. */
  forwardBackward(batch: readonly Datum[], loss: Loss): Promise<LossReport>;
  optimStep(params: AdamParams): Promise<StepReport>;
  /** Writes weights and optimiser state, so that {@link Engine.load} goes on as if nothing had happened. */
  save(path: string): Promise<Checkpoint>;
  load(checkpoint: Checkpoint): Promise<void>;
  close(): Promise<void>;
}
