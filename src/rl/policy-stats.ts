/** @file What a training pass says about the policy: clip share, ratio and KL over the tokens that count. */
import type { KlEstimator } from "../engines/contract.js";
import { klTerm } from "./kl.js";
import type { PolicyTokens } from "./policy-loss.js";

/** Sums over tokens that count (weight not 0); plain numbers, so that microbatches add up. */
export interface PolicySums {
  readonly tokens: number;
  readonly clipped: number;
  readonly ratio: number;
  readonly kl: number;
}

/** No token yet. */
export const noPolicySums: PolicySums = { tokens: 0, clipped: 0, ratio: 0, kl: 0 };

/** Sums over the tokens of these responses. KL is 0 where there is no reference. */
export function policySums(
  responses: readonly PolicyTokens[],
  options: { readonly clipLow: number; readonly clipHigh: number; readonly klEstimator: KlEstimator },
): PolicySums {
  let [tokens, clipped, ratio, kl] = [0, 0, 0, 0];
  for (const response of responses) {
    for (let t = 0; t < response.logprobs.length; t++) {
      if (response.weights[t] === 0) continue;
      const logprob = response.logprobs[t]!;
      const rho = Math.exp(logprob - response.oldLogprobs[t]!);
      const advantage = response.advantages[t]!;
      tokens++;
      ratio += rho;
      if (advantage > 0 ? rho > 1 + options.clipHigh : advantage < 0 && rho < 1 - options.clipLow) clipped++;
      if (response.referenceLogprobs !== undefined) {
        kl += klTerm(options.klEstimator, logprob, response.referenceLogprobs[t]!).value;
      }
    }
  }
  return { tokens, clipped, ratio, kl };
}

/** The sums of two passes together. */
export function addPolicySums(a: PolicySums, b: PolicySums): PolicySums {
  return {
    tokens: a.tokens + b.tokens,
    clipped: a.clipped + b.clipped,
    ratio: a.ratio + b.ratio,
    kl: a.kl + b.kl,
  };
}

/** Means over tokens. */
export interface PolicyStats {
  /** Share of tokens whose gradient the clip stopped, 0..1. */
  readonly clipShare: number;
  /** Mean of rho; 1 where nothing moved. */
  readonly meanRatio: number;
  /** Mean KL estimate to the reference, nats a token; 0 without a reference. */
  readonly kl: number;
}

/** Means from sums; without tokens: nothing clipped, ratio 1, KL 0. */
export function policyStats(sums: PolicySums): PolicyStats {
  if (sums.tokens === 0) return { clipShare: 0, meanRatio: 1, kl: 0 };
  return {
    clipShare: sums.clipped / sums.tokens,
    meanRatio: sums.ratio / sums.tokens,
    kl: sums.kl / sums.tokens,
  };
}
