/** @file Sizes are rounded up to a few steps, so that a run compiles few graphs and pads little. */

/** Padded tokens of a microbatch: what a few hundred MB of activations hold for a small model. */
export const TOKEN_BUDGET = 3072;

/** The next multiple of `step`. */
export function roundUp(value: number, step: number): number {
  return Math.max(step, Math.ceil(value / step) * step);
}

/**
 * The next size of a ladder with steps of about an eighth of the value (never finer than `step`): padding wastes
 * at most about 12%, and sizes up to a million need about a hundred graphs at the very most.
 */
export function bucket(value: number, step: number): number {
  const octave = 2 ** Math.floor(Math.log2(Math.max(1, value)));
  return roundUp(value, Math.max(step, 2 ** Math.ceil(Math.log2(octave / 8))));
}

/** Tokens that prompts of different lengths, or responses, are padded to. */
export function paddedLength(length: number): number {
  return bucket(length, 16);
}

/** Numbers of rows a batch is padded to: 1, 2, 3, 4, 6, 8, 12, 16, 24, 32, ... */
export function rowBucket(rows: number): number {
  for (let size = 1; ; size *= 2) {
    if (rows <= size) return size;
    if (size >= 2 && rows <= size * 1.5) return size * 1.5;
  }
}

/** What {@link planMicrobatches} needs to know of a row. */
export interface PlannedRow {
  /** Rows with the same key share their prompt. */
  readonly prompt: unknown;
  readonly promptLength: number;
  /** Tokens behind the prompt. */
  readonly length: number;
}

/**
 * Splits rows into microbatches of similar length: sorted by length, each with as many rows as its padded token count
 * allows. A prompt counts once in each microbatch it appears in.
 *
 * @param budget padded tokens a microbatch may hold; a single row longer than it still gets its own.
 * @returns indices of rows, microbatch by microbatch, longest first (memory fails early or never).
 */
export function planMicrobatches(rows: readonly PlannedRow[], budget: number): number[][] {
  const order = rows.map((_, index) => index).sort((a, b) => rows[b]!.length - rows[a]!.length || a - b);
  const batches: number[][] = [];
  for (let start = 0; start < order.length;) {
    const longest = paddedLength(rows[order[start]!]!.length);
    const prompts = new Set<unknown>();
    let longestPrompt = 0;
    let count = 0;
    for (; start + count < order.length; count++) {
      const { prompt, promptLength } = rows[order[start + count]!]!;
      prompts.add(prompt);
      longestPrompt = Math.max(longestPrompt, paddedLength(promptLength));
      const padded = rowBucket(prompts.size) * longestPrompt + rowBucket(count + 1) * longest;
      if (count > 0 && padded > budget) break;
    }
    batches.push(order.slice(start, start + count));
    start += count;
  }
  return batches;
}
