/** @file One-to-one matching of answers with ground truth, and micro precision, recall and F1 over images (design, 4.3). */
import { maximumWeightMatching } from "../geometry/assignment.js";
import type { Box, Frame } from "../geometry/box.js";
import { boxArea, intersectionArea } from "../geometry/overlap.js";
import { overlappingPairs, type WeightedPairs } from "../geometry/pairs.js";

/** A box that a model said. Without a label it counts under the truth's, where the truth has but one; otherwise it matches nothing. */
export interface PredictedBox<F extends Frame = Frame> {
  readonly box: Box<F>;
  readonly label?: string;
}

/** What is there, in the same frame. */
export interface TruthBoxes<F extends Frame = Frame> {
  readonly objects: readonly {
    readonly box: Box<F>;
    readonly label: string;
    /** Share that can be seen, 0..1, where it is known. */
    readonly visibility?: number;
  }[];
  /** An unmatched prediction at least half of which lies in one of these does not count. */
  readonly ignore: readonly Box<F>[];
}

/** Mark in {@link InstanceMatches.matches}: it matched nothing, and counts. */
export const UNMATCHED = -1;
/** Mark in {@link InstanceMatches.matches}: it matched nothing, lies in an ignore region, and does not count. */
export const IGNORED = -2;

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

/** What may match what from some IoU on: found once, matched at any threshold above. */
export interface MatchCandidates {
  /** Pairs of the same label, prediction by row, their IoU as weight. */
  readonly pairs: WeightedPairs;
  /** Whether at least half of each prediction lies in an ignore region. */
  readonly inIgnore: readonly boolean[];
  readonly predictions: number;
  readonly truths: number;
}

/** The label each prediction counts under: its own, else the truth's where that has but one, else none. */
export function countedLabels<F extends Frame>(
  predictions: readonly PredictedBox<F>[],
  truth: TruthBoxes<F>,
): (string | undefined)[] {
  const first = truth.objects[0]?.label;
  const only = truth.objects.every(({ label }) => label === first) ? first : undefined;
  return predictions.map(({ label }) => label ?? only);
}

/** Pairs of the same label with IoU >= `from`. */
export function matchCandidates<F extends Frame>(
  predictions: readonly PredictedBox<F>[],
  truth: TruthBoxes<F>,
  from = 0.5,
): MatchCandidates {
  const labels = countedLabels(predictions, truth);
  return {
    pairs: overlappingPairs(
      predictions.map(({ box }) => box),
      truth.objects.map(({ box }) => box),
      from,
      (row, column) => labels[row] === truth.objects[column]!.label,
    ),
    inIgnore: predictions.map(({ box }) =>
      truth.ignore.some((region) => intersectionArea(box, region) >= boxArea(box) / 2),
    ),
    predictions: predictions.length,
    truths: truth.objects.length,
  };
}

/** The one-to-one matching of candidates at a threshold, no lower than the one they were found from. */
export function matchFrom(candidates: MatchCandidates, iouThreshold: number): InstanceMatches {
  const { inIgnore, predictions, truths } = candidates;
  const { rows, columns, weights } = pairsFrom(candidates.pairs, iouThreshold);
  const worth = weights.map((iou, k) => iou + PAIR_BONUS + (inIgnore[rows[k]!] === true ? 0 : OUTSIDE_BONUS));
  const matched = maximumWeightMatching(predictions, truths, { rows, columns, weights: worth });
  const matches = Array.from(matched, (match, index) => {
    if (match >= 0) return match;
    return inIgnore[index] === true ? IGNORED : UNMATCHED;
  });
  return {
    matches,
    truePositives: matches.filter((match) => match >= 0).length,
    predictions: matches.filter((match) => match !== IGNORED).length,
    truths,
  };
}

function pairsFrom(pairs: WeightedPairs, threshold: number): WeightedPairs {
  if (pairs.weights.every((iou) => iou >= threshold)) return pairs;
  const kept = pairs.weights.flatMap((iou, k) => (iou >= threshold ? [k] : []));
  return {
    rows: kept.map((k) => pairs.rows[k]!),
    columns: kept.map((k) => pairs.columns[k]!),
    weights: kept.map((k) => pairs.weights[k]!),
  };
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
  return matchFrom(matchCandidates(predictions, truth, iouThreshold), iouThreshold);
}

/** One response with what is there and who matched whom: what localisation, kinds of errors and slices are made from. */
export interface MatchedBoxes<F extends Frame = Frame> {
  readonly predictions: readonly PredictedBox<F>[];
  readonly truth: TruthBoxes<F>;
  /** As {@link InstanceMatches.matches}. */
  readonly matches: readonly number[];
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
