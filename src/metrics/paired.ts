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
  return pairedTests(images, [statistic], options)[0]!;
}

/** The paired tests of several numbers, all on the same resamples and exchanges; equal to one by one, and faster. */
export function pairedTests(
  images: number,
  statistics: readonly PairedStatistic[],
  options: PairedOptions,
): PairedTest[] {
  const { seed, resamples = 2000, level = 0.95 } = options;
  if (images === 0)
    throw new InputError("A paired test needs at least one image.", {
      hint: "The results have none in common.",
    });
  const once = new Int32Array(images).fill(1);
  const sides = createSides(images, statistics);
  const a = sides.values(once, "a");
  const b = sides.values(once, "b");

  const drawn = statistics.map(() => new Float64Array(resamples));
  const rng = createRng(deriveSeed(seed, "paired-bootstrap"));
  for (let r = 0; r < resamples; r++) {
    const counts = drawCounts(images, rng);
    const [before, after] = [sides.values(counts, "a"), sides.values(counts, "b")];
    drawn.forEach((values, k) => (values[r] = after[k]! - before[k]!));
  }

  const observed = b.map((value, k) => value - a[k]!);
  const { exact, asLarge, tried } = exchange(images, resamples, seed, (swap) => {
    const stay = swap.map((one) => 1 - one);
    const before = sides.mixed(stay, swap);
    return sides.mixed(swap, stay).map((value, k) => {
      const difference = value - before[k]!;
      return Number.isNaN(difference) || Math.abs(difference) >= Math.abs(observed[k]!) - TOLERANCE;
    });
  });
  return observed.map((difference, k): PairedTest => {
    // Resamples that say nothing are left out.
    const known = drawn[k]!.filter((value) => !Number.isNaN(value)).sort();
    const measured = !Number.isNaN(difference);
    return {
      images,
      a: a[k]!,
      b: b[k]!,
      difference: intervalOf(difference, known, level),
      bootstrapP: measured ? twoSided(known) : Number.NaN,
      permutationP: measured ? (asLarge[k] ?? 0) / tried : Number.NaN,
      exact,
    };
  });
}

/** Evaluates all statistics with weights on A, on B, or on both. */
function createSides(images: number, statistics: readonly PairedStatistic[]) {
  const weights = new Int32Array(2 * images);
  const mixed = (onA: Int32Array | undefined, onB: Int32Array | undefined): number[] => {
    weights.fill(0);
    if (onA) weights.set(onA);
    if (onB) weights.set(onB, images);
    return statistics.map((statistic) => statistic(weights));
  };
  return {
    mixed,
    values: (counts: Int32Array, side: "a" | "b") =>
      side === "a" ? mixed(counts, undefined) : mixed(undefined, counts),
  };
}

/** How often each image is in a resample of as many as there are. */
function drawCounts(images: number, rng: Rng): Int32Array {
  const counts = new Int32Array(images);
  for (let i = 0; i < images; i++) {
    const drawn = rng.int(0, images - 1);
    counts[drawn] = counts[drawn]! + 1;
  }
  return counts;
}

/** Twice the share of resamples on the rarer side of zero, one added so that it is never 0. */
function twoSided(differences: Float64Array): number {
  let [notAbove, notBelow] = [1, 1];
  for (const value of differences) {
    if (value <= TOLERANCE) notAbove++;
    if (value >= -TOLERANCE) notBelow++;
  }
  return Math.min(1, (2 * Math.min(notAbove, notBelow)) / (differences.length + 1));
}

/** Bits that one random whole number gives. */
const BITS = 30;

/**
 * How many exchanges of A and B pass, for each statistic, and of how many: all 2^images where they are few, else as many
 * random ones and the observed one, so that p is never 0.
 */
function exchange(
  images: number,
  exchanges: number,
  seed: number,
  passes: (swap: Int32Array) => readonly boolean[],
): { readonly exact: boolean; readonly asLarge: readonly number[]; readonly tried: number } {
  const exact = 2 ** images <= exchanges;
  const asLarge: number[] = [];
  const count = (swap: Int32Array, start: number) =>
    passes(swap).forEach((pass, k) => (asLarge[k] = (asLarge[k] ?? start) + (pass ? 1 : 0)));
  const swap = new Int32Array(images);
  if (exact) {
    const all = 2 ** images;
    for (let bits = 0; bits < all; bits++) {
      for (let i = 0; i < images; i++) swap[i] = (bits >>> i) & 1;
      count(swap, 0);
    }
    return { exact, asLarge, tried: all };
  }
  const rng = createRng(deriveSeed(seed, "paired-permutation"));
  for (let r = 0; r < exchanges; r++) {
    let bits = 0;
    for (let i = 0; i < images; i++) {
      if (i % BITS === 0) bits = rng.int(0, 2 ** BITS - 1);
      swap[i] = (bits >>> (i % BITS)) & 1;
    }
    count(swap, 1);
  }
  return { exact, asLarge, tried: exchanges + 1 };
}
