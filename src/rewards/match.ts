/**
 * @file Which answer box is which person: one-to-one matching with ground truth (design, 4.3).
 *
 * Maximises the summed IoU over pairs of the same label with IoU >= the threshold. Two ties of that sum are decided, because
 * the reward would otherwise hang on the order of the boxes: more pairs win, then more predictions that lie in no ignore
 * region are matched (those left over inside one cost nothing).
 */
import {
  intersectionArea,
  boxArea,
  maximumWeightMatching,
  overlappingPairs,
  type Box,
  type Frame,
  type WeightedPairs,
} from "../geometry/index.js";
import type { ParsedBox } from "../response/types.js";
import type { RewardTruth } from "./types.js";

/** Entry of `matches` for a prediction that hit nothing and lies in no ignore region: a false positive. */
export const UNMATCHED = -1;
/** Entry of `matches` for a prediction that hit nothing but lies in an ignore region: it does not count. */
export const IGNORED = -2;

/** Matching of one response's answer boxes. */
export interface AnswerMatch {
  /** By answer box: index of its ground truth, {@link UNMATCHED} or {@link IGNORED}. */
  readonly matches: Int32Array;
  /** By answer box: whether at least half of its area lies in one ignore region (matched or not). */
  readonly inIgnore: Uint8Array;
  readonly truePositives: number;
  /** Sum of the IoU of the matched pairs. */
  readonly iouSum: number;
  /** Predictions that count: all but the ignored. */
  readonly predictions: number;
  /** All pairs that may match, weighted by IoU and the tie-breaks. */
  readonly pairs: WeightedPairs;
  /** The IoU alone of each of `pairs`. */
  readonly ious: readonly number[];
}

// Far above the rounding of a sum of IoUs, far below any difference of IoUs that means something.
const PAIR_BONUS = 1e-9;
const OUTSIDE_BONUS = 1e-12;

/** Whether at least half of the box's own area lies within one of the regions. */
export function mostlyWithin<F extends Frame>(box: Box<F>, regions: readonly Box<F>[]): boolean {
  const area = boxArea(box);
  return regions.some((region) => intersectionArea(box, region) >= area / 2);
}

/**
 * The label a prediction counts under: its own; where it has none, the truth's, if the truth has but one.
 * With several labels a box without one could be any of them, so it is none.
 */
function labelsOf<F extends Frame>(
  boxes: readonly ParsedBox<F>[],
  truth: RewardTruth<F>,
): (string | undefined)[] {
  const first = truth.objects[0]?.label;
  const only = truth.objects.every((object) => object.label === first) ? first : undefined;
  return boxes.map((box) => box.label ?? only);
}

/** Matches answer boxes with the ground truth of the same frame. */
export function matchAnswer<F extends Frame>(
  truth: RewardTruth<F>,
  boxes: readonly ParsedBox<F>[],
  iouThreshold: number,
): AnswerMatch {
  const labels = labelsOf(boxes, truth);
  const inIgnore = Uint8Array.from(boxes, ({ box }) => (mostlyWithin(box, truth.ignore) ? 1 : 0));
  const found = overlappingPairs(
    boxes.map(({ box }) => box),
    truth.objects.map(({ box }) => box),
    iouThreshold,
    (row, column) => labels[row] === truth.objects[column]!.label,
  );
  const weights = found.weights.map(
    (value, k) => value + PAIR_BONUS + (inIgnore[found.rows[k]!] === 1 ? 0 : OUTSIDE_BONUS),
  );
  const pairs: WeightedPairs = { rows: found.rows, columns: found.columns, weights };
  const matches = maximumWeightMatching(boxes.length, truth.objects.length, pairs);
  return summarise(matches, inIgnore, pairs, found.weights);
}

function summarise(
  matches: Int32Array,
  inIgnore: Uint8Array,
  pairs: WeightedPairs,
  ious: readonly number[],
): AnswerMatch {
  let iouSum = 0;
  for (let k = 0; k < ious.length; k++) if (matches[pairs.rows[k]!] === pairs.columns[k]) iouSum += ious[k]!;
  let truePositives = 0;
  let predictions = 0;
  for (let i = 0; i < matches.length; i++) {
    if (matches[i]! >= 0) truePositives++;
    else if (inIgnore[i] === 1) matches[i] = IGNORED;
    if (matches[i] !== IGNORED) predictions++;
  }
  return { matches, inIgnore, truePositives, iouSum, predictions, pairs, ious };
}
