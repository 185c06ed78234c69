/** @file The numbers of an evaluation, from its records alone, so that a bootstrap may compute them again on any resample. */
import { bootstrap, type BootstrapOptions, type Interval } from "../metrics/bootstrap.js";
import { cocoAp, type CocoImage } from "../metrics/coco-ap.js";
import { countingErrors, type CountingErrors } from "../metrics/counting.js";
import { precisionRecall, type PrecisionRecall } from "../metrics/precision-recall.js";
import { scoresOf, type ScoreSource } from "../metrics/scores.js";
import type { Grade } from "../response/types.js";
import { mean } from "./advantage.js";
import type { EvaluatedImage, EvaluatedResponse } from "./evaluate.js";

/** The numbers of an evaluation. Shares and rewards are 0..1, means are over responses. */
export interface EvaluationSummary extends PrecisionRecall {
  readonly images: number;
  readonly responses: number;
  /** Micro at IoU 0.75 (precision, recall and f1 beside it are at 0.5). */
  readonly at75: PrecisionRecall;
  /** COCO's AP at IoU 0.5, and over .50:.95, with up to 500 boxes an image; the mean over the n-th responses. Null without truths. */
  readonly ap50: number | null;
  readonly ap: number | null;
  /** Where the scores of the AP come from. */
  readonly scoreSource: ScoreSource;
  readonly counting: CountingErrors;
  /** Responses of grade `strict`. */
  readonly strictShare: number;
  readonly grades: Readonly<Record<Grade, number>>;
  readonly rewards: { readonly format: number; readonly accuracy: number; readonly look: number | null };
  readonly meanTokens: number;
  readonly truncatedShare: number;
  readonly loopShare: number;
}

const responsesOf = (images: readonly EvaluatedImage[]): EvaluatedResponse[] =>
  images.flatMap(({ responses }) => [...responses]);

/** Micro precision, recall and F1 over images: a statistic for a bootstrap. */
export function precisionRecallOf(images: readonly EvaluatedImage[], iou: 0.5 | 0.75 = 0.5): PrecisionRecall {
  return precisionRecall(responsesOf(images).map(({ at50, at75 }) => (iou === 0.5 ? at50 : at75)));
}

/** What COCO's evaluator takes: the n-th response to each image. Ignore regions are crowds of every label. */
export function cocoImages(
  images: readonly EvaluatedImage[],
  n: number,
  source: ScoreSource,
): CocoImage<"image">[] {
  const labels = [...new Set(images.flatMap(({ truth }) => truth.objects.map(({ label }) => label)))];
  return images.map(({ truth, responses }) => {
    const answer = responses[n]?.answer ?? [];
    const scores = scoresOf(source, answer.length);
    return {
      truths: [
        ...truth.objects,
        ...labels.flatMap((label) => truth.ignore.map((box) => ({ box, label, crowd: true }))),
      ],
      // Where there is but one label, a box without one is meant to be of it.
      detections: answer.map(({ box, label }, i) => ({
        box,
        label: label ?? (labels.length === 1 ? labels[0]! : ""),
        score: scores[i]!,
      })),
    };
  });
}

/**
 * All numbers over these images.
 *
 * @param options.scoreSource Confidence for AP; a response gives none. @default "order"
 */
export function summarizeEvaluation(
  images: readonly EvaluatedImage[],
  options: { readonly scoreSource?: ScoreSource } = {},
): EvaluationSummary {
  const { scoreSource = "order" } = options;
  const responses = responsesOf(images);
  const share = (test: (response: EvaluatedResponse) => boolean): number =>
    responses.filter(test).length / responses.length;
  const gradeShare = (grade: Grade): number => share((response) => response.grade === grade);
  const rounds = Math.max(0, ...images.map((image) => image.responses.length));
  const aps = Array.from({ length: rounds }, (_, n) => cocoAp(cocoImages(images, n, scoreSource)));
  const average = (values: readonly (number | null)[]): number | null => {
    const known = values.filter((value) => value !== null);
    return known.length === 0 ? null : mean(known);
  };
  const looks = responses.map(({ lookReward }) => lookReward ?? null);
  return {
    images: images.length,
    responses: responses.length,
    ...precisionRecallOf(images),
    at75: precisionRecallOf(images, 0.75),
    ap50: average(aps.map(({ ap50 }) => ap50)),
    ap: average(aps.map(({ ap }) => ap)),
    scoreSource,
    counting: countingErrors(
      responses.map(({ at50 }) => ({ predicted: at50.predictions, actual: at50.truths })),
    ),
    strictShare: gradeShare("strict"),
    grades: {
      strict: gradeShare("strict"),
      repaired: gradeShare("repaired"),
      truncated: gradeShare("truncated"),
      none: gradeShare("none"),
    },
    rewards: {
      format: mean(responses.map(({ format }) => format)),
      accuracy: mean(responses.map(({ accuracy }) => accuracy)),
      look: average(looks),
    },
    meanTokens: mean(responses.map(({ tokens }) => tokens)),
    truncatedShare: share(({ stopReason }) => stopReason === "length"),
    loopShare: share(({ stopReason }) => stopReason === "loop"),
  };
}

/** Bootstrap intervals, over images, of the numbers that matter most. */
export function evaluationIntervals(
  images: readonly EvaluatedImage[],
  options: BootstrapOptions,
): {
  readonly precision: Interval;
  readonly recall: Interval;
  readonly f1: Interval;
  readonly mae: Interval;
} {
  const of = (key: keyof PrecisionRecall): Interval =>
    bootstrap(images, (resample) => precisionRecallOf(resample)[key], options);
  return {
    precision: of("precision"),
    recall: of("recall"),
    f1: of("f1"),
    mae: bootstrap(
      images,
      (resample) =>
        countingErrors(
          responsesOf(resample).map(({ at50 }) => ({ predicted: at50.predictions, actual: at50.truths })),
        ).mae,
      options,
    ),
  };
}
