/** @file One-to-one matching of answers with ground truth, and micro precision, recall and F1 over images (design, 4.3). */
import { maximumWeightMatching } from "../geometry/assignment.js";
import type { Box, Frame } from "../geometry/box.js";
import { boxArea, intersectionArea } from "../geometry/overlap.js";
import { overlappingPairs } from "../geometry/pairs.js";

/** A box that a model said. Without a label it counts under the truth's, where the truth has but one; otherwise it matches nothing. */
export interface PredictedBox<F extends Frame = Frame> {
  readonly box: Box<F>;
  readonly label?: string;
}

/** What is there, in the same frame. */
export interface TruthBoxes<F extends Frame = Frame> {
  readonly objects: readonly { readonly box: Box<F>; readonly label: string }[];
  /** An unmatched prediction at least half of which lies in one of these does not count. */
  readonly ignore: readonly Box<F>[];
}

/** Marks in {@link InstanceMatches.matches}. */
const UNMATCHED = -1;
const IGNORED = -2;

/**
 * Ties of the summed IoU are decided, so that counts never hang on the order of boxes: more pairs win, then more matched
 * predictions outside ignore regions (those left over inside one cost nothing). Far below any difference of IoU that means something.
 */
const PAIR_BONUS = 1e-9;
const OUTSIDE_BONUS = 1e-12;

/** Counts of one image (or of several, added). */
export interface Tally {
  readonly truePositives: number;
  /** Predictions that count. */
  readonly predictions: number;
  /** Instances that are there. */
  readonly truths: number;
}

/** Who matched whom, and the counts. */
export interface InstanceMatches extends Tally {
  /** Index of the ground truth each prediction matched; -1 = none; -2 = none, but in an ignore region: it does not count. */
  readonly matches: readonly number[];
}

/**
 * Matches one to one, maximising the summed IoU over pairs of the same label with IoU >= threshold.
 * The same rule as the accuracy reward's.
 */
export function matchInstances<F extends Frame>(
  predictions: readonly PredictedBox<F>[],
  truth: TruthBoxes<F>,
  iouThreshold = 0.5,
): InstanceMatches {
  const first = truth.objects[0]?.label;
  const only = truth.objects.every(({ label }) => label === first) ? first : undefined;
  const inIgnore = predictions.map(({ box }) =>
    truth.ignore.some((region) => intersectionArea(box, region) >= boxArea(box) / 2),
  );
  const pairs = overlappingPairs(
    predictions.map(({ box }) => box),
    truth.objects.map(({ box }) => box),
    iouThreshold,
    (row, column) => (predictions[row]!.label ?? only) === truth.objects[column]!.label,
  );
  const weights = pairs.weights.map(
    (iou, k) => iou + PAIR_BONUS + (inIgnore[pairs.rows[k]!] === true ? 0 : OUTSIDE_BONUS),
  );
  const matched = maximumWeightMatching(predictions.length, truth.objects.length, { ...pairs, weights });
  const matches = Array.from(matched, (match, index) => {
    if (match >= 0) return match;
    return inIgnore[index] === true ? IGNORED : UNMATCHED;
  });
  return {
    matches,
    truePositives: matches.filter((match) => match >= 0).length,
    predictions: matches.filter((match) => match !== IGNORED).length,
    truths: truth.objects.length,
  };
}

/** Counts of several images, added. */
export function addTallies(tallies: Iterable<Tally>): Tally {
  let [truePositives, predictions, truths] = [0, 0, 0];
  for (const tally of tallies) {
    truePositives += tally.truePositives;
    predictions += tally.predictions;
    truths += tally.truths;
  }
  return { truePositives, predictions, truths };
}

/** Shares in [0, 1]. */
export interface PrecisionRecall {
  readonly precision: number;
  readonly recall: number;
  readonly f1: number;
}

/**
 * Micro precision, recall and F1: counts are added over images before dividing, so that every instance weighs the same.
 *
 * Nothing said where nothing is there is right (1, 1, 1); otherwise a share without a denominator is 0.
 */
export function precisionRecall(tallies: Iterable<Tally>): PrecisionRecall {
  const { truePositives, predictions, truths } = addTallies(tallies);
  if (predictions === 0 && truths === 0) return { precision: 1, recall: 1, f1: 1 };
  return {
    precision: predictions === 0 ? 0 : truePositives / predictions,
    recall: truths === 0 ? 0 : truePositives / truths,
    f1: (2 * truePositives) / (predictions + truths),
  };
}
