/** @file Which instances the group is unsure of, and the F1 of looking at them (design, 4.4: the two instance kinds). */
import {
  clusterLinked,
  maximumWeightMatching,
  overlappingPairs,
  type Box,
  type Frame,
  type LinkedBoxes,
} from "../geometry/index.js";
import { UNMATCHED } from "./match.js";
import type { RewardTruth } from "./types.js";

/** Boxes of different responses are one instance from this IoU on. */
export const CLUSTER_IOU = 0.5;
/** A look region finds an uncertain instance from this IoU on. */
export const LOOK_IOU = 0.3;

/**
 * Whether an instance that `holders` of `group` responses hold is uncertain: p(1-p) >= 0.16, that is p in [0.2, 0.8].
 * In whole numbers, because 0.8 * (1 - 0.8) is below 0.16 in floating point.
 */
export function isUncertain(holders: number, group: number): boolean {
  return 25 * holders * (group - holders) >= 4 * group * group;
}

/**
 * `instance-variance`: the uncertain clusters of the answer boxes of all responses, as mean boxes.
 * @param left index of a response that is left out. @default none
 */
export function uncertainClusters<F extends Frame>(linked: LinkedBoxes<F>, left?: number): Box<F>[] {
  const responses = linked.lists - (left === undefined ? 0 : 1);
  return clusterLinked(linked, left)
    .filter((cluster) => isUncertain(cluster.members.length, responses))
    .map((cluster) => cluster.box);
}

/** `hit-variance`: the ground-truth boxes that some responses hit and some miss. */
export function uncertainTruths<F extends Frame>(
  truth: RewardTruth<F>,
  matches: readonly (readonly number[] | Int32Array)[],
): Box<F>[] {
  const hits = new Int32Array(truth.objects.length);
  for (const response of matches) for (const match of response) if (match > UNMATCHED) hits[match]!++;
  return truth.objects.filter((_, index) => isUncertain(hits[index]!, matches.length)).map(({ box }) => box);
}

/**
 * Which uncertain instance each look region finds, -1 = none: one to one at IoU >= 0.3, as many pairs as can be.
 */
export function matchLooks<F extends Frame>(
  uncertain: readonly Box<F>[],
  regions: readonly Box<F>[],
): Int32Array {
  const pairs = overlappingPairs(regions, uncertain, LOOK_IOU);
  // Only the number of pairs counts, so every pair weighs the same.
  return maximumWeightMatching(regions.length, uncertain.length, {
    ...pairs,
    weights: pairs.weights.map(() => 1),
  });
}

/**
 * F1 between look regions and uncertain instances, matched by {@link matchLooks}.
 * With no uncertain instance: 1 for no look region, else 0.
 */
export function lookF1<F extends Frame>(uncertain: readonly Box<F>[], regions: readonly Box<F>[]): number {
  if (uncertain.length === 0) return regions.length === 0 ? 1 : 0;
  const found = matchLooks(uncertain, regions).reduce((sum, column) => sum + (column >= 0 ? 1 : 0), 0);
  return (2 * found) / (uncertain.length + regions.length);
}
