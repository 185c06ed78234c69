/** @file Drawing a token from logits: temperature, top-k, top-p, banned tokens. */
import { UnavailableError } from "../../base/errors.js";
import type { Rng } from "../../base/rng.js";

/** How one token is drawn; the order is bans, then top-k, then top-p. */
export interface TokenChoiceOptions {
  /** 0 is greedy. */
  readonly temperature: number;
  /** Keep the smallest set of most likely tokens that holds this share. @default 1 */
  readonly topP?: number;
  /** Keep this many; 0 keeps all. @default 0 */
  readonly topK?: number;
  /** Ids that are never drawn. */
  readonly banned: ReadonlySet<number>;
  /** Room for one number a token of the vocabulary, overwritten; a new array each time would keep the collector busy. */
  readonly scratch?: Float64Array;
}

/** A drawn token. */
export interface TokenChoice {
  readonly token: number;
  /**
   * Log-probability at the temperature (at 1 when greedy) over the whole vocabulary, bans, top-p and top-k left
   * aside: what the training forward gives for the same token.
   */
  readonly logprob: number;
}

/**
 * Draws from `logits`[offset .. offset + vocabulary).
 *
 * @throws UnavailableError where logits are not finite or every token is banned.
 */
export function chooseToken(
  logits: Float32Array,
  offset: number,
  vocabulary: number,
  options: TokenChoiceOptions,
  rng: Rng,
): TokenChoice {
  const { temperature, topP = 1, topK = 0, banned } = options;
  const inverse = temperature > 0 ? 1 / temperature : 1;
  let peak = -Infinity;
  let best = -1;
  let bestLogit = -Infinity;
  for (let id = 0; id < vocabulary; id++) {
    const logit = logits[offset + id]!;
    if (logit > peak) peak = logit;
    if (logit > bestLogit && !banned.has(id)) {
      bestLogit = logit;
      best = id;
    }
  }
  const weights = options.scratch ?? new Float64Array(vocabulary);
  let total = 0;
  for (let id = 0; id < vocabulary; id++) {
    total += weights[id] = Math.exp((logits[offset + id]! - peak) * inverse);
  }
  if (best < 0 || !Number.isFinite(total)) {
    throw new UnavailableError("no token can be drawn: the logits are not finite, or every token is banned", {
      hint: "The weights may have diverged: lower the learning rate and go on from the last checkpoint.",
    });
  }
  const logprobOf = (id: number) => (logits[offset + id]! - peak) * inverse - Math.log(total);
  if (temperature <= 0) return { token: best, logprob: logprobOf(best) };

  if (bestLogit < peak) {
    // A banned token far above the others would leave nothing of them: weigh against the best that may be drawn.
    for (let id = 0; id < vocabulary; id++) {
      weights[id] = Math.exp((logits[offset + id]! - bestLogit) * inverse);
    }
  }
  for (const id of banned) if (id < vocabulary) weights[id] = 0;
  // Summed anew: what is left after subtracting a large banned mass would be rounding error.
  let mass = 0;
  for (let id = 0; id < vocabulary; id++) mass += weights[id]!;
  if (topK > 0 || topP < 1) mass = truncate(weights, mass, topK, topP);
  let threshold = rng.next() * mass;
  let last = best;
  for (let id = 0; id < vocabulary; id++) {
    const weight = weights[id]!;
    if (weight === 0) continue;
    last = id;
    threshold -= weight;
    if (threshold < 0) break;
  }
  return { token: last, logprob: logprobOf(last) };
}

/** Zeroes all but the tokens that top-k, then top-p, keep; gives the mass that is left. */
function truncate(weights: Float64Array, mass: number, topK: number, topP: number): number {
  const order = Array.from(weights.keys())
    .filter((id) => weights[id]! > 0)
    .sort((a, b) => weights[b]! - weights[a]! || a - b);
  const byCount = topK > 0 ? order.slice(0, topK) : order;
  const countMass = byCount.reduce((sum, id) => sum + weights[id]!, 0);
  const target = topP * (topK > 0 ? countMass : mass);
  let kept = 0;
  let keep = 0;
  while (keep < byCount.length && (keep === 0 || kept < target)) kept += weights[byCount[keep++]!]!;
  for (const id of order.slice(keep)) weights[id] = 0;
  return kept;
}
