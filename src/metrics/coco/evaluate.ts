/** @file COCO's average precision and recall of a table (pycocotools' accumulate and summarize), its bounds under ties, its curves. */
import { detectionCurve, type DetectionCurve } from "../curves.js";
import { descendingOrder, hasMixedTies, orderBounds, type Ranked, type OrderBounds } from "../ranking.js";
import { matchCocoTable, Outcome, type AreaRange } from "./match.js";
import type { CocoTable } from "./table.js";

/** COCO's IoU thresholds, .50:.05:.95, as numpy.linspace makes them. */
export const cocoThresholds: readonly number[] = Array.from({ length: 10 }, (_, i) =>
  i === 9 ? 0.95 : 0.5 + i * ((0.95 - 0.5) / 9),
);

/** COCO's area ranges: all, small (up to 32^2), medium, large (from 96^2 on). */
export const cocoAreas: readonly AreaRange[] = [
  { min: 0, max: 1e10 },
  { min: 0, max: 32 ** 2 },
  { min: 32 ** 2, max: 96 ** 2 },
  { min: 96 ** 2, max: 1e10 },
];

/** Names of the places in {@link cocoAreas}. */
export const CocoArea = { all: 0, small: 1, medium: 2, large: 3 } as const;

const recallPoints = Float64Array.from({ length: 101 }, (_, i) => (i === 100 ? 1 : i * 0.01));

/**
 * Mean precision over COCO's 101 recall points.
 * @param hits Best first, 1 = true positive, 0 = false positive. @param positives > 0.
 */
export function interpolatedAp(hits: Uint8Array, positives: number): number {
  // Recall rises only at a hit and precision only falls between hits: the points at hits are the whole curve.
  let found = 0;
  for (let k = 0; k < hits.length; k++) found += hits[k]!;
  const precisions = new Float64Array(found);
  let count = 0;
  for (let k = 0; k < hits.length; k++) {
    if (hits[k] !== 1) continue;
    count++;
    // pycocotools adds numpy.spacing(1) so that 0/0 cannot happen.
    precisions[count - 1] = count / (k + 1 + Number.EPSILON);
  }
  for (let i = found - 1; i > 0; i--) {
    if (precisions[i]! > precisions[i - 1]!) precisions[i - 1] = precisions[i]!;
  }
  let [sum, at] = [0, 0];
  for (const point of recallPoints) {
    while (at < found && (at + 1) / positives < point) at++;
    if (at === found) break;
    sum += precisions[at]!;
  }
  return sum / recallPoints.length;
}

/** What to average over; everything has a default as COCO's AP has it. */
export interface CocoQuery {
  /** Place in {@link cocoAreas}. @default all */
  readonly area?: number;
  /** Place in the thresholds. @default the mean over all of them */
  readonly threshold?: number;
  /** Best detections of each image and label. @default the greatest number kept */
  readonly maxDetections?: number;
}

/** A matched set that answers questions. Numbers are means over labels that have truths; null where none has. */
export interface CocoEvaluation {
  /** Truths that count, all areas. */
  readonly positives: number;
  precision(query?: CocoQuery): number | null;
  recall(query?: CocoQuery): number | null;
  /** Bounds of {@link CocoEvaluation.precision} over the orders of equal scores, each threshold and label by itself. */
  precisionBounds(query?: CocoQuery): OrderBounds;
  /** Whether equal scores hold hits and misses at any threshold, all areas. */
  hasTies(): boolean;
  /** All labels pooled, at one threshold. */
  curve(threshold: number, maxDetections?: number): DetectionCurve | null;
}

/** Options of {@link evaluateCoco}. */
export interface CocoEvaluationOptions {
  /** Best detections of each image and label that are kept. COCO's own 100 cuts crowds short. @default 500 */
  readonly maxDetections?: number;
  /** @default COCO's ten */
  readonly thresholds?: readonly number[];
}

