/** @file Every choice of GRPO (design, 4.5). Has the shape of a recipe's `grpo` section, with the seed and the rewards beside it. */
import { InputError, UnavailableError } from "../base/errors.js";
import type { Capabilities, KlEstimator, Loss } from "../engines/contract.js";
import type { RewardConfig } from "../rewards/types.js";
import type { AdvantageKind } from "./advantage.js";
import type { Aggregation } from "./aggregation.js";
import type { Credit } from "./credit.js";
import type { OptimizerConfig } from "./optimizer.js";

/** How responses are drawn in training. */
export interface GrpoSampling {
  readonly temperature: number;
  /** @default 1 */
  readonly topP?: number;
  /** @default 0, all tokens */
  readonly topK?: number;
  /** Longest response, tokens. */
  readonly maxTokens: number;
  /** A response that writes one box this often within one section is ended; 0 = never. @default 0 */
  readonly maxBoxRepeats?: number;
}

/** Every choice of a GRPO run. */
export interface GrpoConfig {
  /** All randomness of the run is a function of this and of the step. */
  readonly seed: number;
  /** Steps (batches of rollouts) of the whole run; schedules end here. */
  readonly steps: number;
  /** Images, and so groups, a step. */
  readonly imagesPerStep: number;
  /** G: responses an image, 2 or more. */
  readonly groupSize: number;
  readonly sampling: GrpoSampling;
  readonly rewards: RewardConfig;
  readonly advantage: AdvantageKind;
  readonly credit: Credit;
  /** `constant` divides by responses * sampling.maxTokens. */
  readonly aggregation: Aggregation["kind"];
  readonly clip: { readonly low: number; readonly high: number };
  readonly kl: {
    /** 0 = no reference. */
    readonly beta: number;
    readonly estimator: KlEstimator;
    /** A term of the loss, or a penalty folded into the token advantages. */
    readonly placement: "loss" | "reward";
  };
  /** Leave responses without an end token out of the loss. */
  readonly maskTruncated: boolean;
  /** mu: passes over the rollouts of a step. */
  readonly iterations: number;
  /** Optimiser steps a pass; groups stay whole. @default 1 */
  readonly minibatches?: number;
  /** Tokens (prompts and responses) a forwardBackward call; gradients accumulate. @default no limit */
  readonly tokenBudget?: number;
  /**
   * logp_old of the ratio: as the sampler gave it, or computed again by the sampler's scoring pass (for samplers whose
   * kernels differ from the trainer's). @default "sampled"
   */
  readonly oldLogprobs?: "sampled" | "recomputed";
  /**
   * k: batches that are sampled while earlier ones train; the batch of a step comes from the weights of k steps before
   * (rollout-pipeline.ts). 0 = on policy, nothing overlaps. @default 0
   */
  readonly maxStaleness?: number;
  readonly optimizer: OptimizerConfig;
}

/** The design's choices (section 4), with `optimizer`, `steps`, `seed` and `rewards` left to say. */
export const grpoDefaults = {
  imagesPerStep: 8,
  groupSize: 8,
  sampling: { temperature: 1, topP: 1, topK: 0, maxTokens: 256, maxBoxRepeats: 4 },
  advantage: "group",
  credit: { kind: "response" },
  aggregation: "token",
  clip: { low: 0.2, high: 0.2 },
  kl: { beta: 0.04, estimator: "k3", placement: "loss" },
  maskTruncated: false,
  iterations: 1,
  minibatches: 1,
  oldLogprobs: "sampled",
  maxStaleness: 0,
} as const satisfies Partial<GrpoConfig>;

/** The loss of the engine contract that this configuration asks for. */
export function policyLossOf(config: GrpoConfig): Extract<Loss, { kind: "policy" }> {
  return {
    kind: "policy",
    clipLow: config.clip.low,
    clipHigh: config.clip.high,
    klBeta: config.kl.placement === "loss" ? config.kl.beta : 0,
    klEstimator: config.kl.estimator,
    temperature: config.sampling.temperature,
  };
}

/**
 * Refuses what cannot work, before anything is computed.
 *
 * @throws InputError for a choice without meaning; UnavailableError for one that the engine cannot do.
 */
export function checkGrpoConfig(config: GrpoConfig, capabilities: Capabilities): void {
  if (config.groupSize < 2) {
    throw new InputError(`A group needs at least 2 responses, not ${config.groupSize}.`, {
      hint: "Advantages compare the responses of one group; set groupSize to 8.",
    });
  }
  if (!(config.sampling.temperature > 0)) {
    throw new InputError("GRPO cannot learn from greedy responses (temperature 0).", {
      hint: "Set sampling.temperature to 1.",
    });
  }
  for (const key of ["steps", "imagesPerStep", "iterations"] as const) {
    if (!(Number.isInteger(config[key]) && config[key] > 0)) {
      throw new InputError(`${key} must be a positive whole number, not ${config[key]}.`);
    }
  }
  const { maxStaleness = 0 } = config;
  if (!(Number.isInteger(maxStaleness) && maxStaleness >= 0)) {
    throw new InputError(`maxStaleness must be a whole number of steps, 0 or more, not ${maxStaleness}.`);
  }
  if (!capabilities.losses.includes("policy")) {
    throw new UnavailableError(`The engine "${capabilities.engine}" has no policy loss.`, {
      hint: "Train with the local or the tinker engine.",
    });
  }
  if (policyLossOf(config).klBeta !== 0 && !capabilities.klInLoss) {
    throw new UnavailableError(`The engine "${capabilities.engine}" has no KL term in its loss.`, {
      hint: 'Set kl.placement to "reward", or kl.beta to 0.',
    });
  }
}
