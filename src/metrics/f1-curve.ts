/** @file Precision, recall and F1 as a curve over the IoU that a match asks for: 0.5:0.05:0.95, as COCO averages AP. */
import type { Frame } from "../geometry/box.js";
import {
  matchCandidates,
  matchFrom,
  precisionRecall,
  type PredictedBox,
  type Tally,
  type TruthBoxes,
} from "./precision-recall.js";

/** 0.5, 0.55, ..., 0.95. */
export const curveThresholds: readonly number[] = Array.from({ length: 10 }, (_, i) => (50 + 5 * i) / 100);

/** Counts of one response at every threshold; the pairs are found once. */
export function tallyCurve<F extends Frame>(
  predictions: readonly PredictedBox<F>[],
  truth: TruthBoxes<F>,
  thresholds: readonly number[] = curveThresholds,
): Tally[] {
  const candidates = matchCandidates(predictions, truth, Math.min(...thresholds));
  return thresholds.map((threshold) => {
    const { matches: _, ...tally } = matchFrom(candidates, threshold);
    return tally;
  });
}

/** A curve; all lists have the length of `iou`. */
export interface F1Curve {
  readonly iou: readonly number[];
  readonly precision: readonly number[];
  readonly recall: readonly number[];
  readonly f1: readonly number[];
  /** Mean of `f1` over the thresholds. */
  readonly meanF1: number;
}

/**
 * The micro curve over responses.
 * @param tallies One list a response, by threshold, as {@link tallyCurve} gives.
 */
export function f1Curve(
  tallies: readonly (readonly Tally[])[],
  thresholds: readonly number[] = curveThresholds,
): F1Curve {
  const points = thresholds.map((_, t) => precisionRecall(tallies.map((one) => one[t]!)));
  const f1 = points.map((point) => point.f1);
  return {
    iou: thresholds,
    precision: points.map(({ precision }) => precision),
    recall: points.map(({ recall }) => recall),
    f1,
    meanF1: f1.reduce((sum, value) => sum + value, 0) / f1.length,
  };
}
