/**
 * @file Several results side by side, as a paper's table has base, SFT and DIP-R1: every number with its interval, every
 * system less the baseline paired by image, by set, by slice, and over the sets of another domain. `compareResults` is the
 * test of two; here its p-values and differences stand in one table with the rest.
 */
import { InputError } from "../base/index.js";
import { pairedTests, type Interval, type ScoreSource, type SliceDimension } from "../metrics/index.js";
import { defaultScoreSource, knownScoreSources, type EvaluatedImage } from "../rl/index.js";
import type { Decoding, EvaluationResult, ResultSet } from "../runs/index.js";
import { alignImages, chosenSets, listSets, partnerOf, resultNotes } from "./align-results.js";
import { bootstrapSides, intervalsOf, type SideNumbers, type WeightedStatistic } from "./bootstrap-sides.js";
import { pairedMetrics, type PairedMetricName } from "./compare-metrics.js";
import { rescoreImages } from "./rescore.js";
import {
  countingPlot,
  precisionRecallCurve,
  type CountingPlot,
  type PrecisionRecallCurve,
} from "./result-curves.js";
import { sliceStatistics, type SliceNumber } from "./slice-statistics.js";

/** A result with the name it goes by. */
export interface NamedResult {
  /** For instance `base`, `SFT`, `DIP-R1`; unique. */
  readonly name: string;
  readonly result: EvaluationResult;
  /** Domain of each of its sets, where that is known. @default "out" */
  readonly domains?: Readonly<Record<string, "in" | "out">>;
}

/** Options of {@link compareMany}. */
export interface CompareManyOptions {
  /** @default "greedy" */
  readonly decoding?: Decoding;
  /** This set alone. @default all that every result has */
  readonly set?: string;
  /** Which result the others are compared with. @default 0 */
  readonly baseline?: number;
  /** @default {@link defaultManyMetrics}, and a benchmark's own where the data is its */
  readonly metrics?: readonly PairedMetricName[];
  /** Confidence of boxes. @default "logprob" where all have it, else "order" */
  readonly scoreSource?: ScoreSource;
  /** Compare the images that all have. @default false */
  readonly common?: boolean;
  /** @default 0 */
  readonly seed?: number;
  /** Of the bootstrap and of the permutation test. @default 1000 */
  readonly resamples?: number;
  /** @default 0.95 */
  readonly level?: number;
}

/** A system less the baseline. */
export interface PairedChange extends Interval {
  /** As in metrics/paired.ts; absent for means over sets. */
  readonly bootstrapP?: number;
  readonly permutationP?: number;
}

/** One metric of all systems. */
export interface MetricNumbers {
  readonly metric: PairedMetricName;
  /** By system. */
  readonly values: readonly Interval[];
  /** By system; null for the baseline. */
  readonly changes: readonly (PairedChange | null)[];
}

/** One part of a set, of all systems. */
export interface SliceNumbers {
  readonly by: SliceDimension;
  readonly bucket: string;
  /** Objects of the part. */
  readonly truths: number;
  readonly numbers: readonly {
    readonly number: SliceNumber;
    readonly values: readonly Interval[];
    readonly changes: readonly (Interval | null)[];
  }[];
}

/** One set of all systems. */
export interface ManySet {
  readonly set: string;
  readonly domain: "in" | "out";
  readonly images: number;
  /** Objects in them. */
  readonly objects: number;
  /** By system: responses an image. */
  readonly responses: readonly number[];
  /** By system: images left out because not all have judged them. */
  readonly leftOut: readonly number[];
  /** sha256 of the data, of the first result. */
  readonly fingerprint: string;
  readonly metrics: readonly MetricNumbers[];
  readonly slices: readonly SliceNumbers[];
  /** By IoU, by system. */
  readonly curves: readonly {
    readonly iou: 0.5 | 0.75;
    readonly systems: readonly (PrecisionRecallCurve | null)[];
  }[];
  /** By system. */
  readonly counting: readonly CountingPlot[];
}

/** The unweighted mean over the sets of one domain, where there are several. */
export interface DomainMean {
  readonly domain: "in" | "out";
  readonly sets: readonly string[];
  readonly metrics: readonly MetricNumbers[];
}

