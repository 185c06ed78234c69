/**
 * @file Credit by box (design, 4.5): what each answer box adds to its response's accuracy reward, standardised over all
 * boxes of the group. The trainer mixes it into the advantages of the tokens between the box's `start` and `end`.
 */
import { connectedParts, iou, matchPart, type Box, type Frame } from "../geometry/index.js";
import type { ParsedResponse } from "../response/types.js";
import { accuracyFromCounts, accuracyReward, type AccuracyConfig, type AccuracyResult } from "./accuracy.js";
import type { AnswerMatch } from "./match.js";
import type { RewardTruth } from "./types.js";

/** What one answer box is worth. */
export interface BoxCredit {
  /** r_acc of the response with this box less r_acc without it, in [-1, 1]. */
  readonly marginal: number;
  /**
   * (marginal - baseline) / sample standard deviation of that difference over all boxes of the group; 0 where they are
   * all worth the same.
   */
  readonly z: number;
}

/**
 * What a box's worth is compared with. `group`: the mean over all boxes of the group. `object`: the mean over the group's
 * boxes for the same ground-truth object, so that a hit on an easy object earns little, one on a hard object much, and
 * which of several tries at an object was the good one is told from which object it was; a box that is near no object is
 * compared with all.
 */
export type CreditBaseline = "group" | "object";

/** A box is a try at the object it overlaps most, from this IoU on. */
const NEAR = 0.1;

/** Below this the marginals differ by rounding alone. */
const MIN_STD = 1e-9;

/**
 * Credits of a group: `credits[i][k]` belongs to `responses[i].answer.boxes[k]`; a response without boxes has none.
 * Dropped boxes are in no list and get no credit.
 */
export function boxCredit<F extends Frame>(
  truth: RewardTruth<F>,
  responses: readonly ParsedResponse<F>[],
  config: AccuracyConfig,
  baseline: CreditBaseline = "group",
): BoxCredit[][] {
  const marginals = responses.map((response) =>
    marginalWorth(accuracyReward(truth, response, config), truth.objects.length, config),
  );
  const all = marginals.flat();
  const mean = meanOf(all);
  const baselines =
    baseline === "group"
      ? all.map(() => mean)
      : objectBaselines(
          responses.flatMap(({ answer }) =>
            (answer?.boxes ?? []).map(({ box }) => nearestObject(truth, box)),
          ),
          all,
          mean,
        );
  const standardized = standardizer(all.map((value, k) => value - baselines[k]!));
  let k = 0;
  return marginals.map((values) =>
    values.map((marginal) => ({ marginal, z: standardized(marginal - baselines[k++]!) })),
  );
}

/**
 * Divides by the sample standard deviation of `differences`, which their baselines have brought to a mean of about 0; gives 0
 * where they differ by rounding alone.
 */
export function standardizer(differences: readonly number[]): (difference: number) => number {
  const squares = differences.reduce((sum, value) => sum + value * value, 0);
  const std = differences.length > 1 ? Math.sqrt(squares / (differences.length - 1)) : 0;
  return (difference) => (std > MIN_STD ? difference / std : 0);
}

const meanOf = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Index of the object that the box is a try at: the one it overlaps most, -1 where none reaches an IoU of 0.1. */
export function nearestObject<F extends Frame>({ objects }: RewardTruth<F>, box: Box<F>): number {
  let best = -1;
  let most = NEAR;
  objects.forEach((object, index) => {
    const overlap = iou(box, object.box);
    if (overlap >= most) [best, most] = [index, overlap];
  });
  return best;
}

/** The mean worth of the boxes that are tries at the same object; `mean` for those that are tries at none. */
function objectBaselines(tries: readonly number[], worths: readonly number[], mean: number): number[] {
  const byObject = new Map<number, number[]>();
  tries.forEach((object, k) => {
    const own = byObject.get(object);
    if (own === undefined) byObject.set(object, [worths[k]!]);
    else own.push(worths[k]!);
  });
  const means = new Map([...byObject].map(([object, own]) => [object, object < 0 ? mean : meanOf(own)]));
  return tries.map((object) => means.get(object)!);
}

/**
 * r_acc less r_acc without the box, for each answer box of one response. Removing a box that is not matched leaves the best
 * matching as it is; removing a matched one can only change the connected part of the graph it is in, so that part alone is
 * matched again.
 */
export function marginalWorth(result: AccuracyResult, truths: number, config: AccuracyConfig): number[] {
  const { match, value } = result;
  const { matches, truePositives, predictions, iouSum, inIgnore } = match;
  const without = (tp: number, iou: number, n: number) =>
    value - accuracyFromCounts(config, config.soft ? iou : tp, n, truths).value;
  const marginals = Array.from(matches, (to, row) =>
    to >= 0 ? NaN : without(truePositives, iouSum, predictions - (inIgnore[row] === 1 ? 0 : 1)),
  );
  const scratch = new Int32Array(matches.length);
  for (const part of connectedParts(matches.length, truths, match.pairs)) {
    const rows = [...new Set(part.map((k) => match.pairs.rows[k]!))];
    const before = partCounts(match, part, rows, matches);
    for (const row of rows) {
      if (matches[row]! < 0) continue;
      const others = rows.filter((other) => other !== row);
      for (const other of others) scratch[other] = -1;
      const rest = part.filter((k) => match.pairs.rows[k] !== row);
      // Without the row the part may fall apart; matching it as one is still exact.
      if (rest.length > 0) matchPart(rest, match.pairs, scratch);
      const after = partCounts(match, rest, others, scratch);
      marginals[row] = without(
        truePositives + after.truePositives - before.truePositives,
        iouSum + after.iouSum - before.iouSum,
        predictions + after.predictions - before.predictions,
      );
    }
  }
  return marginals;
}

/** True positives, their summed IoU and the predictions that count, within one part of the graph. */
function partCounts(
  match: AnswerMatch,
  part: readonly number[],
  rows: readonly number[],
  matches: Int32Array,
) {
  let truePositives = 0;
  let predictions = 0;
  for (const row of rows) {
    if (matches[row]! >= 0) truePositives++;
    if (matches[row]! >= 0 || match.inIgnore[row] === 0) predictions++;
  }
  let iouSum = 0;
  for (const k of part)
    if (matches[match.pairs.rows[k]!] === match.pairs.columns[k]) iouSum += match.ious[k]!;
  return { truePositives, predictions, iouSum };
}
