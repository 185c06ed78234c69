/** @file Who in a response gets the credit: one advantage a token (design, 4.5, `credit` and `kl.placement`). */

import type { CreditBaseline } from "../rewards/index.js";

/**
 * `response`: every token has its response's advantage (GRPO). `box`: the tokens of an answer box mix in what that
 * very box was worth, A = (1 - mix) * A_i + mix * z.
 */
export type Credit =
  | { readonly kind: "response" }
  | {
      readonly kind: "box";
      /** c of the design, 0..1. @default 0.7 */
      readonly mix?: number;
      /** What a box's worth is compared with. @default "group" */
      readonly baseline?: CreditBaseline;
      /** Share of the box's part that each number takes by its own worth instead, 0..1. @default 0 */
      readonly coordinates?: number;
    };

/** Where a token's text stands in the decoded response: [start, end) in UTF-16 units. */
export interface TokenSpan {
  readonly start: number;
  readonly end: number;
}

/** The tokens whose text overlaps [start, end), as a range of indices [first, last). Spans are in order. */
export function tokensOf(
  spans: readonly TokenSpan[],
  start: number,
  end: number,
): { first: number; last: number } {
  let first = 0;
  while (first < spans.length && spans[first]!.end <= start) first++;
  let last = first;
  while (last < spans.length && spans[last]!.start < end) last++;
  return { first, last };
}

/** Where an answer box stands in its response, with its standardised worth. */
export interface CreditedBox {
  readonly start: number;
  readonly end: number;
  readonly z: number;
  /** The same for its numbers, where they are credited by themselves. */
  readonly numbers?: readonly { readonly start: number; readonly end: number; readonly z: number }[];
}

/**
 * Advantages of the tokens of one response with credit by box.
 *
 * @param advantage A_i of the response.
 * @param spans Where each token stands in the response's text.
 * @param boxes Where each answer box stands, with its standardised worth z.
 * @param mix c, 0..1.
 */
export function boxCreditAdvantages(
  advantage: number,
  spans: readonly TokenSpan[],
  boxes: readonly CreditedBox[],
  mix: number,
): Float32Array {
  const out = new Float32Array(spans.length).fill(advantage);
  for (const box of boxes) {
    const { first, last } = tokensOf(spans, box.start, box.end);
    out.fill((1 - mix) * advantage + mix * box.z, first, last);
    for (const number of box.numbers ?? []) {
      const digits = tokensOf(spans, number.start, number.end);
      out.fill((1 - mix) * advantage + mix * number.z, digits.first, digits.last);
    }
  }
  return out;
}

/**
 * Token advantages with the KL penalty folded in (`kl.placement: "reward"`): A_t - beta * (logp_t - logp_ref_t), with
 * the log-probabilities at sampling time. For engines whose losses have no KL term.
 */
export function withKlPenalty(
  advantages: Float32Array,
  sampledLogprobs: ArrayLike<number>,
  referenceLogprobs: ArrayLike<number>,
  beta: number,
): Float32Array {
  return advantages.map((advantage, t) => advantage - beta * (sampledLogprobs[t]! - referenceLogprobs[t]!));
}
