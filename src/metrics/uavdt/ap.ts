/**
 * @file UAVDT's detection AP (CalculateDetectionPR_overall.m of its toolkit): vehicles of all classes as one, IoU 0.7,
 * detections inside ignored areas dropped.
 */
import { detectionCurve, vocAp, type DetectionCurve } from "../curves.js";
import { sharedArea, type PlainBoxes, type PlainDetections } from "../plain.js";
import { descendingOrder, rankOutcomes, orderBounds, type Outcomes, type OrderBounds } from "../ranking.js";

/** One frame of UAVDT. */
export interface UavdtImage {
  readonly truths: PlainBoxes;
  /** Ignored areas. */
  readonly ignored: PlainBoxes;
  readonly detections: PlainDetections;
}

/** Options of {@link uavdtAp}. */
export interface UavdtOptions {
  /** IoU from which a pair matches, that included. @default 0.7, as in the toolkit's evalRes.m */
  readonly iouThreshold?: number;
}

/** Whether all four edges of a detection lie strictly inside one ignored area. */
function isInside(corners: Float64Array, d: number, areas: Float64Array): boolean {
  for (let at = 0; at < areas.length; at += 4) {
    if (
      corners[4 * d]! > areas[at]! &&
      corners[4 * d + 1]! > areas[at + 1]! &&
      corners[4 * d + 2]! < areas[at + 2]! &&
      corners[4 * d + 3]! < areas[at + 3]!
    )
      return true;
  }
  return false;
}

/** Greedy matching, best first: the free truth of greatest IoU, of equal ones the last. */
export function matchUavdt({ truths, ignored, detections }: UavdtImage, threshold: number): Outcomes {
  const { corners, areas, scores } = detections;
  const count = truths.areas.length;
  const taken = new Uint8Array(count);
  const kept: number[] = [];
  const hits: number[] = [];
  for (const d of descendingOrder(scores)) {
    if (isInside(corners, d, ignored.corners)) continue;
    let best = threshold;
    let match = -1;
    for (let g = 0; g < count; g++) {
      if (taken[g] === 1) continue;
      const shared = sharedArea(corners, d, truths.corners, g);
      if (shared === 0) continue;
      const iou = shared / (areas[d]! + truths.areas[g]! - shared);
      if (iou < best) continue;
      best = iou;
      match = g;
    }
    if (match >= 0) taken[match] = 1;
    kept.push(scores[d]!);
    hits.push(match >= 0 ? 1 : 0);
  }
  return { scores: kept, hits };
}

/** UAVDT's number. */
export interface UavdtAp {
  /** In [0, 1]; the toolkit prints it times 100 with two digits. Null without truths. */
  readonly ap: number | null;
  readonly positives: number;
  /** Detections outside ignored areas. */
  readonly scored: number;
  readonly truePositives: number;
  readonly bounds: OrderBounds;
  readonly curve: DetectionCurve | null;
}

/** AP over frames, in the toolkit's order: sequence by sequence, frame by frame. */
export function uavdtAp(images: readonly UavdtImage[], options: UavdtOptions = {}): UavdtAp {
  const { iouThreshold = 0.7 } = options;
  const ranked = rankOutcomes(images.map((image) => matchUavdt(image, iouThreshold)));
  const positives = images.reduce((sum, { truths }) => sum + truths.areas.length, 0);
  const ap = (hits: Uint8Array) => vocAp(hits, positives);
  return {
    ap: ap(ranked.hits),
    positives,
    scored: ranked.hits.length,
    truePositives: ranked.hits.reduce((sum, hit) => sum + hit, 0),
    bounds: orderBounds(ranked, ap),
    curve: positives === 0 ? null : detectionCurve(ranked, positives, images.length),
  };
}
