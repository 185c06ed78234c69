/** @file The numbers of an evaluation, from its records alone, so that a bootstrap may compute them again on any resample. */
import type { Box } from "../geometry/box.js";
import type { FrameFinding } from "../geometry/frame-check.js";
import { bootstrap, type BootstrapOptions, type Interval } from "../metrics/bootstrap.js";
import { cocoAp, type CocoImage } from "../metrics/coco-ap.js";
import { countingErrors, type CountingErrors } from "../metrics/counting.js";
import { precisionRecall, type PrecisionRecall } from "../metrics/precision-recall.js";
import { consensusBoxes, scoresOf, type ScoreSource } from "../metrics/scores.js";
import { apTieBounds, type Bounds, type TieBounds } from "../metrics/tie-bounds.js";
import type { Grade } from "../response/types.js";
import { mean } from "./advantage.js";
import { checkEvaluatedFrame } from "./evaluate-frame.js";
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
  /** How far the AP hangs on the order of equal scores. */
  readonly ties: TieBounds;
  readonly counting: CountingErrors;
  /** Responses of grade `strict`. */
  readonly strictShare: number;
  readonly grades: Readonly<Record<Grade, number>>;
  readonly rewards: { readonly format: number; readonly accuracy: number; readonly look: number | null };
  readonly meanTokens: number;
  readonly truncatedShare: number;
  readonly loopShare: number;
  /** Whether the boxes look as if they were in another frame than declared. */
  readonly frame: FrameFinding;
}

const responsesOf = (images: readonly EvaluatedImage[]): EvaluatedResponse[] =>
  images.flatMap(({ responses }) => [...responses]);

/** Micro precision, recall and F1 over images: a statistic for a bootstrap. */
export function precisionRecallOf(images: readonly EvaluatedImage[], iou: 0.5 | 0.75 = 0.5): PrecisionRecall {
  return precisionRecall(responsesOf(images).map(({ at50, at75 }) => (iou === 0.5 ? at50 : at75)));
}

/**
 * Boxes with scores of one image: the n-th response under a source, or for `consensus` all responses fused.
 * @param only The label of a box without one, where there is but one label.
 */
export function scoredBoxes(
  { responses }: EvaluatedImage,
  n: number,
  source: ScoreSource,
  only: string | undefined,
): { readonly box: Box<"image">; readonly label?: string; readonly score: number }[] {
  if (source === "consensus") {
    const known = responses.flatMap(({ probabilities }) =>
      probabilities === undefined ? [] : [probabilities],
    );
    return consensusBoxes(
      responses.map(({ answer }) => answer.map(({ box, label }) => ({ box, label: label ?? only }))),
      known.length === responses.length ? { probabilities: known } : {},
    );
  }
  const { answer = [], probabilities = [] } = responses[n] ?? {};
  const scores = scoresOf(source, answer.length, probabilities);
  return answer.map(({ box, label }, i) => ({ box, label: label ?? only, score: scores[i]! }));
}

/**
 * What COCO's evaluator takes: the n-th response to each image (for `consensus` all of them as one, whatever n). Ignore
 * regions are crowds of every label.
 * @throws RangeError where the source needs probabilities and the records have none.
 */
export function cocoImages(
  images: readonly EvaluatedImage[],
  n: number,
  source: ScoreSource,
): CocoImage<"image">[] {
  const labels = [...new Set(images.flatMap(({ truth }) => truth.objects.map(({ label }) => label)))];
  // Where there is but one label, a box without one is meant to be of it.
  const only = labels.length === 1 ? labels[0] : undefined;
  return images.map((image) => ({
    truths: [
      ...image.truth.objects,
      ...labels.flatMap((label) => image.truth.ignore.map((box) => ({ box, label, crowd: true }))),
    ],
    detections: scoredBoxes(image, n, source, only).map(({ box, label = "", score }) => ({
      box,
      label,
      score,
    })),
  }));
}

/** AP under one score source. */
export interface SourcedAp {
  readonly scoreSource: ScoreSource;
  /** Means over the n-th responses; null without truths. */
  readonly ap: number | null;
  readonly ap50: number | null;
  readonly ap75: number | null;
  readonly ties: TieBounds;
}

function average(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : mean(known);
}

function averageBounds(values: readonly (Bounds | null)[]): Bounds | null {
  const known = values.filter((value) => value !== null);
  if (known.length === 0) return null;
  return { worst: mean(known.map(({ worst }) => worst)), best: mean(known.map(({ best }) => best)) };
}

/**
 * COCO's AP under a score source, with up to 500 boxes an image: the mean over the n-th responses, or of the fused boxes
 * where the source is `consensus`.
 */
export function averagePrecisionOf(images: readonly EvaluatedImage[], scoreSource: ScoreSource): SourcedAp {
  const rounds =
    scoreSource === "consensus" ? 1 : Math.max(0, ...images.map(({ responses }) => responses.length));
  const each = Array.from({ length: rounds }, (_, n) => {
    const round = cocoImages(images, n, scoreSource);
    return { ...cocoAp(round), ties: apTieBounds(round) };
  });
  return {
    scoreSource,
    ap: average(each.map(({ ap }) => ap)),
    ap50: average(each.map(({ ap50 }) => ap50)),
    ap75: average(each.map(({ ap75 }) => ap75)),
    ties: {
      ap: averageBounds(each.map(({ ties }) => ties.ap)),
      ap50: averageBounds(each.map(({ ties }) => ties.ap50)),
      tiedShare: each.length === 0 ? 0 : mean(each.map(({ ties }) => ties.tiedShare)),
    },
  };
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
  const { ap, ap50, ties } = averagePrecisionOf(images, scoreSource);
  const looks = responses.map(({ lookReward }) => lookReward ?? null);
  return {
    images: images.length,
    responses: responses.length,
    ...precisionRecallOf(images),
    at75: precisionRecallOf(images, 0.75),
    ap50,
    ap,
    scoreSource,
    ties,
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
    frame: checkEvaluatedFrame(images),
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
