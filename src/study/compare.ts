/** @file From evaluated images to a comparison: every metric with its bootstrap interval, changes paired by image. */
import { InputError } from "../base/index.js";
import {
  bootstrap,
  bootstrapDifference,
  countingErrors,
  precisionRecall,
  type ScoreSource,
  type Tally,
} from "../metrics/index.js";
import { cocoImages, type EvaluatedImage } from "../rl/index.js";
import { averagePrecision50, matchImages, type MatchedImage } from "./average-precision.js";
import type { ComparedMetric, ComparisonRow, Decoding, MetricRow } from "./comparison.js";

/** One set, judged under one decoding, by several policies. */
export interface ComparedSet {
  readonly set: string;
  readonly domain: "in" | "out";
  readonly decoding: Decoding;
  /** Images of each policy, the same ones in the same order. */
  readonly policies: readonly (readonly EvaluatedImage[])[];
}

/** Options of {@link compareSet}. */
export interface CompareOptions {
  readonly seed: number;
  /** @default 1000 */
  readonly resamples?: number;
  /** Confidence of boxes for AP. @default "order" */
  readonly scoreSource?: ScoreSource;
}

/** What one image adds to each metric. */
interface ImageRecord {
  readonly tallies: readonly Tally[];
  readonly strict: number;
  /** Matches of the n-th response. */
  readonly matched: readonly MatchedImage[];
}

type Statistic = (records: readonly ImageRecord[]) => number;

const tallies = (records: readonly ImageRecord[]) => records.flatMap((record) => record.tallies);

const statistics: Record<ComparedMetric, Statistic> = {
  precision: (records) => precisionRecall(tallies(records)).precision,
  recall: (records) => precisionRecall(tallies(records)).recall,
  f1: (records) => precisionRecall(tallies(records)).f1,
  ap50: (records) => {
    const rounds = Math.min(...records.map(({ matched }) => matched.length));
    let sum = 0;
    for (let n = 0; n < rounds; n++) sum += averagePrecision50(records.map(({ matched }) => matched[n]!));
    return sum / rounds;
  },
  countError: (records) =>
    countingErrors(
      tallies(records).map(({ predictions, truths }) => ({ predicted: predictions, actual: truths })),
    ).mae,
  formatRate: (records) => {
    const responses = records.reduce((sum, record) => sum + record.tallies.length, 0);
    return records.reduce((sum, { strict }) => sum + strict, 0) / responses;
  },
};

function recordsOf(images: readonly EvaluatedImage[], source: ScoreSource): ImageRecord[] {
  const rounds = source === "consensus" ? 1 : Math.min(...images.map(({ responses }) => responses.length));
  const matched = Array.from({ length: rounds }, (_, n) => matchImages(cocoImages(images, n, source)));
  return images.map(({ responses }, i) => ({
    tallies: responses.map(({ at50 }) => at50),
    strict: responses.reduce((sum, { format }) => sum + format, 0),
    matched: matched.map((round) => round[i]!),
  }));
}

/**
 * One row of a comparison.
 * @throws InputError where the policies were not judged on the same images.
 */
export function compareSet(compared: ComparedSet, options: CompareOptions): ComparisonRow {
  const { seed, resamples = 1000, scoreSource = "order" } = options;
  const [first] = compared.policies;
  const ids = (images: readonly EvaluatedImage[]) => images.map(({ id }) => id).join("\n");
  if (first === undefined || first.length === 0 || compared.policies.some((one) => ids(one) !== ids(first)))
    throw new InputError(
      `${compared.set}: a comparison needs the same images, at least one, for every policy`,
    );
  const records = compared.policies.map((images) => recordsOf(images, scoreSource));
  const metrics = Object.entries(statistics) as [ComparedMetric, Statistic][];
  const drawing = { seed, resamples };
  return {
    set: compared.set,
    domain: compared.domain,
    decoding: compared.decoding,
    images: first.length,
    policies: records.map((one): MetricRow =>
      Object.fromEntries(metrics.map(([key, statistic]) => [key, bootstrap(one, statistic, drawing)])),
    ),
    ...(records.length > 1 && {
      change: Object.fromEntries(
        metrics.map(([key, statistic]) => [
          key,
          bootstrapDifference(records[0]!, records.at(-1)!, statistic, drawing),
        ]),
      ),
    }),
  };
}
