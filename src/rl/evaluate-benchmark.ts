/** @file A benchmark's own numbers of evaluated images: the answers as detections, their scores from a named source (design, 4.6). */
import {
  benchmarkNumbers,
  type BenchmarkDetection,
  type BenchmarkImage,
  type BenchmarkName,
  type OrderBounds,
  type ScoreSource,
} from "../metrics/index.js";
import { mean } from "./advantage.js";
import type { EvaluatedImage } from "./evaluate.js";
import { knownScoreSources } from "./evaluate-details.js";
import { scoredBoxes } from "./evaluation-summary.js";

/** A benchmark's own numbers of a model's answers. */
export interface BenchmarkSummary {
  readonly benchmark: BenchmarkName;
  /** Where the scores come from that every one of these numbers ranks boxes by. */
  readonly scoreSource: ScoreSource;
  /** Under the official names; means over the n-th responses. Null where nothing could be measured. */
  readonly numbers: Readonly<Record<string, number | null>>;
  /** Bounds over the orders of equal scores, of the numbers that such an order moves; means alike. */
  readonly bounds: Readonly<Record<string, OrderBounds>>;
  /** Of the first response to each image (all of them, where they are fused). */
  readonly counts: Readonly<Record<string, number>>;
  /** Every choice that the numbers hang on. */
  readonly options: Readonly<Record<string, unknown>>;
  readonly notes: readonly string[];
}

/** `logprob` where the sampler told log-probabilities, else `order`. */
export function defaultScoreSource(images: readonly EvaluatedImage[]): ScoreSource {
  return knownScoreSources(images).includes("logprob") ? "logprob" : "order";
}

/**
 * The n-th response to each image (for `consensus` all of them, fused) as detections of the images' benchmark, in the order
 * in which the response names them. Images without its ground truth are left out.
 * @throws RangeError where the source needs probabilities and the records have none.
 */
export function benchmarkImages(
  images: readonly EvaluatedImage[],
  n: number,
  source: ScoreSource,
): BenchmarkImage[] {
  return images.flatMap((image): BenchmarkImage[] => {
    const { benchmark: truth, width, height } = image;
    if (truth === undefined) return [];
    const only = truth.labels.length === 1 ? truth.labels[0] : undefined;
    const detections = scoredBoxes(image, n, source, only).map(
      ({ box: { x1, y1, x2, y2 }, label, score }): BenchmarkDetection => ({
        box: [x1, y1, x2 - x1, y2 - y1],
        ...(label !== undefined && { label }),
        score,
      }),
    );
    return [{ truth, width, height, detections }];
  });
}

function average(values: readonly (number | null | undefined)[]): number | null {
  const known = values.filter((value) => value !== null && value !== undefined);
  return known.length === 0 ? null : mean(known);
}

/**
 * The numbers that the benchmark's own evaluator gives for these answers, over the images judged.
 * @returns `undefined` where no image has a benchmark's ground truth.
 */
export function benchmarkSummary(
  images: readonly EvaluatedImage[],
  scoreSource: ScoreSource,
): BenchmarkSummary | undefined {
  const rounds =
    scoreSource === "consensus" ? 1 : Math.max(1, ...images.map(({ responses }) => responses.length));
  const reports = Array.from({ length: rounds }, (_, n) =>
    benchmarkNumbers(benchmarkImages(images, n, scoreSource)),
  );
  const first = reports[0];
  if (first === undefined) return undefined;
  const each = reports.filter((report) => report !== undefined);
  const bounded = Object.keys(first.numbers).filter((name) => each.some(({ bounds }) => bounds[name]));
  const without = images.filter(({ benchmark }) => benchmark === undefined).length;
  return {
    benchmark: first.benchmark,
    scoreSource,
    numbers: Object.fromEntries(
      Object.keys(first.numbers).map((name) => [name, average(each.map(({ numbers }) => numbers[name]))]),
    ),
    bounds: Object.fromEntries(
      bounded.map((name) => {
        // A round without a width has its number for both.
        const of = (which: "low" | "high") =>
          average(each.map(({ bounds, numbers }) => (bounds[name] ? bounds[name][which] : numbers[name])));
        return [name, { low: of("low"), high: of("high") }];
      }),
    ),
    counts: first.counts,
    options: first.options,
    notes: [
      ...new Set(each.flatMap(({ notes }) => notes)),
      ...(without === 0
        ? []
        : [`${without} images are not in the benchmark's ground truth and are left out of its numbers`]),
    ],
  };
}