/** A set that was not compared, and why. */
export interface RefusedSet {
  readonly set: string;
  readonly message: string;
  readonly hint?: string;
}

/** Several results side by side. */
export interface ManyComparison {
  /** Names, in order. */
  readonly systems: readonly string[];
  readonly baseline: number;
  readonly decoding: Decoding;
  readonly scoreSource: ScoreSource;
  /** All that these records have what it takes for. */
  readonly scoreSources: readonly ScoreSource[];
  readonly seed: number;
  readonly resamples: number;
  readonly level: number;
  /** In-domain first, then as the first result has them. */
  readonly sets: readonly ManySet[];
  readonly means: readonly DomainMean[];
  readonly refused: readonly RefusedSet[];
  /** What a reader must know: settings that differ, images left out, code that changed. */
  readonly notes: readonly string[];
}

/** What is compared where nothing else is asked for. */
export const defaultManyMetrics: readonly PairedMetricName[] = [
  "precision",
  "recall",
  "f1",
  "precision@75",
  "recall@75",
  "f1@75",
  "ap50",
  "mae",
  "bias",
  "duplicates",
  "format",
];

/** One set of every result: the same images, matched again by the code of now. */
export interface AlignedSet {
  readonly set: string;
  readonly domain: "in" | "out";
  readonly fingerprint: string;
  /** By system. */
  readonly images: readonly (readonly EvaluatedImage[])[];
  readonly leftOut: readonly number[];
  readonly notes: readonly string[];
}

/** All sets that every result has under a decoding, and those that cannot stand side by side. */
export function alignSets(
  results: readonly NamedResult[],
  options: Pick<CompareManyOptions, "decoding" | "set" | "common"> = {},
): { readonly sets: readonly AlignedSet[]; readonly refused: readonly RefusedSet[] } {
  const { decoding = "greedy", set, common = false } = options;
  const names = results.map(({ name }) => name);
  const chosen = results.map(({ result }) => chosenSets(result, { decoding, set }));
  const [first, ...others] = chosen;
  const sets: AlignedSet[] = [];
  const refused: RefusedSet[] = [];
  for (const one of first ?? []) {
    const partners = [one, ...others.map((right) => partnerOf(one, first!, right))];
    const without = names.filter((_, k) => partners[k] === undefined);
    if (without.length > 0) {
      refused.push({
        set: one.set,
        message: `${one.set}, ${decoding}: not judged by ${without.join(", ")}`,
        hint: "Judge it there too, or compare those that have it.",
      });
      continue;
    }
    try {
      const aligned = alignImages(partners as ResultSet[], names, common);
      const rescored = aligned.images.map(rescoreImages);
      const notes = rescored.flatMap(({ changed }, k) =>
        changed === 0
          ? []
          : [
              `${one.set}: ${changed} responses of ${names[k]} are matched otherwise than when they were judged; the numbers are those of now`,
            ],
      );
      const left = aligned.leftOut.flatMap((count, k) => (count > 0 ? [`${count} of ${names[k]}`] : []));
      if (left.length > 0)
        notes.push(
          `${one.set}: only the ${aligned.images[0]!.length} common images are compared; ${left.join(", ")} left out`,
        );
      const prints = new Set(partners.map((partner) => partner!.fingerprint));
      if (prints.size > 1)
        notes.push(`${one.set}: the data is not the same; its common images have equal ground truth`);
      sets.push({
        set: one.set,
        domain: results[0]!.domains?.[one.set] ?? "out",
        fingerprint: one.fingerprint,
        images: rescored.map(({ images }) => images),
        leftOut: aligned.leftOut,
        notes,
      });
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      const { message, hint } = error;
      refused.push({ set: one.set, message, ...(hint !== undefined && { hint }) });
    }
  }
  // A stable sort: within a domain the order stays.
  sets.sort((a, b) => Number(a.domain === "out") - Number(b.domain === "out"));
  return { sets, refused };
}

