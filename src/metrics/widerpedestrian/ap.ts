/**
 * @file WIDER Pedestrian's mAP, the mean AP over IoU .5:.05:.95, with the rule of its devkit for ignored areas (2019; the
 * devkit of 2018 measures the overlap with them otherwise).
 */
import { detectionCurve, vocAp, type DetectionCurve } from "../curves.js";
import { cornerArea, type PlainBoxes, type PlainDetections } from "../plain.js";
import { descendingOrder, hasMixedTies, orderBounds, type Ranked, type OrderBounds } from "../ranking.js";

/** One image of WIDER Pedestrian. Corners are x, y, x + width, y + height. */
export interface WiderImage {
  readonly truths: PlainBoxes;
  readonly ignored: PlainBoxes;
  readonly detections: PlainDetections;
}

/** Options of {@link widerPedestrianAp}. */
export interface WiderOptions {
  /**
   * Which devkit's overlap with ignored areas: 2019 adds a pixel to the sides of what is shared, 2018 does not. Both
   * divide by the box's plain area, and drop the box above one half; both add a pixel in the IoU.
   * @default 2019
   */
  readonly year?: 2018 | 2019;
  /** IoU above which (not at which) a pair matches. @default .5:.05:.95 as numpy.arange makes them */
  readonly thresholds?: readonly number[];
}

/** numpy.arange(0.5, 1, 0.05): steps of 0.55 - 0.5 as doubles have it. */
export const widerThresholds: readonly number[] = Array.from(
  { length: 10 },
  (_, i) => 0.5 + i * (0.5 + 0.05 - 0.5),
);

/** What the devkit starts the sum of overlaps with, so that touching is not overlapping. */
const OVERLAP_START = -0.01;

/** Whether ignored areas, overlaps added, cover over half of box i. */
function isIgnored(corners: Float64Array, i: number, ignored: Float64Array, pixel: 0 | 1): boolean {
  const p = 4 * i;
  let overlap = OVERLAP_START;
  for (let q = 0; q < ignored.length; q += 4) {
    const width = Math.min(ignored[q + 2]!, corners[p + 2]!) - Math.max(ignored[q]!, corners[p]!);
    const height = Math.min(ignored[q + 3]!, corners[p + 3]!) - Math.max(ignored[q + 1]!, corners[p + 1]!);
    if (width > 0 && height > 0) overlap += (width + pixel) * (height + pixel);
  }
  const area = cornerArea(corners, i);
  return area > 0 && overlap / area > 0.5;
}

/** IoU of boxes whose sides count one pixel more than their difference. */
function pixelIou(a: Float64Array, i: number, b: Float64Array, j: number): number {
  const p = 4 * i;
  const q = 4 * j;
  const width = Math.max(Math.min(a[p + 2]!, b[q + 2]!) - Math.max(a[p]!, b[q]!) + 1, 0);
  const height = Math.max(Math.min(a[p + 3]!, b[q + 3]!) - Math.max(a[p + 1]!, b[q + 1]!) + 1, 0);
  const shared = width * height;
  const areaA = (a[p + 2]! - a[p]! + 1) * (a[p + 3]! - a[p + 1]! + 1);
  const areaB = (b[q + 2]! - b[q]! + 1) * (b[q + 3]! - b[q + 1]! + 1);
  return shared / (areaA + areaB - shared);
}

/** A detection's best truth: the devkit never looks at the second best, even where the best is taken. */
export interface WiderBest {
  readonly score: number;
  /** Truth, numbered over all images; -1 = none. */
  readonly truth: number;
  readonly iou: number;
}

/**
 * Each detection's best truth, and how many truths count.
 * @param firstTruth Number of the image's first truth that counts. @param pixel Added to the sides of overlaps with ignored areas.
 */
export function widerBest(
  image: WiderImage,
  firstTruth: number,
  pixel: 0 | 1,
): { best: WiderBest[]; truths: number } {
  const kept: number[] = [];
  for (let g = 0; g < image.truths.areas.length; g++)
    if (!isIgnored(image.truths.corners, g, image.ignored.corners, pixel)) kept.push(g);
  const best: WiderBest[] = [];
  const { corners, scores } = image.detections;
  for (let d = 0; d < scores.length; d++) {
    if (isIgnored(corners, d, image.ignored.corners, pixel)) continue;
    let [truth, iou] = [-1, -Infinity];
    kept.forEach((g, index) => {
      const value = pixelIou(corners, d, image.truths.corners, g);
      if (value > iou) [truth, iou] = [firstTruth + index, value];
    });
    best.push({ score: scores[d]!, truth, iou });
  }
  return { best, truths: kept.length };
}

/** WIDER Pedestrian's number. */
export interface WiderAp {
  /** Mean over thresholds, in [0, 1]; null without truths. */
  readonly map: number | null;
  readonly perThreshold: readonly { readonly threshold: number; readonly ap: number | null }[];
  /** Truths and detections outside ignored areas. */
  readonly positives: number;
  readonly scored: number;
  /** Over the orders of equal scores, each threshold by itself, matches left as they are. */
  readonly bounds: OrderBounds;
  readonly hasTies: boolean;
  /** At the first threshold. */
  readonly curve: DetectionCurve | null;
}

/** Mean AP over images, in the devkit's order: by name. */
export function widerPedestrianAp(images: readonly WiderImage[], options: WiderOptions = {}): WiderAp {
  const { year = 2019, thresholds = widerThresholds } = options;
  const pixel = year === 2019 ? 1 : 0;
  const all: WiderBest[] = [];
  let positives = 0;
  for (const image of images) {
    const { best, truths } = widerBest(image, positives, pixel);
    for (const one of best) all.push(one);
    positives += truths;
  }
  const order = descendingOrder(Float64Array.from(all, ({ score }) => score));
  const scores = Float64Array.from(order, (index) => all[index]!.score);
  const rankings = thresholds.map((threshold): Ranked => {
    const taken = new Uint8Array(positives);
    const hits = Uint8Array.from(order, (index) => {
      const { truth, iou } = all[index]!;
      if (!(iou > threshold) || taken[truth] === 1) return 0;
      taken[truth] = 1;
      return 1;
    });
    return { scores, hits };
  });
  const mean = (of: (ranked: Ranked) => number | null): number | null =>
    positives === 0 ? null : rankings.reduce((sum, ranked) => sum + of(ranked)!, 0) / rankings.length;
  const ap = (hits: Uint8Array) => vocAp(hits, positives);
  return {
    map: mean(({ hits }) => ap(hits)),
    perThreshold: thresholds.map((threshold, t) => ({ threshold, ap: ap(rankings[t]!.hits) })),
    positives,
    scored: scores.length,
    bounds: {
      low: mean((ranked) => orderBounds(ranked, ap).low),
      high: mean((ranked) => orderBounds(ranked, ap).high),
    },
    hasTies: rankings.some(hasMixedTies),
    curve: positives === 0 ? null : detectionCurve(rankings[0]!, positives, images.length),
  };
}
