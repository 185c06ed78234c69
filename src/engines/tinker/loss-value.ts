/** @file The value of a loss from the log-probabilities that a server gives back: servers report sums of their own kind or none. */
import type { Datum, Loss } from "../contract.js";

/** The API's two policy losses: with the clip, or without. */
export type PolicyLossName = "ppo" | "importance_sampling";

/**
 * Sum of weight * term over a batch.
 * @param logprobs Of the completions under the weights of the pass.
 * @param policyLoss What the server computes where a policy loss was asked for.
 */
export function lossValue(
  batch: readonly Datum[],
  logprobs: readonly Float32Array[],
  loss: Loss,
  policyLoss: PolicyLossName,
): number {
  let sum = 0;
  batch.forEach(({ weights, advantages, oldLogprobs }, i) => {
    for (let t = 0; t < weights.length; t++) {
      const weight = weights[t]!;
      if (weight === 0) continue;
      const logprob = logprobs[i]![t]!;
      if (loss.kind === "crossEntropy") {
        sum -= weight * logprob;
        continue;
      }
      const advantage = advantages![t]!;
      const ratio = Math.exp(logprob - oldLogprobs![t]!);
      const bounded =
        policyLoss === "ppo" ? Math.min(Math.max(ratio, 1 - loss.clipLow), 1 + loss.clipHigh) : ratio;
      sum -= weight * Math.min(ratio * advantage, bounded * advantage);
    }
  });
  return sum;
}
