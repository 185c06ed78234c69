/**
 * @file COCO's greedy matching (pycocotools' evaluateImg) of every group of a table, at every IoU threshold and area range.
 * Overlaps are computed once a group; only pairs above the lowest threshold are looked at again.
 */
import { descendingOrder } from "../ranking.js";
import type { CocoTable } from "./table.js";

/** Areas that count, square pixels, both ends included. */
export interface AreaRange {
  readonly min: number;
  readonly max: number;
}

/** What became of each detection at one threshold. */
export const Outcome = { falsePositive: 0, truePositive: 1, ignored: 2 } as const;

/** Matches of a table. Detections are those kept: the best of each group, best first, group by group. */
export interface CocoOutcomes {
  /** [groups + 1] into the kept detections. */
  readonly starts: Int32Array;
  readonly scores: Float64Array;
  /** A kept detection's place in its group, 0 = best. */
  readonly ranks: Int32Array;
  /** `outcomes[area][threshold][detection]`, see {@link Outcome}. */
  readonly outcomes: readonly (readonly Uint8Array[])[];
  /** `positives[area][group]`: truths that count. */
  readonly positives: readonly Int32Array[];
}

/** Pairs of one group that overlap enough, by detection; grows as it needs to. */
class NearPairs {
  /** A detection's pairs are from its number to the next; the first is 0. */
  starts = new Int32Array(1025);
  truths = new Int32Array(4096);
  overlaps = new Float64Array(4096);
  private count = 0;

  reset(detections: number): void {
    this.count = 0;
    if (this.starts.length <= detections) this.starts = new Int32Array(2 * detections + 1);
  }

  add(truth: number, overlap: number): void {
    if (this.count === this.truths.length) {
      const truths = new Int32Array(2 * this.count);
      truths.set(this.truths);
      this.truths = truths;
      const overlaps = new Float64Array(2 * this.count);
      overlaps.set(this.overlaps);
      this.overlaps = overlaps;
    }
    this.truths[this.count] = truth;
    this.overlaps[this.count++] = overlap;
  }

  /** Closes the list of a detection. */
  end(detection: number): void {
    this.starts[detection + 1] = this.count;
  }
}

/** Fills `pairs` with what the kept detections of a group overlap by at least `lowest`. */
function findNear(
  table: CocoTable,
  group: number,
  order: Int32Array,
  kept: number,
  lowest: number,
  pairs: NearPairs,
): void {
  const from = table.truthStarts[group]!;
  const to = table.truthStarts[group + 1]!;
  const base = table.detectionStarts[group]!;
  const boxes = table.truths.corners;
  const found = table.detections.corners;
  pairs.reset(kept);
  for (let d = 0; d < kept; d++) {
    const row = base + order[d]!;
    const x1 = found[4 * row]!;
    const y1 = found[4 * row + 1]!;
    const x2 = found[4 * row + 2]!;
    const y2 = found[4 * row + 3]!;
    const own = table.detections.areas[row]!;
    for (let g = from, at = 4 * from; g < to; g++, at += 4) {
      const bx1 = boxes[at]!;
      const bx2 = boxes[at + 2]!;
      const width = (x2 < bx2 ? x2 : bx2) - (x1 > bx1 ? x1 : bx1);
      if (width <= 0) continue;
      const by1 = boxes[at + 1]!;
      const by2 = boxes[at + 3]!;
      const height = (y2 < by2 ? y2 : by2) - (y1 > by1 ? y1 : by1);
      if (height <= 0) continue;
      const shared = width * height;
      const overlap = shared / (table.truths.crowd[g] === 1 ? own : own + table.truths.areas[g]! - shared);
      if (overlap >= lowest) pairs.add(g - from, overlap);
    }
    pairs.end(d);
  }
}

