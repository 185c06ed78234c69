/** @file Whether sampler and trainer agree about the same tokens (design, 4.5): the first thing to look at when training goes wrong. */

/** Sums over tokens; plain numbers, so that microbatches add up. */
export interface AgreementSums {
  readonly tokens: number;
  /** sum of |logp_sample - logp_train| */
  readonly gap: number;
  readonly maxGap: number;
  /** sum of w = exp(logp_train - logp_sample), and of its square. */
  readonly weight: number;
  readonly squaredWeight: number;
}

/** No token yet. */
export const noAgreementSums: AgreementSums = { tokens: 0, gap: 0, maxGap: 0, weight: 0, squaredWeight: 0 };

/**
 * `sums` with the tokens of one response added.
 *
 * @param sampled Log-probabilities the sampler gave.
 * @param trained Log-probabilities of the same tokens from the trainer, under the same weights.
 */
export function addAgreement(
  sums: AgreementSums,
  sampled: ArrayLike<number>,
  trained: ArrayLike<number>,
): AgreementSums {
  let { tokens, gap, maxGap, weight, squaredWeight } = sums;
  for (let t = 0; t < sampled.length; t++) {
    const difference = trained[t]! - sampled[t]!;
    const w = Math.exp(difference);
    tokens++;
    gap += Math.abs(difference);
    maxGap = Math.max(maxGap, Math.abs(difference));
    weight += w;
    squaredWeight += w * w;
  }
  return { tokens, gap, maxGap, weight, squaredWeight };
}

/** How well they agree. */
export interface Agreement {
  /** Mean |logp_sample - logp_train|, nats a token. */
  readonly meanGap: number;
  /** The largest, nats. */
  readonly maxGap: number;
  /** (sum w)^2 / (n sum w^2) of the importance weights w, 0..1: the share of the tokens that the sample is worth. */
  readonly effectiveSampleShare: number;
}

/** Means from sums; perfect agreement without tokens. */
export function agreement(sums: AgreementSums): Agreement {
  if (sums.tokens === 0) return { meanGap: 0, maxGap: 0, effectiveSampleShare: 1 };
  return {
    meanGap: sums.gap / sums.tokens,
    maxGap: sums.maxGap,
    effectiveSampleShare: (sums.weight * sums.weight) / (sums.tokens * sums.squaredWeight),
  };
}
