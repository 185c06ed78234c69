/** @file How token terms become one number: the weights that carry a loss's normalisation (design, 4.5). */
import { InputError } from "../base/errors.js";

/**
 * `token`: mean over all response tokens of the batch (DAPO, TRL's `bnpo`); `sequence`: mean of per-response means
 * (GRPO as published); `constant`: sum over tokens divided by responses * `maxTokens` (Dr. GRPO), so that no
 * response's share depends on its length.
 */
export type Aggregation =
  | { readonly kind: "token" }
  | { readonly kind: "sequence" }
  | { readonly kind: "constant"; readonly maxTokens: number };

/**
 * Weight of each token's term, one array a response. Summed over all tokens they give 1 for `token` and `sequence`.
 *
 * A masked response weighs 0 and leaves the denominators of `token` and `sequence`; the denominator of `constant`
 * stays what it is.
 *
 * @param lengths Tokens of each response of the batch that one optimiser step sees.
 * @param masked Which responses not to learn from (truncated ones, where a recipe says so).
 * @throws InputError where `maxTokens` is not positive.
 */
export function tokenWeights(
  lengths: readonly number[],
  aggregation: Aggregation,
  masked: readonly boolean[] = [],
): Float32Array[] {
  if (aggregation.kind === "constant" && !(aggregation.maxTokens > 0)) {
    throw new InputError(`Aggregation "constant" needs maxTokens > 0, not ${aggregation.maxTokens}.`, {
      hint: "Take the maximum response length that sampling allows.",
    });
  }
  const kept = (index: number): boolean => masked[index] !== true && lengths[index]! > 0;
  let tokens = 0;
  let responses = 0;
  lengths.forEach((length, index) => {
    if (!kept(index)) return;
    tokens += length;
    responses += 1;
  });
  return lengths.map((length, index) => {
    const weights = new Float32Array(length);
    if (!kept(index)) return weights;
    switch (aggregation.kind) {
      case "token":
        return weights.fill(1 / tokens);
      case "sequence":
        return weights.fill(1 / (responses * length));
      case "constant":
        return weights.fill(1 / (lengths.length * aggregation.maxTokens));
    }
  });
}
