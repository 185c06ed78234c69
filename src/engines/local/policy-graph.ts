/** @file The losses of the contract as graphs over the selected tokens (design, 4.5). */
import {
  add,
  clamp,
  exp,
  input,
  minimum,
  multiply,
  negate,
  scalar,
  subtract,
  sum,
  type Tensor,
} from "../../tensor/index.js";
import type { KlEstimator, Loss } from "../contract.js";

/** What decides a loss's graph; its numbers (clip bounds, beta) are inputs and do not. */
export type LossGraphKind =
  { readonly kind: "crossEntropy" } | { readonly kind: "policy"; readonly kl: KlEstimator | "none" };

/** The graph that a loss needs; a policy loss without beta needs no KL term. */
export function lossGraphKind(loss: Loss): LossGraphKind {
  if (loss.kind === "crossEntropy") return { kind: "crossEntropy" };
  return { kind: "policy", kl: loss.klBeta === 0 ? "none" : loss.klEstimator };
}

/** The KL estimate of each token, from d' = logp - logp_ref. */
function klTerm(kind: KlEstimator, difference: Tensor): Tensor {
  if (kind === "k1") return difference;
  if (kind === "k2") return multiply(scalar(0.5), multiply(difference, difference));
  return add(subtract(exp(negate(difference)), scalar(1)), difference);
}

/** Names of the per-token inputs beside the targets, all float32 [tokens]. */
export const LOSS_INPUTS = ["weights", "advantages", "oldLogprobs", "referenceLogprobs"] as const;

/** The summed loss of `logprobs` [tokens], a scalar. Bounds and beta are the inputs clipLow, clipHigh and klBeta. */
export function lossGraph(kind: LossGraphKind, logprobs: Tensor): Tensor {
  const tokens = logprobs.shape[0]!;
  const weights = input("weights", [tokens]);
  if (kind.kind === "crossEntropy") return negate(sum(multiply(weights, logprobs)));
  const advantages = input("advantages", [tokens]);
  const ratio = exp(subtract(logprobs, input("oldLogprobs", [tokens])));
  const clipped = clamp(ratio, input("clipLow", []), input("clipHigh", []));
  const surrogate = negate(minimum(multiply(ratio, advantages), multiply(clipped, advantages)));
  if (kind.kl === "none") return sum(multiply(weights, surrogate));
  const difference = subtract(logprobs, input("referenceLogprobs", [tokens]));
  const term = add(surrogate, multiply(input("klBeta", []), klTerm(kind.kl, difference)));
  return sum(multiply(weights, term));
}

/** The numbers a loss feeds its graph. */
export function lossScalars(loss: Loss): Record<string, Float32Array> {
  if (loss.kind === "crossEntropy") return {};
  return {
    clipLow: Float32Array.of(1 - loss.clipLow),
    clipHigh: Float32Array.of(1 + loss.clipHigh),
    klBeta: Float32Array.of(loss.klBeta),
  };
}
