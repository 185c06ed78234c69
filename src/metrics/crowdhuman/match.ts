/**
 * @file CrowdHuman's greedy matching of one image (the Caltech rule of CrowdHuman's APMRToolkits): what AP and MR rank.
 * Source: the CrowdHuman toolkit as CrowdDet and mmdetection ship it; both give the same numbers.
 */
import { cornerArea, sharedArea, type PlainBoxes, type PlainDetections } from "../plain.js";
import { descendingOrder, type Outcomes } from "../ranking.js";

/** One image of CrowdHuman. Boxes are as annotated: they may leave the picture. */
export interface CrowdHumanImage {
  readonly truths: PlainBoxes;
  /** [truths]: 1 = an ignore region or a person to ignore. */
  readonly ignore: Uint8Array;
  readonly detections: PlainDetections;
  /** The picture's size in pixels, to which boxes are clipped; without one nothing is clipped. */
  readonly size?: { readonly width: number; readonly height: number };
}

/** In every denominator of the toolkit. */
export const crowdHumanEpsilon = 1e-6;

/** IoU, and share of a detection, above which (not at which) a pair matches. */
export const crowdHumanIou = 0.5;

/**
 * Corners clipped as the toolkit does: x1 to [0, width - 1], y1 to [0, height - 1], x2 to [0, width], y2 to [0, height].
 * A box beside the picture becomes one pixel at its edge or nothing, never inside out.
 */
export function clipCorners(corners: Float64Array, size: CrowdHumanImage["size"]): Float64Array {
  if (size === undefined) return corners;
  const { width, height } = size;
  const out = new Float64Array(corners.length);
  for (let i = 0; i < corners.length; i += 4) {
    out[i] = Math.min(Math.max(corners[i]!, 0), width - 1);
    out[i + 1] = Math.min(Math.max(corners[i + 1]!, 0), height - 1);
    out[i + 2] = Math.max(Math.min(corners[i + 2]!, width), 0);
    out[i + 3] = Math.max(Math.min(corners[i + 3]!, height), 0);
  }
  return out;
}

/** Share of box i of `a` that lies in box j of `b`. */
export function coveredShare(a: Float64Array, i: number, b: Float64Array, j: number): number {
  return sharedArea(a, i, b, j) / (cornerArea(a, i) + crowdHumanEpsilon);
}

/** IoU with the toolkit's epsilon. */
export function toolkitIou(a: Float64Array, i: number, b: Float64Array, j: number): number {
  const shared = sharedArea(a, i, b, j);
  return shared === 0 ? 0 : shared / (cornerArea(a, i) + cornerArea(b, j) - shared + crowdHumanEpsilon);
}

/**
 * Matches the detections, best first: each takes the free truth it overlaps most, above 0.5 IoU (of equal overlaps the
 * first); where there is none and over half of it lies in an ignore region, it vanishes. Regions take any number.
 */
export function matchCrowdHuman(image: CrowdHumanImage): Outcomes {
  const boxes = clipCorners(image.truths.corners, image.size);
  const found = clipCorners(image.detections.corners, image.size);
  const truths = image.ignore.length;
  const taken = new Uint8Array(truths);
  const scores: number[] = [];
  const hits: number[] = [];
  for (const d of descendingOrder(image.detections.scores)) {
    let match = -1;
    let best = crowdHumanIou;
    for (let g = 0; g < truths; g++) {
      if (image.ignore[g] === 1 || taken[g] === 1) continue;
      const overlap = toolkitIou(found, d, boxes, g);
      if (overlap > best) {
        best = overlap;
        match = g;
      }
    }
    if (match >= 0) taken[match] = 1;
    else {
      let inRegion = false;
      for (let g = 0; g < truths && !inRegion; g++)
        inRegion = image.ignore[g] === 1 && coveredShare(found, d, boxes, g) > crowdHumanIou;
      if (inRegion) continue;
    }
    scores.push(image.detections.scores[d]!);
    hits.push(match >= 0 ? 1 : 0);
  }
  return { scores, hits };
}
