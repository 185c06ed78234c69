/**
 * @file Whether two systems differ on the same images: the difference of any number with a paired bootstrap interval, and
 * two p-values. The bootstrap asks what other images would have said; the permutation test asks how often the difference
 * would be this large if it did not matter which system an image's answers came from.
 */
import { InputError } from "../base/errors.js";
import { createRng, deriveSeed, type Rng } from "../base/rng.js";
import { intervalOf, type Interval } from "./bootstrap.js";

/**
 * A number over weighted records of both systems: entry i is image i of A, entry images + i is image i of B. A record of
 * weight w counts w times, one of weight 0 not at all. NaN where these records say nothing.
 */
export type PairedStatistic = (weights: Int32Array) => number;

/** Options of {@link pairedTest}. */
export interface PairedOptions {
  readonly seed: number;
  /** Of the bootstrap, and as many of the permutation test. @default 2000 */
  readonly resamples?: number;
  /** Share of resamples inside the interval, in (0, 1). @default 0.95 */
  readonly level?: number;
}

/** B against A. */
export interface PairedTest {
  readonly images: number;
  readonly a: number;
  readonly b: number;
  /** b - a, with its bootstrap interval. */
  readonly difference: Interval;
  /** Two-sided, from the share of resamples on the other side of zero; never below 2/(resamples + 1). */
  readonly bootstrapP: number;
  /** Two-sided: share of exchanges of A and B, image by image, that give as large a difference. */
  readonly permutationP: number;
  /** Whether all exchanges were tried (few images), not a sample of them. */
  readonly exact: boolean;
}

/** Differences this close are equal: sums in another order differ in the last bits. */
const TOLERANCE = 1e-12;

/**
 * The paired test of one number.
 *
 * @param images How many there are in both.
 * @throws InputError without images.
 * @example
 * // Mean of one value an image, in a list of A's values followed by B's:
 * const mean = (w) => values.reduce((s, v, i) => s + w[i] * v, 0) / w.reduce((s, x) => s + x, 0);
 * pairedTest(values.length / 2, mean, { seed: 1 }).permutationP;
 */
export function pairedTest(images: number, statistic: PairedStatistic, options: PairedOptions): PairedTest {
  const { seed, resamples = 2000, level = 0.95 } = options;
  if (images === 0)
    throw new InputError("A paired test needs at least one image.", {
      hint: "The results have none in common.",
    });
  const weights = new Int32Array(2 * images);
  const [sideA, sideB] = [weights.subarray(0, images), weights.subarray(images)];
  /** The statistic of B less that of A, each with these counts an image. */
  const evaluate = (countA: Int32Array, countB: Int32Array): number => {
    sideA.set(countA);
    sideB.set(countB);
    return statistic(weights);
  };
  const none = new Int32Array(images);
  const once = new Int32Array(images).fill(1);
  const a = evaluate(once, none);
  const b = evaluate(none, once);
  const observed = b - a;

  const drawn = bootstrapDifferences(
    images,
    resamples,
    createRng(deriveSeed(seed, "paired-bootstrap")),
    (counts) => {
      const before = evaluate(counts, none);
      return evaluate(none, counts) - before;
    },
  );
  const side = (test: (value: number) => boolean) =>
    (drawn.reduce((sum, value) => sum + (test(value) ? 1 : 0), 0) + 1) / (drawn.length + 1);
  const bootstrapP = Math.min(
    1,
    2 *
      Math.min(
        side((value) => value <= TOLERANCE),
        side((value) => value >= -TOLERANCE),
      ),
  );

  const swapped = (swap: Int32Array): number => {
    const stay = swap.map((one) => 1 - one);
    const before = evaluate(stay, swap);
    return evaluate(swap, stay) - before;
  };
  const asLarge = (value: number) => Number.isNaN(value) || Math.abs(value) >= Math.abs(observed) - TOLERANCE;
  const exact = 2 ** images <= resamples;
  const permutationP = exact
    ? everyExchange(images, (swap) => asLarge(swapped(swap)))
    : someExchanges(images, resamples, createRng(deriveSeed(seed, "paired-permutation")), (swap) =>
        asLarge(swapped(swap)),
      );
  return {
    images,
    a,
    b,
    difference: intervalOf(observed, drawn, level),
    bootstrapP: Number.isNaN(observed) ? Number.NaN : bootstrapP,
    permutationP: Number.isNaN(observed) ? Number.NaN : permutationP,
    exact,
  };
}

/** Differences on resamples of the images, sorted; those that say nothing are left out. */
function bootstrapDifferences(
  images: number,
  resamples: number,
  rng: Rng,
  difference: (counts: Int32Array) => number,
): Float64Array {
  const counts = new Int32Array(images);
  const values = new Float64Array(resamples);
  for (let r = 0; r < resamples; r++) {
    counts.fill(0);
    for (let i = 0; i < images; i++) {
      const drawn = rng.int(0, images - 1);
      counts[drawn] = counts[drawn]! + 1;
    }
    values[r] = difference(counts);
  }
  return values.filter((value) => !Number.isNaN(value)).sort();
}

/** Share of all 2^images exchanges that pass. */
function everyExchange(images: number, passes: (swap: Int32Array) => boolean): number {
  const swap = new Int32Array(images);
  let passed = 0;
  const all = 2 ** images;
  for (let bits = 0; bits < all; bits++) {
    for (let i = 0; i < images; i++) swap[i] = (bits >>> i) & 1;
    if (passes(swap)) passed++;
  }
  return passed / all;
}

/** Share of random exchanges that pass; the one that was observed is counted in, so that p is never 0. */
function someExchanges(
  images: number,
  exchanges: number,
  rng: Rng,
  passes: (swap: Int32Array) => boolean,
): number {
  const swap = new Int32Array(images);
  let passed = 1;
  for (let r = 0; r < exchanges; r++) {
    for (let i = 0; i < images; i++) swap[i] = rng.int(0, 1);
    if (passes(swap)) passed++;
  }
  return passed / (exchanges + 1);
}