/** Matches a table; the numbers are computed as they are asked for. */
export function evaluateCoco(table: CocoTable, options: CocoEvaluationOptions = {}): CocoEvaluation {
  const { maxDetections = 500, thresholds = cocoThresholds } = options;
  const { starts, scores, ranks, outcomes, positives } = matchCocoTable(
    table,
    thresholds,
    cocoAreas,
    maxDetections,
  );
  const labels = Array.from({ length: table.labels }, (_, label) => label);
  const span = (label: number) =>
    [starts[label * table.images]!, starts[(label + 1) * table.images]!] as const;
  const positivesOf = (label: number, area: number): number => {
    let sum = 0;
    for (let g = label * table.images; g < (label + 1) * table.images; g++) sum += positives[area]![g]!;
    return sum;
  };
  const orders = new Map<number, Int32Array>();
  const orderOf = (label: number): Int32Array => {
    let order = orders.get(label);
    if (order === undefined) orders.set(label, (order = descendingOrder(scores.subarray(...span(label)))));
    return order;
  };
  const rankedOf = (
    label: number,
    area: number,
    threshold: number,
    limit: number,
    withScores: boolean,
  ): Ranked => {
    const [from] = span(label);
    const order = orderOf(label);
    const outcome = outcomes[area]![threshold]!;
    const hits = new Uint8Array(order.length);
    const kept = new Float64Array(withScores ? order.length : 0);
    let count = 0;
    for (let k = 0; k < order.length; k++) {
      const index = from + order[k]!;
      if (outcome[index] === Outcome.ignored || ranks[index]! >= limit) continue;
      if (withScores) kept[count] = scores[index]!;
      hits[count++] = outcome[index]!;
    }
    return { scores: kept.subarray(0, withScores ? count : 0), hits: hits.subarray(0, count) };
  };
  const average = (
    query: CocoQuery,
    value: (label: number, area: number, threshold: number, limit: number, positives: number) => number,
  ): number | null => {
    const { area = CocoArea.all, maxDetections: limit = maxDetections } = query;
    let [sum, count] = [0, 0];
    for (const label of labels) {
      const counted = positivesOf(label, area);
      if (counted === 0) continue;
      for (let t = 0; t < thresholds.length; t++) {
        if (query.threshold !== undefined && query.threshold !== t) continue;
        sum += value(label, area, t, limit, counted);
        count++;
      }
    }
    return count === 0 ? null : sum / count;
  };
  return {
    positives: labels.reduce((sum, label) => sum + positivesOf(label, CocoArea.all), 0),
    precision: (query = {}) =>
      average(query, (label, area, t, limit, counted) =>
        interpolatedAp(rankedOf(label, area, t, limit, false).hits, counted),
      ),
    recall: (query = {}) =>
      average(query, (label, area, t, limit, counted) => {
        const [from, to] = span(label);
        const outcome = outcomes[area]![t]!;
        let hits = 0;
        for (let k = from; k < to; k++) if (outcome[k] === Outcome.truePositive && ranks[k]! < limit) hits++;
        return hits / counted;
      }),
    precisionBounds: (query = {}) => {
      const at = (which: "low" | "high") =>
        average(
          query,
          (label, area, t, limit, counted) =>
            orderBounds(rankedOf(label, area, t, limit, true), (hits) => interpolatedAp(hits, counted))[
              which
            ]!,
        );
      return { low: at("low"), high: at("high") };
    },
    hasTies: () =>
      labels.some((label) =>
        thresholds.some((_, t) => hasMixedTies(rankedOf(label, CocoArea.all, t, maxDetections, true))),
      ),
    curve: (threshold, limit = maxDetections) => {
      const counted = labels.reduce((sum, label) => sum + positivesOf(label, CocoArea.all), 0);
      if (counted === 0) return null;
      const pooled: number[] = [];
      const outcome = outcomes[CocoArea.all]![threshold]!;
      for (let k = 0; k < outcome.length; k++)
        if (outcome[k] !== Outcome.ignored && ranks[k]! < limit) pooled.push(k);
      const order = descendingOrder(Float64Array.from(pooled, (k) => scores[k]!));
      const ranked = {
        scores: Float64Array.from(order, (i) => scores[pooled[i]!]!),
        hits: Uint8Array.from(order, (i) => outcome[pooled[i]!]!),
      };
      return detectionCurve(ranked, counted, table.images);
    },
  };
}