/**
 * Matches each detection, best first, to the free truth it overlaps most; a truth that counts is preferred to an ignored
 * one, whatever the overlaps. Of equal overlaps the last truth wins. An unmatched detection outside the area range is ignored.
 *
 * @param thresholds IoU from which a pair may match; 1 is taken as 1 - 1e-10, as in pycocotools.
 * @param maxDetections Only so many of the best detections of a group are kept.
 */
export function matchCocoTable(
  table: CocoTable,
  thresholds: readonly number[],
  areas: readonly AreaRange[],
  maxDetections: number,
): CocoOutcomes {
  const groups = table.labels * table.images;
  const starts = new Int32Array(groups + 1);
  for (let g = 0; g < groups; g++) {
    const count = table.detectionStarts[g + 1]! - table.detectionStarts[g]!;
    starts[g + 1] = starts[g]! + Math.min(count, maxDetections);
  }
  const total = starts[groups]!;
  const scores = new Float64Array(total);
  const ranks = new Int32Array(total);
  const outcomes = areas.map(() => thresholds.map(() => new Uint8Array(total)));
  const positives = areas.map(() => new Int32Array(groups));
  const bars = thresholds.map((threshold) => Math.min(threshold, 1 - 1e-10));
  const lowest = Math.min(...bars);
  const pairs = new NearPairs();
  let taken = new Uint8Array(256);
  let ignored = new Uint8Array(256);
  for (let group = 0; group < groups; group++) {
    const truthBase = table.truthStarts[group]!;
    const truths = table.truthStarts[group + 1]! - truthBase;
    const at = starts[group]!;
    const kept = starts[group + 1]! - at;
    if (truths === 0 && kept === 0) continue;
    const base = table.detectionStarts[group]!;
    const order = descendingOrder(table.detections.scores.subarray(base, table.detectionStarts[group + 1]!));
    for (let d = 0; d < kept; d++) {
      scores[at + d] = table.detections.scores[base + order[d]!]!;
      ranks[at + d] = d;
    }
    findNear(table, group, order, kept, lowest, pairs);
    if (taken.length < truths) {
      taken = new Uint8Array(2 * truths);
      ignored = new Uint8Array(2 * truths);
    }
    for (let a = 0; a < areas.length; a++) {
      const { min, max } = areas[a]!;
      let counted = 0;
      for (let g = 0; g < truths; g++) {
        const area = table.truths.rangeAreas[truthBase + g]!;
        const out = area < min || area > max;
        const ignore =
          out || table.truths.crowd[truthBase + g] === 1 || table.truths.ignore[truthBase + g] === 1;
        ignored[g] = ignore ? 1 : 0;
        if (!ignore) counted++;
      }
      positives[a]![group] = counted;
      for (let t = 0; t < bars.length; t++) {
        const bar = bars[t]!;
        const out = outcomes[a]![t]!;
        taken.fill(0, 0, truths);
        for (let d = 0; d < kept; d++) {
          let match = -1;
          let best = bar;
          let fallback = -1;
          let bestIgnored = bar;
          for (let k = pairs.starts[d]!; k < pairs.starts[d + 1]!; k++) {
            const g = pairs.truths[k]!;
            if (taken[g] === 1) continue;
            const overlap = pairs.overlaps[k]!;
            if (ignored[g] === 1) {
              if (overlap >= bestIgnored) {
                bestIgnored = overlap;
                fallback = g;
              }
            } else if (overlap >= best) {
              best = overlap;
              match = g;
            }
          }
          if (match >= 0) {
            taken[match] = 1;
            out[at + d] = Outcome.truePositive;
          } else if (fallback >= 0) {
            // A crowd may take any number of detections.
            if (table.truths.crowd[truthBase + fallback] !== 1) taken[fallback] = 1;
            out[at + d] = Outcome.ignored;
          } else {
            const area = table.detections.areas[base + order[d]!]!;
            out[at + d] = area < min || area > max ? Outcome.ignored : Outcome.falsePositive;
          }
        }
      }
    }
  }
  return { starts, scores, ranks, outcomes, positives };
}
