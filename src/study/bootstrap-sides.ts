/**
 * @file A bootstrap of several systems on the same images: every resample takes the same images of all of them, so that each
 * number has its interval and each difference from the baseline its paired one. The images drawn are those of
 * metrics/paired.ts under the same seed, so that `dip-r1 compare` gives the same intervals.
 */
import { createRng, deriveSeed, InputError } from "../base/index.js";
import { intervalOf, type Interval } from "../metrics/index.js";

/** A number over weighted images of one system; NaN where these images say nothing. */
export type WeightedStatistic = (weights: Int32Array) => number;

/** Options of {@link bootstrapSides}. */
export interface BootstrapSidesOptions {
  readonly seed: number;
  readonly resamples: number;
  /** Share of resamples inside an interval, in (0, 1). */
  readonly level: number;
  /** Which system the others are compared with. @default 0 */
  readonly baseline?: number;
}

/** One number of every system. */
export interface SideNumbers {
  /** By system. */
  readonly values: readonly Interval[];
  /** By system, less the baseline's; null for the baseline itself. */
  readonly differences: readonly (Interval | null)[];
  /** By system: its value in each resample, for means over sets. */
  readonly draws: readonly Float64Array[];
}

const known = (values: Float64Array): Float64Array => values.filter((value) => !Number.isNaN(value)).sort();

/**
 * Intervals of values and of their differences from a baseline, from values in resamples.
 * @param observed By system. @param draws By system, resample by resample the same images.
 */
export function intervalsOf(
  observed: readonly number[],
  draws: readonly Float64Array[],
  { level, baseline = 0 }: Pick<BootstrapSidesOptions, "level" | "baseline">,
): SideNumbers {
  const [from, fromDraws] = [observed[baseline]!, draws[baseline]!];
  return {
    values: observed.map((value, k) => intervalOf(value, known(draws[k]!), level)),
    differences: observed.map((value, k) =>
      k === baseline
        ? null
        : intervalOf(value - from, known(draws[k]!.map((drawn, r) => drawn - fromDraws[r]!)), level),
    ),
    draws,
  };
}

/**
 * Bootstraps every number of every system.
 *
 * @param images How many there are.
 * @param statistics By number, by system.
 * @returns by number.
 * @throws InputError without images.
 */
export function bootstrapSides(
  images: number,
  statistics: readonly (readonly WeightedStatistic[])[],
  options: BootstrapSidesOptions,
): SideNumbers[] {
  const { seed, resamples } = options;
  if (images === 0)
    throw new InputError("A bootstrap needs at least one image.", { hint: "No image was evaluated." });
  const once = new Int32Array(images).fill(1);
  const observed = statistics.map((sides) => sides.map((statistic) => statistic(once)));
  const draws = statistics.map((sides) => sides.map(() => new Float64Array(resamples)));
  const rng = createRng(deriveSeed(seed, "paired-bootstrap"));
  const weights = new Int32Array(images);
  for (let r = 0; r < resamples; r++) {
    weights.fill(0);
    for (let i = 0; i < images; i++) {
      const drawn = rng.int(0, images - 1);
      weights[drawn] = weights[drawn]! + 1;
    }
    statistics.forEach((sides, m) =>
      sides.forEach((statistic, k) => (draws[m]![k]![r] = statistic(weights))),
    );
  }
  return observed.map((values, m) => intervalsOf(values, draws[m]!, options));
}
