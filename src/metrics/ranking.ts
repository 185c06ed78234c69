/**
 * @file Detections ranked by score: a stable sort as the official tools have it, and what a number could be had equal
 * scores been ranked otherwise.
 */

/** Below this many a comparison sort is faster than filling the counters of a radix sort. */
const SMALL = 2048;

/**
 * Indices by descending score; equal scores keep their order (numpy's mergesort of the negated scores, Python's
 * `sorted(reverse=True)`, MATLAB's `sort`). NaN has no place in a ranking: readers refuse it.
 */
export function descendingOrder(scores: Float64Array): Int32Array {
  const count = scores.length;
  const order = new Int32Array(count);
  for (let i = 0; i < count; i++) order[i] = i;
  if (count < SMALL) return order.sort((a, b) => scores[b]! - scores[a]! || a - b);
  // Radix sort on the bits of the doubles, turned so that unsigned ascending is descending by value (-0 made 0).
  const keys = new Uint32Array(Float64Array.from(scores, (score) => score + 0).buffer);
  for (let i = 0; i < count; i++) {
    if (keys[2 * i + 1]! < 0x80000000) {
      keys[2 * i] = ~keys[2 * i]!;
      keys[2 * i + 1] = ~keys[2 * i + 1]! & 0x7fffffff;
    }
  }
  let from = order;
  let to = new Int32Array(count);
  const starts = new Uint32Array(65536);
  for (let digit = 0; digit < 4; digit++) {
    const word = digit >> 1;
    const shift = (digit & 1) * 16;
    starts.fill(0);
    for (let i = 0; i < count; i++) {
      const bucket = (keys[2 * i + word]! >>> shift) & 0xffff;
      starts[bucket] = starts[bucket]! + 1;
    }
    let start = 0;
    for (let bucket = 0; bucket < 65536; bucket++) {
      const size = starts[bucket]!;
      starts[bucket] = start;
      start += size;
    }
    for (let k = 0; k < count; k++) {
      const index = from[k]!;
      const bucket = (keys[2 * index + word]! >>> shift) & 0xffff;
      const at = starts[bucket]!;
      to[at] = index;
      starts[bucket] = at + 1;
    }
    [from, to] = [to, from];
  }
  return from;
}

/** Detections that count, best first. */
export interface Ranked {
  readonly scores: Float64Array;
  /** 1 = true positive, 0 = false positive. */
  readonly hits: Uint8Array;
}

/** Detections that count, of one image or of several, in any order. */
export interface Outcomes {
  readonly scores: readonly number[] | Float64Array;
  /** 1 = true positive, 0 = false positive. */
  readonly hits: readonly number[] | Uint8Array;
}

/** Ranks the detections of all images; equal scores keep the order of the images, and within one their own. */
export function rankOutcomes(images: readonly Outcomes[]): Ranked {
  const total = images.reduce((sum, { scores }) => sum + scores.length, 0);
  const scores = new Float64Array(total);
  const hits = new Uint8Array(total);
  let at = 0;
  for (const image of images) {
    scores.set(image.scores, at);
    hits.set(image.hits, at);
    at += image.scores.length;
  }
  const order = descendingOrder(scores);
  const ranked = { scores: new Float64Array(total), hits: new Uint8Array(total) };
  for (let k = 0; k < total; k++) {
    ranked.scores[k] = scores[order[k]!]!;
    ranked.hits[k] = hits[order[k]!]!;
  }
  return ranked;
}

/** The least and the greatest a number can be over all orders of equal scores. */
export interface OrderBounds {
  readonly low: number | null;
  readonly high: number | null;
}

/** Whether equal scores hold both a true and a false positive, so that their order matters. */
export function hasMixedTies({ scores, hits }: Ranked): boolean {
  for (let start = 0; start < scores.length;) {
    let end = start + 1;
    let mixed = false;
    for (; end < scores.length && scores[end] === scores[start]; end++) mixed ||= hits[end] !== hits[start];
    if (mixed) return true;
    start = end;
  }
  return false;
}

/** The hits with every tie reordered: hits first or last; where `first` is given, the very first detection is one of that kind. */
function reorderTies({ scores, hits }: Ranked, hitsFirst: boolean, first?: 0 | 1): Uint8Array {
  const out = new Uint8Array(hits.length);
  for (let start = 0; start < hits.length;) {
    let end = start;
    let count = 0;
    while (end < hits.length && scores[end] === scores[start]) count += hits[end++]!;
    out.fill(1, hitsFirst ? start : end - count, hitsFirst ? start + count : end);
    if (start === 0 && first !== undefined && out[0] !== first) {
      const other = out.indexOf(first);
      if (other > 0 && other < end) {
        // Moving it to the front shifts the ones before it back by one.
        out.copyWithin(1, 0, other);
        out[0] = first;
      }
    }
    start = end;
  }
  return out;
}

/**
 * Bounds of a number over the orders of equal scores. What matched what is left as the evaluator found it: only the
 * ranking changes.
 *
 * Moving a hit before a miss of the same score never lowers an average precision and never raises a miss rate, except
 * that some tools treat the very first detection specially (CrowdHuman's area begins at it; CityPersons' reference
 * falls off the front): so both kinds are tried in first place, with hits first and hits last behind it.
 *
 * @param metric Number of a ranking; must not keep the array.
 */
export function orderBounds(ranked: Ranked, metric: (hits: Uint8Array) => number | null): OrderBounds {
  if (!hasMixedTies(ranked)) {
    const value = metric(ranked.hits);
    return { low: value, high: value };
  }
  const values: number[] = [];
  for (const first of [0, 1] as const) {
    for (const hitsFirst of [true, false]) {
      const value = metric(reorderTies(ranked, hitsFirst, first));
      if (value !== null) values.push(value);
    }
  }
  return values.length === 0
    ? { low: null, high: null }
    : { low: Math.min(...values), high: Math.max(...values) };
}
