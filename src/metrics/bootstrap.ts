/** @file Seeded percentile bootstrap over images: how sure a number is, for any statistic of per-image records. */
import { InputError } from "../base/errors.js";
import { createRng, deriveSeed } from "../base/rng.js";

/** Options of {@link bootstrap} and {@link bootstrapDifference}. */
export interface BootstrapOptions {
  readonly seed: number;
  /** @default 2000 */
  readonly resamples?: number;
  /** Share of resamples inside the interval, in (0, 1). @default 0.95 */
  readonly level?: number;
}

/** A statistic of the records as they are, and the interval around it. */
export interface Interval {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

/** A difference, with the share of resamples in which it is not above 0 (a one-sided bootstrap p-value). */
export interface DifferenceInterval extends Interval {
  readonly notAboveZero: number;
}

/** The q-quantile of sorted values, linear between neighbours (numpy's default). */
function quantile(sorted: Float64Array, q: number): number {
  const position = q * (sorted.length - 1);
  const below = Math.floor(position);
  const above = Math.min(below + 1, sorted.length - 1);
  return sorted[below]! + (sorted[above]! - sorted[below]!) * (position - below);
}

/** The statistic on each resample of the indices 0..count-1, drawn with replacement, sorted. */
function resampled(
  count: number,
  options: BootstrapOptions,
  statistic: (indices: Int32Array) => number,
): Float64Array {
  const { seed, resamples = 2000 } = options;
  if (count === 0)
    throw new InputError("A bootstrap needs at least one record.", { hint: "No image was evaluated." });
  const rng = createRng(deriveSeed(seed, "bootstrap"));
  const indices = new Int32Array(count);
  const values = new Float64Array(resamples);
  for (let r = 0; r < resamples; r++) {
    for (let i = 0; i < count; i++) indices[i] = rng.int(0, count - 1);
    values[r] = statistic(indices);
  }
  // A ratio without a denominator says nothing (F1 of a resample without boxes): it is left out, not sorted anywhere.
  return values.filter((value) => !Number.isNaN(value)).sort();
}

/** The percentile interval of sorted resamples around a value. */
export function intervalOf(value: number, sorted: Float64Array, level: number): Interval {
  if (sorted.length === 0) return { value, low: Number.NaN, high: Number.NaN };
  const tail = (1 - level) / 2;
  return { value, low: quantile(sorted, tail), high: quantile(sorted, 1 - tail) };
}

/**
 * A percentile interval of a statistic of images.
 *
 * @param records One an image; images are what is resampled, so records of one image belong in one record.
 * @throws InputError without records.
 * @example bootstrap(images, (list) => precisionRecall(list.map((image) => image.tally)).f1, { seed: 1 })
 */
export function bootstrap<T>(
  records: readonly T[],
  statistic: (records: readonly T[]) => number,
  options: BootstrapOptions,
): Interval {
  const sorted = resampled(records.length, options, (indices) =>
    statistic(Array.from(indices, (index) => records[index]!)),
  );
  return intervalOf(statistic(records), sorted, options.level ?? 0.95);
}

/**
 * A percentile interval of statistic(after) - statistic(before), paired: every resample takes the same images of both.
 *
 * @throws InputError where the lists differ in length: pairs must be of the same images, in the same order.
 */
export function bootstrapDifference<T>(
  before: readonly T[],
  after: readonly T[],
  statistic: (records: readonly T[]) => number,
  options: BootstrapOptions,
): DifferenceInterval {
  if (before.length !== after.length) {
    throw new InputError(
      `A paired difference needs the same images: ${before.length} before, ${after.length} after.`,
      {
        hint: "Evaluate both models on the same samples.",
      },
    );
  }
  const sorted = resampled(
    before.length,
    options,
    (indices) =>
      statistic(Array.from(indices, (index) => after[index]!)) -
      statistic(Array.from(indices, (index) => before[index]!)),
  );
  const interval = intervalOf(statistic(after) - statistic(before), sorted, options.level ?? 0.95);
  const notAbove = sorted.findIndex((value) => value > 0);
  return {
    ...interval,
    notAboveZero: (notAbove < 0 ? sorted.length : notAbove) / Math.max(1, sorted.length),
  };
}