type Build = {
  readonly build: (images: readonly EvaluatedImage[], source: ScoreSource) => (weights: Int32Array) => number;
};

/** The metric of each system beside the baseline: entry i is the baseline's image i, entry n + i the system's. */
function beside({ images }: AlignedSet, baseline: number, metric: Build, source: ScoreSource) {
  return images.map((own) => metric.build([...images[baseline]!, ...own], source));
}

function metricNumbers(
  set: AlignedSet,
  names: readonly PairedMetricName[],
  source: ScoreSource,
  options: { baseline: number; seed: number; resamples: number; level: number },
): { numbers: MetricNumbers[]; sides: SideNumbers[] } {
  const count = set.images[0]!.length;
  const built = names.map((name) => beside(set, options.baseline, pairedMetrics[name], source));
  const both = new Int32Array(2 * count);
  const alone = built.map((systems) =>
    systems.map((statistic): WeightedStatistic => (weights) => {
      both.fill(0);
      both.set(weights, count);
      return statistic(both);
    }),
  );
  const sides = bootstrapSides(count, alone, options);
  const tests = set.images.map((_, k) =>
    k === options.baseline
      ? undefined
      : pairedTests(
          count,
          built.map((systems) => systems[k]!),
          options,
        ),
  );
  const numbers = names.map((metric, m): MetricNumbers => ({
    metric,
    values: sides[m]!.values,
    changes: tests.map((test) => {
      if (test === undefined) return null;
      const { difference, bootstrapP, permutationP } = test[m]!;
      return { ...difference, bootstrapP, permutationP };
    }),
  }));
  return { numbers, sides };
}

function sliceNumbers(
  set: AlignedSet,
  options: { baseline: number; seed: number; resamples: number; level: number },
): SliceNumbers[] {
  const systems = set.images.map(sliceStatistics);
  const key = ({ by, bucket }: { by: string; bucket: string }) => `${by} ${bucket}`;
  // A part without objects (invented labels) may be one system's alone: what all have can be compared.
  const [first, ...others] = systems.map((slices) => new Map(slices.map((slice) => [key(slice), slice])));
  const shared = [...first!.values()].filter((slice) => others.every((one) => one.has(key(slice))));
  const flat = shared.flatMap((slice) =>
    (Object.keys(slice.numbers) as SliceNumber[]).map((number) => ({
      slice,
      number,
      statistics: [first!, ...others].map((one) => one.get(key(slice))!.numbers[number]!),
    })),
  );
  const sides = bootstrapSides(
    set.images[0]!.length,
    flat.map(({ statistics }) => statistics),
    options,
  );
  return shared.map((slice): SliceNumbers => ({
    by: slice.by,
    bucket: slice.bucket,
    truths: slice.truths,
    numbers: flat.flatMap((one, i) =>
      one.slice === slice
        ? [{ number: one.number, values: sides[i]!.values, changes: sides[i]!.differences }]
        : [],
    ),
  }));
}

/** Mean over sets: resample r of the mean takes resample r of every set, each drawn from its own images. */
function meanOf(
  domain: "in" | "out",
  sets: readonly {
    readonly set: string;
    readonly names: readonly PairedMetricName[];
    readonly sides: readonly SideNumbers[];
  }[],
  options: { baseline: number; level: number },
): DomainMean {
  const shared = sets[0]!.names.filter((name) => sets.every(({ names }) => names.includes(name)));
  const metrics = shared.map((metric): MetricNumbers => {
    const parts = sets.map(({ names, sides }) => sides[names.indexOf(metric)]!);
    const systems = parts[0]!.values.map((_, k) => k);
    const observed = systems.map(
      (k) => parts.reduce((sum, { values }) => sum + values[k]!.value, 0) / parts.length,
    );
    const draws = systems.map((k) =>
      parts[0]!.draws[k]!.map(
        (_, r) => parts.reduce((sum, one) => sum + one.draws[k]![r]!, 0) / parts.length,
      ),
    );
    const { values, differences } = intervalsOf(observed, draws, options);
    return { metric, values, changes: differences };
  });
  return { domain, sets: sets.map(({ set }) => set), metrics };
}

