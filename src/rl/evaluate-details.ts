/**
 * @file What an evaluation shows beyond its summary: F1 over IoU, AP under every score source there is, how boxes lie, what
 * the false alarms are, and all of it by parts of the data. Made from the records alone.
 */
import { falsePositives, type FalsePositives } from "../metrics/duplicates.js";
import { f1Curve, tallyCurve, type F1Curve } from "../metrics/f1-curve.js";
import { localizationErrors, type LocalizationErrors } from "../metrics/localization.js";
import {
  countedLabels,
  matchInstances,
  precisionRecall,
  type PrecisionRecall,
} from "../metrics/precision-recall.js";
import { consensusBoxes, type ScoreSource } from "../metrics/scores.js";
import { sliceResponses, type Slice } from "../metrics/slices.js";
import type { EvaluatedImage } from "./evaluate.js";
import { averagePrecisionOf, type SourcedAp } from "./evaluation-summary.js";

/** More numbers of an evaluation; micro over all responses. */
export interface EvaluationDetails {
  /** Precision, recall and F1 at IoU 0.5, 0.55, ..., 0.95. */
  readonly curve: F1Curve;
  readonly averagePrecision: readonly SourcedAp[];
  /** The fused boxes that at least half of the responses hold, as an answer of its own at IoU 0.5; null for single responses. */
  readonly majority: PrecisionRecall | null;
  readonly localization: LocalizationErrors;
  readonly falsePositives: FalsePositives;
  readonly slices: readonly Slice[];
}

/** Score sources that these records have what it takes for. */
export function knownScoreSources(images: readonly EvaluatedImage[]): ScoreSource[] {
  const responses = images.flatMap((image) => image.responses);
  const told = responses.length > 0 && responses.every(({ probabilities }) => probabilities !== undefined);
  const several = images.length > 0 && images.every((image) => image.responses.length > 1);
  return [
    "order",
    "one",
    ...(told ? (["logprob", "logprob-min"] as const) : []),
    ...(several ? (["consensus"] as const) : []),
  ];
}

/** Precision, recall and F1 of what most responses agree on. */
function majorityOf(images: readonly EvaluatedImage[]): PrecisionRecall | null {
  if (images.length === 0 || images.some(({ responses }) => responses.length < 2)) return null;
  return precisionRecall(
    images.map(({ truth, responses }) => {
      const fused = consensusBoxes(
        responses.map(({ answer }) => {
          const labels = countedLabels(answer, truth);
          return answer.map(({ box }, i) => ({ box, label: labels[i] }));
        }),
      );
      return matchInstances(
        fused.filter(({ score }) => score >= 0.5),
        truth,
      );
    }),
  );
}

/** All details of these images. */
export function evaluationDetails(images: readonly EvaluatedImage[]): EvaluationDetails {
  const responses = images.flatMap(({ width, height, truth, responses: said }) =>
    said.map(({ answer, matches }) => ({ width, height, truth, predictions: answer, matches })),
  );
  return {
    curve: f1Curve(responses.map(({ predictions, truth }) => tallyCurve(predictions, truth))),
    averagePrecision: knownScoreSources(images).map((source) => averagePrecisionOf(images, source)),
    majority: majorityOf(images),
    localization: localizationErrors(responses),
    falsePositives: falsePositives(responses),
    slices: sliceResponses(responses),
  };
}
