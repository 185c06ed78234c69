/** @file COCO's matching of one image and one label, for boxes in memory; the matching itself is in coco/match.ts. */
import { matchCocoTable, type AreaRange } from "./coco/match.js";
import { tableOfImages, type CocoTruth, type ScoredBox } from "./coco/objects.js";

export { Outcome, type AreaRange } from "./coco/match.js";
export type { CocoTruth, ScoredBox } from "./coco/objects.js";

/** Matches of one image. */
export interface CocoMatches {
  /** Of the detections, best first, at most maxDets of them. */
  readonly scores: readonly number[];
  /** One array an area range and threshold, `outcomes[area][threshold][detection]`. */
  readonly outcomes: readonly (readonly Uint8Array[])[];
  /** Truths that count, one number an area range. */
  readonly positives: readonly number[];
}

/**
 * Matches each detection, best first, to the free truth it overlaps most; a truth that counts is preferred to an ignored
 * one, whatever the overlaps. Labels are not looked at: hand over those of one.
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
  const label = "";
  const image = {
    truths: truths.map((truth) => ({ ...truth, label })),
    detections: detections.map((detection) => ({ ...detection, label })),
  };
  const table = tableOfImages([image], [label]);
  const { scores, outcomes, positives } = matchCocoTable(table, thresholds, areas, maxDetections);
  return { scores: Array.from(scores), outcomes, positives: positives.map((counts) => counts[0]!) };
}
