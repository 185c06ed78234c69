/** @file What a server of the Tinker API really does, found out by asking it, and what that means for a run in words. */
import type { SamplerLife } from "../contract.js";
import type { Normalization } from "./datums.js";
import type { PolicyLossName } from "./loss-value.js";

/** What was found out about a server. */
export interface ServerTraits {
  /** `mean`: each sequence's mean, and their mean (SkyRL's JAX); `sum`: over all tokens. */
  readonly normalization: Normalization;
  /** The policy loss it has; nothing where it has none. */
  readonly policyLoss: PolicyLossName | undefined;
  /** Scores prompts, as the KL term's reference needs. */
  readonly promptLogprobs: boolean;
  /** Counts a picture's tokens as we do. SkyRL's JAX backend drops pictures without a word. */
  readonly images: boolean;
  /** Sampling with saved weights leaves the model in training alone, and does not follow it. */
  readonly isolatedSamplers: boolean;
  /** Saved weights can be sampled from after newer ones were saved: not where a server holds one set for sampling (SkyRL). */
  readonly keptSamplers: boolean;
  /** Knows a repeated training request again. */
  readonly deduplicates: boolean;
  /** Reports gradient norms. */
  readonly gradNorm: boolean;
}

/** How long samplers on this server keep their weights. */
export function samplerLife({ isolatedSamplers, keptSamplers }: ServerTraits): SamplerLife {
  if (!isolatedSamplers) return "live";
  return keptSamplers ? "kept" : "newest";
}

/** What a run should know of a server's limits, and what is done instead. */
export function traitNotes(traits: ServerTraits): string[] {
  const notes: string[] = [];
  if (traits.policyLoss === undefined)
    notes.push("The server has no policy loss: it can only be used for SFT and sampling.");
  else
    notes.push(
      'The server\'s losses have no KL term: with kl.placement "reward" the penalty is folded into the token advantages.',
    );
  if (traits.policyLoss === "importance_sampling")
    notes.push(
      "The server has no clipped loss (ppo): importance_sampling is used, so that clip.low and clip.high have no effect; keep iterations and minibatches at 1.",
    );
  if (traits.normalization === "mean")
    notes.push(
      "The server averages over each sequence and then over sequences; weights are scaled so that the gradient is the recipe's all the same.",
    );
  if (!traits.images)
    notes.push(
      "The server does not take pictures as this model does (SkyRL's JAX backend is for text only); pictures are refused here.",
    );
  if (!traits.promptLogprobs)
    notes.push(
      "The server does not score prompts: there are no reference log-probabilities, so kl.beta must be 0.",
    );
  if (!traits.isolatedSamplers)
    notes.push(
      "Sampling on this server uses the weights in training: only the newest sampler may be used, and an optimiser step waits for what is being sampled.",
    );
  else if (!traits.keptSamplers)
    notes.push(
      "The server holds one set of weights for sampling: new ones are put there once what is being sampled is done.",
    );
  if (!traits.deduplicates)
    notes.push(
      "The server does not know repeated requests again: a training request whose answer is lost ends the run, to be resumed from its last checkpoint.",
    );
  if (!traits.gradNorm) notes.push("The server reports no gradient norm: 0 stands in its place.");
  notes.push(
    "Clipping by gradient norm is up to the server (the hosted service clips at maxGradNorm; SkyRL's JAX backend never clips, its FSDP backend by its own setting).",
  );
  return notes;
}
