/** @file The clipped policy loss with KL, token by token (design, 4.5; PPO's clip, GRPO's KL). What every engine must equal. */
import { InputError } from "../base/errors.js";
import type { Loss } from "../engines/contract.js";
import { klTerm } from "./kl.js";

/** What is known of the tokens of one response. All arrays have the same length. */
export interface PolicyTokens {
  /** Under the weights being trained, at the sampling temperature. */
  readonly logprobs: ArrayLike<number>;
  /** When it was sampled. */
  readonly oldLogprobs: ArrayLike<number>;
  readonly advantages: ArrayLike<number>;
  /** Share of each token's term in the loss; 0 = masked. Carries the normalisation. */
  readonly weights: ArrayLike<number>;
  /** Needed where `klBeta` is not 0. */
  readonly referenceLogprobs?: ArrayLike<number>;
}

/** The policy loss of the engine contract, less what is no business of this formula, plus TRL's option. */
export interface PolicyLossOptions extends Omit<Extract<Loss, { kind: "policy" }>, "kind" | "temperature"> {
  /** Multiplies the KL estimate by the ratio, so that it stays unbiased off-policy (TRL's `use_bias_correction_kl`). @default false */
  readonly klBiasCorrected?: boolean;
}

/** The loss, its gradient, and what happened at each token. */
export interface PolicyLoss {
  /** sum of weight * term, over all responses. */
  readonly loss: number;
  /** d loss / d logprob, one array a response. */
  readonly gradient: readonly Float64Array[];
  /** rho = exp(logp - logp_old), one array a response. */
  readonly ratios: readonly Float64Array[];
  /** Whether the clip stopped the token's gradient, 1 or 0, one array a response. */
  readonly clipped: readonly Uint8Array[];
}

/**
 * Term of a token: -min(rho * A, clip(rho, 1 - low, 1 + high) * A) + beta * KL.
 *
 * @throws InputError where `klBeta` is not 0 and a response has no reference log-probabilities.
 */
export function policyLoss(responses: readonly PolicyTokens[], options: PolicyLossOptions): PolicyLoss {
  let loss = 0;
  const gradient: Float64Array[] = [];
  const ratios: Float64Array[] = [];
  const clipped: Uint8Array[] = [];
  for (const response of responses) {
    const length = response.logprobs.length;
    const reference = response.referenceLogprobs;
    if (options.klBeta !== 0 && reference === undefined) {
      throw new InputError(
        "A loss with a KL term needs the reference's log-probabilities of every response.",
        {
          hint: "Fill Datum.referenceLogprobs, or set klBeta to 0.",
        },
      );
    }
    const slope = new Float64Array(length);
    const ratio = new Float64Array(length);
    const stopped = new Uint8Array(length);
    for (let t = 0; t < length; t++) {
      const logprob = response.logprobs[t]!;
      const advantage = response.advantages[t]!;
      const rho = Math.exp(logprob - response.oldLogprobs[t]!);
      // The clip holds a token only once it has moved the way its advantage pulls.
      const held = advantage > 0 ? rho > 1 + options.clipHigh : advantage < 0 && rho < 1 - options.clipLow;
      const bound = advantage > 0 ? 1 + options.clipHigh : 1 - options.clipLow;
      let term = held ? -bound * advantage : -rho * advantage;
      let derivative = held ? 0 : -rho * advantage;
      if (options.klBeta !== 0) {
        const kl = klTerm(options.klEstimator, logprob, reference![t]!);
        const corrected = options.klBiasCorrected === true;
        term += options.klBeta * kl.value * (corrected ? rho : 1);
        derivative += options.klBeta * (corrected ? rho * (kl.derivative + kl.value) : kl.derivative);
      }
      const weight = response.weights[t]!;
      // A masked token's term may be anything, infinity too: it must not reach the sum as 0 * inf.
      if (weight !== 0) {
        loss += weight * term;
        slope[t] = weight * derivative;
      }
      ratio[t] = rho;
      stopped[t] = held ? 1 : 0;
    }
    gradient.push(slope);
    ratios.push(ratio);
    clipped.push(stopped);
  }
  return { loss, gradient, ratios, clipped };
}
