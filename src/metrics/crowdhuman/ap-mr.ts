/** @file CrowdHuman's AP and log-average miss rate (MR^-2), with bounds under ties. */
import { detectionCurve, logAverage, missRateReferences, type DetectionCurve } from "../curves.js";
import { rankOutcomes, orderBounds, type OrderBounds } from "../ranking.js";
import { matchCrowdHuman, type CrowdHumanImage } from "./match.js";

/** The toolkit's second set of references, 10^-4 to 1 (S. Zhang's), as it writes them. */
export const fineReferences: readonly number[] = [
  0.0001, 0.0003, 0.001, 0.0032, 0.01, 0.0316, 0.1, 0.3162, 1,
];

/**
 * Area under precision over recall by trapezoids between successive detections. It begins at the first detection, as
 * the toolkit's does: what lies left of it is not counted, so that n truths found without a miss give 1 - 1/n.
 * @returns null without positives.
 */
export function trapezoidAp(hits: Uint8Array, positives: number): number | null {
  if (positives === 0) return null;
  let area = 0;
  let found = 0;
  let before: { recall: number; precision: number } | undefined;
  for (let k = 0; k < hits.length; k++) {
    found += hits[k]!;
    const recall = found / positives;
    const precision = found / (k + 1);
    if (before !== undefined) area += (recall - before.recall) * ((before.precision + precision) / 2);
    before = { recall, precision };
  }
  return area;
}

/**
 * Log-average miss rate: at each reference the miss rate of the first detection with at least so many false positives per
 * image, or of the last where none has.
 * @returns null without positives; 1 without detections.
 */
export function crowdHumanMissRate(
  hits: Uint8Array,
  positives: number,
  images: number,
  references: readonly number[] = missRateReferences,
): number | null {
  if (positives === 0) return null;
  const rates: number[] = [];
  let found = 0;
  let last = 1;
  for (let k = 0; k < hits.length; k++) {
    found += hits[k]!;
    const fppi = (k + 1 - found) / images;
    last = 1 - found / positives;
    while (rates.length < references.length && fppi >= references[rates.length]!) rates.push(last);
  }
  while (rates.length < references.length) rates.push(last);
  return logAverage(rates);
}

/** CrowdHuman's numbers; null where there is no positive. */
export interface CrowdHumanApMr {
  /** In [0, 1 - 1/positives]. */
  readonly ap: number | null;
  /** Log-average over 10^-2 .. 1 false positives per image, in [0, 1]; lower is better. */
  readonly mr: number | null;
  /** The same over 10^-4 .. 1. */
  readonly mrFine: number | null;
  readonly images: number;
  readonly positives: number;
  readonly ignored: number;
  /** Detections that did not vanish in an ignore region. */
  readonly scored: number;
  readonly truePositives: number;
  /** Over the orders of equal scores, matches left as they are. */
  readonly bounds: { readonly ap: OrderBounds; readonly mr: OrderBounds };
  readonly curve: DetectionCurve | null;
}

/** AP and MR over images; every image counts, found in or not. */
export function crowdHumanApMr(images: readonly CrowdHumanImage[]): CrowdHumanApMr {
  const ranked = rankOutcomes(images.map(matchCrowdHuman));
  let [positives, ignored] = [0, 0];
  for (const { ignore } of images) {
    const here = ignore.reduce((sum, flag) => sum + flag, 0);
    ignored += here;
    positives += ignore.length - here;
  }
  const ap = (hits: Uint8Array) => trapezoidAp(hits, positives);
  const mr = (hits: Uint8Array) => crowdHumanMissRate(hits, positives, images.length);
  return {
    ap: ap(ranked.hits),
    mr: mr(ranked.hits),
    mrFine: crowdHumanMissRate(ranked.hits, positives, images.length, fineReferences),
    images: images.length,
    positives,
    ignored,
    scored: ranked.hits.length,
    truePositives: ranked.hits.reduce((sum, hit) => sum + hit, 0),
    bounds: { ap: orderBounds(ranked, ap), mr: orderBounds(ranked, mr) },
    curve: positives === 0 ? null : detectionCurve(ranked, positives, images.length),
  };
}
