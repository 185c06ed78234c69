/** @file COCO's greedy matching of one image and one label, at every IoU threshold and area range (as pycocotools' evaluateImg). */
import type { Box, Frame } from "../geometry/box.js";

/** One annotated instance. */
export interface CocoTruth<F extends Frame = Frame> {
  readonly box: Box<F>;
  readonly label: string;
  /** A region of many: matches any number of detections by the share of each that it covers, and none of them counts. @default false */
  readonly crowd?: boolean;
  /** Takes part in matching one to one, but neither it nor its detection counts. @default false */
  readonly ignore?: boolean;
  /** For the area ranges, square pixels. @default the box's area */
  readonly area?: number;
}

/** One detection. */
export interface ScoredBox<F extends Frame = Frame> {
  readonly box: Box<F>;
  readonly label: string;
  /** Any monotone confidence. */
  readonly score: number;
}

/** Areas that count, square pixels, both ends included. */
export interface AreaRange {
  readonly min: number;
  readonly max: number;
}

/** What became of each detection at one threshold. */
export const Outcome = { falsePositive: 0, truePositive: 1, ignored: 2 } as const;

/** Matches of one image. */
export interface CocoMatches {
  /** Of the detections, best first, at most maxDets of them. */
  readonly scores: readonly number[];
  /** One array an area range and threshold, `outcomes[area][threshold][detection]`. */
  readonly outcomes: readonly (readonly Uint8Array[])[];
  /** Truths that count, one number an area range. */
  readonly positives: readonly number[];
}

const areaOf = (box: Box): number => (box.x2 - box.x1) * (box.y2 - box.y1);

/** Intersection over union; over the detection's own area where the truth is a crowd (pycocotools' bbIou). */
function overlap(detection: Box, truth: CocoTruth): number {
  const width = Math.min(detection.x2, truth.box.x2) - Math.max(detection.x1, truth.box.x1);
  const height = Math.min(detection.y2, truth.box.y2) - Math.max(detection.y1, truth.box.y1);
  if (width <= 0 || height <= 0) return 0;
  const both = width * height;
  const own = areaOf(detection);
  return both / (truth.crowd === true ? own : own + areaOf(truth.box) - both);
}

/**
 * Matches each detection, best first, to the free truth it overlaps most; a truth that counts is preferred to an ignored
 * one, whatever the overlaps.
 *
 * @param thresholds IoU from which a pair may match.
 * @param maxDetections Only so many of the best detections are looked at.
 */
export function matchCoco(
  truths: readonly CocoTruth[],
  detections: readonly ScoredBox[],
  thresholds: readonly number[],
  areas: readonly AreaRange[],
  maxDetections: number,
): CocoMatches {
  const sorted = [...detections].sort((a, b) => b.score - a.score).slice(0, maxDetections);
  const lowest = Math.min(...thresholds, 1 - 1e-10);
  // Few truths overlap a detection enough to matter: only those are looked at again and again.
  const near = sorted.map(({ box }) => {
    const indices: number[] = [];
    const overlaps: number[] = [];
    truths.forEach((truth, index) => {
      const value = overlap(box, truth);
      if (value < lowest) return;
      indices.push(index);
      overlaps.push(value);
    });
    return { indices, overlaps };
  });
  const crowd = truths.map((truth) => truth.crowd === true);
  const detectionAreas = sorted.map(({ box }) => areaOf(box));
  const positives: number[] = [];
  const outcomes = areas.map((range) => {
    const outside = (area: number): boolean => area < range.min || area > range.max;
    const ignored = truths.map(
      (truth, index) => crowd[index]! || truth.ignore === true || outside(truth.area ?? areaOf(truth.box)),
    );
    positives.push(ignored.filter((flag) => !flag).length);
    return thresholds.map((threshold) => {
      const taken = new Uint8Array(truths.length);
      const outcome = new Uint8Array(sorted.length);
      for (let d = 0; d < sorted.length; d++) {
        const { indices, overlaps } = near[d]!;
        let match = -1;
        let bar = Math.min(threshold, 1 - 1e-10);
        for (let k = 0; k < indices.length; k++) {
          const index = indices[k]!;
          if (taken[index] === 1 && !crowd[index]!) continue;
          const value = overlaps[k]!;
          if (match >= 0 && ignored[match] !== ignored[index]) {
            // One that counts stands against any ignored one; an ignored one gives way to any that counts.
            if (ignored[index]! || value < Math.min(threshold, 1 - 1e-10)) continue;
          } else if (value < bar) continue;
          // Of equal overlaps the last wins, as in pycocotools.
          bar = value;
          match = index;
        }
        if (match >= 0) {
          taken[match] = 1;
          outcome[d] = ignored[match]! ? Outcome.ignored : Outcome.truePositive;
        } else {
          outcome[d] = outside(detectionAreas[d]!) ? Outcome.ignored : Outcome.falsePositive;
        }
      }
      return outcome;
    });
  });
  return { scores: sorted.map((detection) => detection.score), outcomes, positives };
}
