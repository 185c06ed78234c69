/**
 * @file CityPersons' log-average miss rates at Reasonable, small, heavy and All (eval_MR_multisetup of
 * cvgroup-njust/CityPersons), its quirk included, with bounds under ties.
 */
import { detectionCurve, logAverage, missRateReferences, type DetectionCurve } from "../curves.js";
import { sharedArea, type PlainBoxes, type PlainDetections } from "../plain.js";
import { descendingOrder, rankOutcomes, orderBounds, type Outcomes, type OrderBounds } from "../ranking.js";

/** One image of CityPersons. */
export interface CityPersonsImage {
  readonly truths: PlainBoxes;
  /** [truths]: 1 = ignored in every subset (riders, sitting persons, groups, ignore regions). */
  readonly ignore: Uint8Array;
  /** [truths], pixels: of the whole body. */
  readonly heights: Float64Array;
  /** [truths]: visible share, 0..1. */
  readonly visibility: Float64Array;
  readonly detections: PlainDetections;
  /** [detections], pixels, as given: y2 - y1 may be off by a rounding. @default y2 - y1 */
  readonly detectionHeights?: Float64Array;
}

/** Which truths a number is about; both ranges hold their ends. */
export interface CityPersonsSubset {
  readonly name: string;
  /** The evaluator's own label. */
  readonly officialName: string;
  readonly height: readonly [min: number, max: number];
  readonly visibility: readonly [min: number, max: number];
}

const UNBOUNDED = 1e10;

/** The evaluator's four. */
export const cityPersonsSubsets: readonly CityPersonsSubset[] = [
  { name: "Reasonable", officialName: "Reasonable", height: [50, UNBOUNDED], visibility: [0.65, UNBOUNDED] },
  { name: "small", officialName: "Reasonable_small", height: [50, 75], visibility: [0.65, UNBOUNDED] },
  { name: "heavy", officialName: "Reasonable_occ=heavy", height: [50, UNBOUNDED], visibility: [0.2, 0.65] },
  { name: "All", officialName: "All", height: [20, UNBOUNDED], visibility: [0.2, UNBOUNDED] },
];

/** Options of {@link cityPersonsMissRates}. */
export interface CityPersonsOptions {
  /**
   * What the recall is at a reference below the first detection's false positives per image. The evaluator's index is
   * then -1, which in Python is the LAST recall: one more false positive at the top lowers the miss rate (`official`).
   * `corrected` takes 0, as nothing has been found by then.
   * @default "official"
   */
  readonly beforeFirst?: "official" | "corrected";
  /** Best detections of an image that are looked at. @default 1000 */
  readonly maxDetections?: number;
  /** @default all four */
  readonly subsets?: readonly CityPersonsSubset[];
}

/** IoU, or share of a detection inside an ignored box, from which a pair matches. */
const THRESHOLD = 0.5;

/** Detections may be smaller or taller than the subset's heights by this factor. */
const HEIGHT_MARGIN = 1.25;

function isIgnored(image: CityPersonsImage, subset: CityPersonsSubset, g: number): boolean {
  const height = image.heights[g]!;
  const visible = image.visibility[g]!;
  return (
    image.ignore[g] === 1 ||
    height < subset.height[0] ||
    height > subset.height[1] ||
    visible < subset.visibility[0] ||
    visible > subset.visibility[1]
  );
}

/**
 * Matches one image for one subset; also how many truths count.
 * @param order Detections, best first, as many as are looked at.
 */
