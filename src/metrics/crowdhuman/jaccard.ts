/** @file CrowdHuman's Jaccard index: the best, over score thresholds, of the mean share of agreement of an image. */
import { maximumWeightMatching } from "../../geometry/assignment.js";
import {
  clipCorners,
  coveredShare,
  crowdHumanEpsilon,
  crowdHumanIou,
  toolkitIou,
  type CrowdHumanImage,
} from "./match.js";

/** What one score threshold gives. */
export interface JaccardAt {
  /** Detections must score more than this. */
  readonly threshold: number;
  /** Mean of k / (m + n - k) over images in which something counts; null where there is none. */
  readonly meanRatio: number | null;
  /** Matched pairs, k summed. */
  readonly matched: number;
  /** Detections that count, n summed. */
  readonly detections: number;
  /** Truths that count, m summed. */
  readonly truths: number;
}

/** The index and how it came about. */
export interface CrowdHumanJaccard {
  /** The greatest mean ratio, in [0, 1]; null where no image has anything. */
  readonly ji: number | null;
  readonly at: readonly JaccardAt[];
}

/** 0, 0.1 .. 0.9, as the toolkit multiplies them. */
export const jaccardThresholds: readonly number[] = Array.from({ length: 10 }, (_, i) => 0.1 * i);

interface Prepared {
  readonly scores: Float64Array;
  readonly truths: number;
  /** Pairs above the IoU threshold: detection, truth, IoU. */
  readonly rows: number[];
  readonly columns: number[];
  readonly weights: number[];
  /** Whether more than half of it lies in an ignore region. */
  readonly detectionInRegion: readonly boolean[];
  readonly truthInRegion: readonly boolean[];
}

function prepare(image: CrowdHumanImage): Prepared {
  const boxes = clipCorners(image.truths.corners, image.size);
  const found = clipCorners(image.detections.corners, image.size);
  const positives: number[] = [];
  const regions: number[] = [];
  image.ignore.forEach((flag, g) => (flag === 1 ? regions : positives).push(g));
  const prepared = { rows: [] as number[], columns: [] as number[], weights: [] as number[] };
  const { scores } = image.detections;
  for (let d = 0; d < scores.length; d++) {
    positives.forEach((g, column) => {
      const iou = toolkitIou(found, d, boxes, g);
      if (!(iou > crowdHumanIou)) return;
      prepared.rows.push(d);
      prepared.columns.push(column);
      prepared.weights.push(iou);
    });
  }
  const inRegion = (corners: Float64Array, i: number) =>
    regions.some((g) => coveredShare(corners, i, boxes, g) > crowdHumanIou);
  return {
    ...prepared,
    scores,
    truths: positives.length,
    detectionInRegion: Array.from(scores, (_, d) => inRegion(found, d)),
    truthInRegion: positives.map((g) => inRegion(boxes, g)),
  };
}

/** One image at one threshold: pairs, detections and truths that count. */
function countAt(image: Prepared, threshold: number): { k: number; m: number; n: number } {
  const { scores, rows, columns, weights } = image;
  // Detections that are left out keep their row, with pairs of no weight: those never match.
  const left = weights.map((weight, p) => (scores[rows[p]!]! > threshold ? weight : 0));
  const matched = maximumWeightMatching(scores.length, image.truths, { rows, columns, weights: left });
  const truthTaken = new Uint8Array(image.truths);
  let [k, n] = [0, 0];
  for (let d = 0; d < scores.length; d++) {
    if (!(scores[d]! > threshold)) continue;
    if (matched[d]! >= 0) {
      truthTaken[matched[d]!] = 1;
      k++;
      n++;
    } else if (!image.detectionInRegion[d]!) n++;
  }
  let m = 0;
  for (let g = 0; g < image.truths; g++) if (truthTaken[g] === 1 || !image.truthInRegion[g]!) m++;
  return { k, m, n };
}

/**
 * The Jaccard index. In each image detections and truths are matched one to one by greatest summed IoU over pairs above
 * 0.5 (exactly, not greedily); unmatched ones over half inside one ignore region drop out; the image's share is
 * k / (m + n - k). Images without anything left leave the mean.
 */
export function crowdHumanJaccard(images: readonly CrowdHumanImage[]): CrowdHumanJaccard {
  const prepared = images.map(prepare);
  const at = jaccardThresholds.map((threshold): JaccardAt => {
    let [sum, counted, matched, detections, truths] = [0, 0, 0, 0, 0];
    for (const image of prepared) {
      const { k, m, n } = countAt(image, threshold);
      sum += k / (m + n - k + crowdHumanEpsilon);
      if (m !== 0 || n !== 0) counted++;
      matched += k;
      detections += n;
      truths += m;
    }
    return { threshold, meanRatio: counted === 0 ? null : sum / counted, matched, detections, truths };
  });
  const ratios = at.map(({ meanRatio }) => meanRatio).filter((ratio) => ratio !== null);
  return { ji: ratios.length === 0 ? null : Math.max(...ratios), at };
}
