/** @file Sizes are rounded up to a few steps, so that a run compiles few graphs and pads little. */

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

/** Tokens a sequence of this length is padded to. */
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

/** The largest of the sizes of {@link rowBucket} that is not above this. */
function rowFloor(rows: number): number {
  for (let size = Math.max(1, Math.floor(rows)); ; size--) if (rowBucket(size) === size) return size;
}

/**
 * Splits items into microbatches of similar length: sorted by length, each as large as its padded token count
 * allows, its number of rows one that needs no padding.
 *
 * @param lengths tokens of each item.
 * @param budget padded tokens a microbatch may hold; a single item longer than it still gets its own.
 * @returns indices into `lengths`, microbatch by microbatch, longest first (memory fails early or never).
 */
export function planMicrobatches(lengths: readonly number[], budget: number): number[][] {
  const order = lengths.map((_, index) => index).sort((a, b) => lengths[b]! - lengths[a]! || a - b);
  const batches: number[][] = [];
  for (let start = 0; start < order.length;) {
    const rows = rowFloor(budget / paddedLength(lengths[order[start]!]!));
    batches.push(order.slice(start, start + rows));
    start += rows;
  }
  return batches;
}