function metricsFor(set: AlignedSet, wanted: readonly PairedMetricName[] | undefined): PairedMetricName[] {
  if (wanted !== undefined) return [...wanted];
  const names = new Set(set.images[0]!.map(({ benchmark }) => benchmark?.benchmark));
  const [name] = names.size === 1 ? names : [undefined];
  const official =
    name === undefined
      ? []
      : (Object.keys(pairedMetrics) as PairedMetricName[]).filter((metric) => metric.startsWith(`${name}.`));
  return [...defaultManyMetrics, ...official];
}

/**
 * Compares several results image by image.
 *
 * @throws InputError without results, with two of one name, or where no set can be compared: the reasons of all sets are in
 * the message.
 * @example
 * const results = [{ name: "base", result: await openResult("run@0") }, { name: "DIP-R1", result: await openResult("run") }];
 * const [plaza] = compareMany(results).sets;
 * console.log(plaza.metrics.find(({ metric }) => metric === "f1").changes[1]);
 */
export function compareMany(
  results: readonly NamedResult[],
  options: CompareManyOptions = {},
): ManyComparison {
  const { decoding = "greedy", baseline = 0, seed = 0, resamples = 1000, level = 0.95 } = options;
  const systems = results.map(({ name }) => name);
  if (results.length === 0)
    throw new InputError("there is nothing to compare", { hint: "Choose at least one run and step." });
  const twice = systems.find((name, k) => systems.indexOf(name) !== k);
  if (twice !== undefined)
    throw new InputError(`two of the results are named "${twice}"`, {
      hint: "Give each a name of its own, and no result twice.",
    });
  if (baseline < 0 || baseline >= results.length)
    throw new InputError(`the baseline ${baseline} is none of the ${results.length} results`);
  const { sets: aligned, refused } = alignSets(results, options);
  if (aligned.length === 0) {
    const why =
      refused.length > 0
        ? refused.map(({ message }) => message).join("; ")
        : `the first has no such set and decoding (${options.set ?? "any"}, ${decoding}): ${results.map(({ result }) => listSets(result)).join("; ")}`;
    throw new InputError(why, {
      hint:
        refused.find(({ hint }) => hint !== undefined)?.hint ??
        "Choose a set and decoding that all of them were judged on.",
    });
  }
  const everything = aligned.flatMap(({ images }) => images.flat());
  const scoreSource = options.scoreSource ?? defaultScoreSource(everything);
  const drawing = { baseline, seed, resamples, level };
  const done = aligned.map((set) => {
    const names = metricsFor(set, options.metrics);
    const { numbers, sides } = metricNumbers(set, names, scoreSource, drawing);
    const first = set.images[0]!;
    const many: ManySet = {
      set: set.set,
      domain: set.domain,
      images: first.length,
      objects: first.reduce((sum, { truth }) => sum + truth.objects.length, 0),
      responses: set.images.map((images) => Math.max(...images.map(({ responses }) => responses.length))),
      leftOut: set.leftOut,
      fingerprint: set.fingerprint,
      metrics: numbers,
      slices: sliceNumbers(set, drawing),
      curves: ([0.5, 0.75] as const).map((iou) => ({
        iou,
        systems: set.images.map((images) => precisionRecallCurve(images, iou, scoreSource)),
      })),
      counting: set.images.map(countingPlot),
    };
    return { many, names, sides, set: set.set, domain: set.domain };
  });
  const means = (["in", "out"] as const).flatMap((domain) => {
    const own = done.filter((one) => one.domain === domain);
    return own.length < 2 ? [] : [meanOf(domain, own, drawing)];
  });
  return {
    systems,
    baseline,
    decoding,
    scoreSource,
    scoreSources: knownScoreSources(everything),
    seed,
    resamples,
    level,
    sets: done.map(({ many }) => many),
    means,
    refused,
    notes: [
      ...resultNotes(
        results.map(({ result }) => result),
        systems,
        // The most likely token is the same under every seed.
        decoding === "greedy" ? ["seed"] : [],
      ),
      ...aligned.flatMap(({ notes }) => notes),
    ],
  };
}
