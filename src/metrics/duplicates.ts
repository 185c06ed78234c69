/**
 * @file What the false alarms are: duplicates of an object already found, boxes that lie badly, wrong labels, or nothing
 * there at all. The kinds are TIDE's (Bolya et al., 2020) with one-to-one matching, which makes a second box on one object
 * a false alarm by itself.
 */
import { overlappingPairs } from "../geometry/pairs.js";
import { countedLabels, UNMATCHED, type MatchedBoxes } from "./precision-recall.js";

/** Every prediction that counts is a true positive or of one of these kinds; the first that fits. */
export interface FalsePositives {
  /** Predictions that count (not those in ignore regions). */
  readonly predictions: number;
  /** IoU >= 0.5 with an object of its label, which another prediction matched. */
  readonly duplicates: number;
  /** IoU >= 0.5 with an object of another label. */
  readonly mislabelled: number;
  /** IoU from 0.1 up to 0.5 with an object of its label. */
  readonly displaced: number;
  /** Nothing there. */
  readonly background: number;
  /** Duplicates over predictions; 0 where there is no prediction. */
  readonly duplicateShare: number;
}

/** IoU from which a box is about an object, though too far off to match it. */
const NEAR_IOU = 0.1;

/**
 * Kinds of the false alarms of all responses, added.
 * @param threshold The IoU that `matches` asked for.
 */
export function falsePositives(responses: Iterable<MatchedBoxes>, threshold = 0.5): FalsePositives {
  let [predictions, duplicates, mislabelled, displaced, background] = [0, 0, 0, 0, 0];
  for (const { predictions: said, truth, matches } of responses) {
    predictions += matches.filter((match) => match >= UNMATCHED).length;
    const alarms = matches.flatMap((match, i) => (match === UNMATCHED ? [i] : []));
    if (alarms.length === 0) continue;
    const labels = countedLabels(said, truth);
    const own = new Float64Array(alarms.length);
    const other = new Float64Array(alarms.length);
    const pairs = overlappingPairs(
      alarms.map((i) => said[i]!.box),
      truth.objects.map(({ box }) => box),
      NEAR_IOU,
    );
    pairs.rows.forEach((row, k) => {
      const same = labels[alarms[row]!] === truth.objects[pairs.columns[k]!]!.label;
      const best = same ? own : other;
      best[row] = Math.max(best[row]!, pairs.weights[k]!);
    });
    for (let row = 0; row < alarms.length; row++) {
      if (own[row]! >= threshold) duplicates++;
      else if (other[row]! >= threshold) mislabelled++;
      else if (own[row]! > 0) displaced++;
      else background++;
    }
  }
  return {
    predictions,
    duplicates,
    mislabelled,
    displaced,
    background,
    duplicateShare: predictions === 0 ? 0 : duplicates / predictions,
  };
}
