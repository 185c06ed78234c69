/** @file The numbers that two results can be compared by, each as a function of weighted images (metrics/paired.ts). */
import { InputError } from "../base/index.js";
import {
  benchmarkMetrics,
  curveThresholds,
  falsePositives,
  precisionRecall,
  tallyCurve,
  weightedAp,
  weightedBenchmarkNumber,
  type BenchmarkMetric,
  type PairedStatistic,
  type ScoreSource,
  type Tally,
} from "../metrics/index.js";
import {
  benchmarkImages,
  cocoImages,
  knownScoreSources,
  type EvaluatedImage,
  type EvaluatedResponse,
} from "../rl/index.js";

/** How a metric is computed from the images of both sides, one side after the other. */
type Build = (images: readonly EvaluatedImage[], scoreSource: ScoreSource) => PairedStatistic;

interface PairedMetric {
  readonly title: string;
  /** `none`: neither way is better. */
  readonly better: "up" | "down" | "none";
  /** Needs scores of boxes, and is named with their source. @default false */
  readonly ranked?: boolean;
  readonly build: Build;
}

/** A metric that only needs sums over responses: `of` gives each response's terms, `finish` their sums' value. */
function fromSums(
  of: (response: EvaluatedResponse, image: EvaluatedImage) => readonly number[],
  finish: (sums: Float64Array) => number,
): Build {
  return (images) => {
    const perImage = images.map((image) => {
      const terms = image.responses.map((response) => of(response, image));
      return (terms[0] ?? []).map((_, k) => terms.reduce((sum, one) => sum + one[k]!, 0));
    });
    const width = perImage[0]?.length ?? 0;
    // One flat table: thousands of resamples walk it.
    const table = Float64Array.from(perImage.flat());
    const sums = new Float64Array(width);
    return (weights) => {
      sums.fill(0);
      for (let i = 0, at = 0; i < weights.length; i++, at += width) {
        const weight = weights[i]!;
        if (weight === 0) continue;
        for (let k = 0; k < width; k++) sums[k] = sums[k]! + weight * table[at + k]!;
      }
      return finish(sums);
    };
  };
}

const mean = (of: (response: EvaluatedResponse, image: EvaluatedImage) => number): Build =>
  fromSums(
    (response, image) => [of(response, image), 1],
    ([sum, count]) => sum! / count!,
  );

const share = (which: "precision" | "recall" | "f1", of: (response: EvaluatedResponse) => Tally): Build =>
  fromSums(
    (response) => {
      const { truePositives, predictions, truths } = of(response);
      return [truePositives, predictions, truths];
    },
    ([truePositives, predictions, truths]) =>
      precisionRecall([{ truePositives: truePositives!, predictions: predictions!, truths: truths! }])[which],
  );

const countError = ({ at50 }: EvaluatedResponse): number => at50.predictions - at50.truths;

/** @throws InputError where the records do not have what the source takes. */
function checkSource(images: readonly EvaluatedImage[], scoreSource: ScoreSource): void {
  if (!knownScoreSources(images).includes(scoreSource))
    throw new InputError(`score source ${scoreSource}: these results do not have what it takes`, {
      hint:
        scoreSource === "consensus"
          ? "It needs several responses an image: judge with --samples, and compare by --decoding sampled."
          : "They were made with a sampler that tells no log-probabilities. Choose order or one.",
    });
}

/** The mean over the n-th responses of AP over weighted images. */
function ap(thresholds: readonly number[]): Build {
  return (images, scoreSource) => {
    checkSource(images, scoreSource);
    const rounds =
      scoreSource === "consensus" ? 1 : Math.min(...images.map(({ responses }) => responses.length));
    const each = Array.from({ length: rounds }, (_, n) =>
      weightedAp(cocoImages(images, n, scoreSource), { thresholds }),
    );
    return (weights) => each.reduce((sum, one) => sum + one(weights), 0) / rounds;
  };
}

/** The mean over the n-th responses of a benchmark's own number over weighted images. */
function official(metric: BenchmarkMetric): PairedMetric {
  const [name] = metric.split(".");
  return {
    title: metric.replace(".", " "),
    better: benchmarkMetrics[metric],
    ranked: true,
    build: (images, scoreSource) => {
      checkSource(images, scoreSource);
      const other = images.find(({ benchmark }) => benchmark?.benchmark !== name);
      if (other !== undefined)
        throw new InputError(
          `${metric}: image ${other.id} has no ground truth of ${name}${other.benchmark ? `, but of ${other.benchmark.benchmark}` : ""}`,
          { hint: `Judge both on the benchmark's own files: dip-r1 eval --data ${name}:FILE --out RESULT.` },
        );
      // Equal scores stand in the official order, within each side.
      const half = images.length / 2;
      const order = images
        .map((_, i) => i)
        .sort((a, b) => Number(a >= half) - Number(b >= half) || placeOf(images[a]!) - placeOf(images[b]!));
      const sorted = order.map((i) => images[i]!);
      const rounds =
        scoreSource === "consensus" ? 1 : Math.min(...images.map(({ responses }) => responses.length));
      const each = Array.from({ length: rounds }, (_, n) =>
        weightedBenchmarkNumber(benchmarkImages(sorted, n, scoreSource), metric),
      );
      const turned = new Int32Array(images.length);
      return (weights) => {
        for (let k = 0; k < order.length; k++) turned[k] = weights[order[k]!]!;
        return each.reduce((sum, one) => sum + one(turned), 0) / rounds;
      };
    },
  };
}

