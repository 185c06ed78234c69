/** @file Splitting a batch so that each piece fits: gradients accumulate over the pieces (weights carry the normalisation). */
import { InputError } from "../base/errors.js";
import type { Prompt } from "../engines/contract.js";
import { promptLength } from "../engines/prompt-length.js";

/**
 * Consecutive runs of sequences with at most `budget` tokens each. A sequence longer than the budget is a piece of its own.
 * Order is kept, so that responses to one prompt stay together.
 *
 * @param budget Tokens (prompt and completion) a piece; absent = one piece.
 */
export function microbatches<T extends { readonly prompt: Prompt; readonly tokens: Int32Array }>(
  sequences: readonly T[],
  budget = Number.POSITIVE_INFINITY,
): T[][] {
  if (!(budget > 0)) throw new InputError(`A token budget must be positive, not ${budget}.`);
  const pieces: T[][] = [];
  let used = 0;
  for (const sequence of sequences) {
    const size = promptLength(sequence.prompt) + sequence.tokens.length;
    const last = pieces.at(-1);
    if (last === undefined || used + size > budget) {
      pieces.push([sequence]);
      used = size;
    } else {
      last.push(sequence);
      used += size;
    }
  }
  return pieces;
}

/** `items` in `count` runs of nearly equal length, none of them empty (fewer where there are fewer items). */
export function chunked<T>(items: readonly T[], count: number): T[][] {
  const pieces = Math.max(1, Math.min(count, items.length));
  return Array.from({ length: pieces }, (_, i) =>
    items.slice(Math.floor((i * items.length) / pieces), Math.floor(((i + 1) * items.length) / pieces)),
  );
}
