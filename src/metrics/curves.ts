/** @file Curves of a ranking: precision over recall, and miss rate over false positives per image. */
import type { Ranked } from "./ranking.js";

/** One point a detection, best first: what the numbers are if the score threshold stands there. */
export interface DetectionCurve {
  /** Share of positives found, rising. */
  readonly recall: Float64Array;
  readonly precision: Float64Array;
  /** False positives per image, rising. */
  readonly fppi: Float64Array;
  readonly scores: Float64Array;
}

/**
 * The curve of a ranking.
 * @param positives Truths that count, > 0. @param images Images that were evaluated, > 0.
 */
export function detectionCurve(ranked: Ranked, positives: number, images: number): DetectionCurve {
  const count = ranked.hits.length;
  const recall = new Float64Array(count);
  const precision = new Float64Array(count);
  const fppi = new Float64Array(count);
  let hits = 0;
  for (let k = 0; k < count; k++) {
    hits += ranked.hits[k]!;
    recall[k] = hits / positives;
    precision[k] = hits / (k + 1);
    fppi[k] = (k + 1 - hits) / images;
  }
  return { recall, precision, fppi, scores: ranked.scores };
}

/**
 * The nine reference points of the log-average miss rate, false positives per image: 10^-2 to 1 in steps of 10^0.25,
 * rounded as the Caltech, CrowdHuman and CityPersons tools write them.
 */
export const missRateReferences: readonly number[] = [
  0.01, 0.0178, 0.0316, 0.0562, 0.1, 0.1778, 0.3162, 0.5623, 1,
];

/** The geometric mean of miss rates; 0 where one of them is 0. */
export function logAverage(missRates: readonly number[]): number {
  return Math.exp(missRates.reduce((sum, rate) => sum + Math.log(rate), 0) / missRates.length);
}

/**
 * Average precision as PASCAL VOC 2010 has it: the area under the precision envelope over all recalls.
 * UAVDT's VOCap.m and WIDER Pedestrian's compute_ap are this.
 *
 * @param hits Best first, 1 = true positive, 0 = false positive.
 * @returns null without positives.
 */
export function vocAp(hits: Uint8Array, positives: number): number | null {
  if (positives === 0) return null;
  // Walking back from the end, the envelope at a hit is the best precision from there on.
  let found = 0;
  for (let k = 0; k < hits.length; k++) found += hits[k]!;
  let [area, envelope] = [0, 0];
  for (let k = hits.length - 1; k >= 0; k--) {
    envelope = Math.max(envelope, found / (k + 1));
    if (hits[k] === 0) continue;
    area += (found / positives - (found - 1) / positives) * envelope;
    found--;
  }
  return area;
}