const placeOf = ({ benchmark }: EvaluatedImage): number => benchmark?.place ?? 0;

/** All metrics by name. Shares are 0..1; at IoU 0.5 where nothing else is said. */
export const pairedMetrics = {
  f1: { title: "F1", better: "up", build: share("f1", ({ at50 }) => at50) },
  precision: { title: "precision", better: "up", build: share("precision", ({ at50 }) => at50) },
  recall: { title: "recall", better: "up", build: share("recall", ({ at50 }) => at50) },
  "precision@75": {
    title: "precision at IoU 0.75",
    better: "up",
    build: share("precision", ({ at75 }) => at75),
  },
  "recall@75": { title: "recall at IoU 0.75", better: "up", build: share("recall", ({ at75 }) => at75) },
  "f1@75": { title: "F1 at IoU 0.75", better: "up", build: share("f1", ({ at75 }) => at75) },
  "f1@50:95": {
    title: "mean F1, IoU .50:.95",
    better: "up",
    build: fromSums(
      ({ answer }, { truth }) =>
        tallyCurve(answer, truth).flatMap((one) => [one.truePositives, one.predictions, one.truths]),
      (sums) => {
        let total = 0;
        for (let t = 0; t < curveThresholds.length; t++) {
          const [truePositives, predictions, truths] = sums.subarray(3 * t, 3 * t + 3);
          total += precisionRecall([
            { truePositives: truePositives!, predictions: predictions!, truths: truths! },
          ]).f1;
        }
        return total / curveThresholds.length;
      },
    ),
  },
  ap50: { title: "AP50", better: "up", ranked: true, build: ap([0.5]) },
  ap: { title: "AP", better: "up", ranked: true, build: ap(curveThresholds) },
  mae: { title: "count error (MAE)", better: "down", build: mean((one) => Math.abs(countError(one))) },
  rmse: {
    title: "count error (RMSE)",
    better: "down",
    build: fromSums(
      (one) => [countError(one) ** 2, 1],
      ([sum, count]) => Math.sqrt(sum! / count!),
    ),
  },
  bias: { title: "count bias", better: "none", build: mean(countError) },
  duplicates: {
    title: "duplicate share",
    better: "down",
    build: fromSums(
      ({ answer, matches }, { truth }) => {
        const { duplicates, predictions } = falsePositives([{ predictions: answer, truth, matches }]);
        return [duplicates, predictions];
      },
      ([duplicates, predictions]) => (predictions === 0 ? 0 : duplicates! / predictions!),
    ),
  },
  accuracy: { title: "accuracy reward", better: "up", build: mean(({ accuracy }) => accuracy) },
  format: { title: "format reward", better: "up", build: mean(({ format }) => format) },
  tokens: { title: "tokens", better: "none", build: mean(({ tokens }) => tokens) },
  "coco.AP": official("coco.AP"),
  "coco.AP50": official("coco.AP50"),
  "coco.AP75": official("coco.AP75"),
  "crowdhuman.AP": official("crowdhuman.AP"),
  "crowdhuman.MR": official("crowdhuman.MR"),
  "crowdhuman.JI": official("crowdhuman.JI"),
  "crowdhuman.MR_1e-4": official("crowdhuman.MR_1e-4"),
  "citypersons.Reasonable": official("citypersons.Reasonable"),
  "citypersons.small": official("citypersons.small"),
  "citypersons.heavy": official("citypersons.heavy"),
  "citypersons.All": official("citypersons.All"),
  "uavdt.AP": official("uavdt.AP"),
  "widerpedestrian.mAP": official("widerpedestrian.mAP"),
  "widerpedestrian.AP50": official("widerpedestrian.AP50"),
  "widerpedestrian.AP75": official("widerpedestrian.AP75"),
} as const satisfies Record<string, PairedMetric>;

/** Name of a metric. */
export type PairedMetricName = keyof typeof pairedMetrics;

/**
 * A metric by its name, or by the official name alone where only one benchmark has it (`MR`, `Reasonable`, `mAP`).
 * @returns all that the word can mean: one where it is a name.
 */
export function pairedMetricsNamed(word: string): PairedMetricName[] {
  const names = Object.keys(pairedMetrics) as PairedMetricName[];
  return names.includes(word as PairedMetricName)
    ? [word as PairedMetricName]
    : names.filter((name) => name.endsWith(`.${word}`));
}

/** What is compared where nothing else is asked for. */
export const defaultPairedMetrics: readonly PairedMetricName[] = [
  "f1",
  "precision",
  "recall",
  "f1@75",
  "ap50",
  "mae",
  "duplicates",
  "format",
];