export function matchSubset(
  image: CityPersonsImage,
  order: Int32Array,
  subset: CityPersonsSubset,
): Outcomes & { readonly positives: number } {
  const truths = image.ignore.length;
  const ignored = new Uint8Array(truths);
  let positives = 0;
  for (let g = 0; g < truths; g++) {
    if (isIgnored(image, subset, g)) ignored[g] = 1;
    else positives++;
  }
  const { corners, areas, scores } = image.detections;
  const taken = new Uint8Array(truths);
  const kept: number[] = [];
  const hits: number[] = [];
  for (const d of order) {
    const height = image.detectionHeights?.[d] ?? corners[4 * d + 3]! - corners[4 * d + 1]!;
    if (height < subset.height[0] / HEIGHT_MARGIN || height >= subset.height[1] * HEIGHT_MARGIN) continue;
    let match = -1;
    let best = THRESHOLD;
    let inIgnored = false;
    for (let g = 0; g < truths; g++) {
      if (taken[g] === 1) continue;
      const shared = sharedArea(corners, d, image.truths.corners, g);
      if (shared === 0) continue;
      if (ignored[g] === 1) inIgnored ||= shared / areas[d]! >= THRESHOLD;
      else {
        // Of equal overlaps the last truth wins, as in the evaluator.
        const iou = shared / (areas[d]! + image.truths.areas[g]! - shared);
        if (iou >= best) {
          best = iou;
          match = g;
        }
      }
    }
    if (match >= 0) taken[match] = 1;
    else if (inIgnored) continue;
    kept.push(scores[d]!);
    hits.push(match >= 0 ? 1 : 0);
  }
  return { scores: kept, hits, positives };
}

/**
 * Recall at each of the nine references: after the last detection whose false positives per image do not exceed it.
 * @param hits Best first, 1 = true positive, 0 = false positive. @param positives > 0.
 */
export function recallAtReferences(
  hits: Uint8Array,
  positives: number,
  images: number,
  beforeFirst: "official" | "corrected",
): number[] {
  const recalls: number[] = [];
  let found = 0;
  for (let k = 0; k < hits.length; k++) found += hits[k]!;
  const last = found / positives;
  let reached = 0;
  let count = 0;
  for (const reference of missRateReferences) {
    while (count < hits.length && (count + 1 - (reached + hits[count]!)) / images <= reference)
      reached += hits[count++]!;
    recalls.push(count > 0 ? reached / positives : beforeFirst === "official" ? last : 0);
  }
  return recalls;
}

/** A subset's number. */
export interface CityPersonsMissRate {
  readonly subset: CityPersonsSubset;
  /** exp(mean(log(1 - recall))) over nine references, in [0, 1], lower is better; null where no truth counts. */
  readonly mr: number | null;
  readonly recalls: readonly number[];
  readonly positives: number;
  /** Whether the quirk of `beforeFirst` is at work, however it is set. */
  readonly startsWithMiss: boolean;
  /** Over the orders of equal scores, matches left as they are. */
  readonly bounds: OrderBounds;
  readonly curve: DetectionCurve | null;
}

/** Miss rates over images; every image counts, found in or not. */
export function cityPersonsMissRates(
  images: readonly CityPersonsImage[],
  options: CityPersonsOptions = {},
): CityPersonsMissRate[] {
  const { beforeFirst = "official", maxDetections = 1000, subsets = cityPersonsSubsets } = options;
  const orders = images.map(({ detections }) =>
    descendingOrder(detections.scores).subarray(0, maxDetections),
  );
  return subsets.map((subset) => {
    const matched = images.map((image, i) => matchSubset(image, orders[i]!, subset));
    const positives = matched.reduce((sum, image) => sum + image.positives, 0);
    const ranked = rankOutcomes(matched);
    if (positives === 0) {
      const bounds = { low: null, high: null };
      return { subset, mr: null, recalls: [], positives, startsWithMiss: false, bounds, curve: null };
    }
    const recallsOf = (hits: Uint8Array) => recallAtReferences(hits, positives, images.length, beforeFirst);
    const missRate = (hits: Uint8Array) => logAverage(recallsOf(hits).map((recall) => 1 - recall));
    return {
      subset,
      mr: missRate(ranked.hits),
      recalls: recallsOf(ranked.hits),
      positives,
      startsWithMiss: ranked.hits[0] === 0 && 1 / images.length > missRateReferences[0]!,
      bounds: orderBounds(ranked, missRate),
      curve: detectionCurve(ranked, positives, images.length),
    };
  });
}
