/** @file Per-token estimators of KL(policy || reference) from one sample (design, 4.5; Schulman, "Approximating KL divergence"). */
import type { KlEstimator } from "../engines/contract.js";

/** An estimate, in nats, and its derivative by the policy's log-probability. */
export interface KlTerm {
  readonly value: number;
  readonly derivative: number;
}

/**
 * With d = logp - logp_ref: k1 = d (unbiased, may be negative), k2 = d^2/2, k3 = exp(-d) - 1 + d (unbiased, never negative).
 *
 * The derivatives are those of the expressions, as autograd takes them; only k2's is an unbiased estimate of the
 * gradient of the KL itself.
 */
export function klTerm(estimator: KlEstimator, logprob: number, referenceLogprob: number): KlTerm {
  const d = logprob - referenceLogprob;
  switch (estimator) {
    case "k1":
      return { value: d, derivative: 1 };
    case "k2":
      return { value: (d * d) / 2, derivative: d };
    case "k3":
      // expm1 keeps the digits of a small d, where exp(-d) - 1 loses them.
      return { value: Math.expm1(-d) + d, derivative: -Math.expm1(-d) };
  }
}
