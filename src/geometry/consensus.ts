/**
 * @file Clusters of the boxes that several responses gave for one image, greedy by consensus (design, 4.4 `instance-variance`
 * and the consensus scores of 4.6).
 */
import type { Box, Frame } from "./box.js";
import { compareBoxes, iou } from "./overlap.js";

/** One instance as the group sees it. */
export interface ConsensusCluster<F extends Frame = Frame> {
  /** Mean of the members' corners. */
  readonly box: Box<F>;
  /** At most one box of each list, lists in rising order. */
  readonly members: readonly { readonly list: number; readonly index: number }[];
}

interface Node<F extends Frame> {
  readonly box: Box<F>;
  readonly list: number;
  readonly index: number;
  /** Boxes of other lists with IoU >= threshold, best first. */
  readonly neighbors: { readonly node: Node<F>; readonly iou: number }[];
  taken: boolean;
  support: number;
  agreement: number;
}

/** Counts lists seen, without making a set for each question. */
interface Marks {
  readonly of: Int32Array;
  now: number;
}

/** In how many other lists the node has a free neighbour, and the sum of its best IoU in each. */
function weigh<F extends Frame>(node: Node<F>, marks: Marks): void {
  const { of } = marks;
  const now = ++marks.now;
  node.agreement = 0;
  node.support = 0;
  for (const { node: other, iou: value } of node.neighbors) {
    if (other.taken || of[other.list] === now) continue;
    of[other.list] = now;
    node.support++;
    node.agreement += value;
  }
}

/** The boxes of several lists, each with those of other lists that overlap it enough. */
export interface LinkedBoxes<F extends Frame = Frame> {
  /** In the order of their coordinates. */
  readonly nodes: readonly Node<F>[];
  readonly lists: number;
}

/** Finds which boxes of different lists overlap by IoU >= threshold: the work that all clusterings of them share. */
export function linkBoxes<F extends Frame>(
  lists: readonly (readonly Box<F>[])[],
  threshold = 0.5,
): LinkedBoxes<F> {
  const nodes: Node<F>[] = lists.flatMap((boxes, list) =>
    boxes.map((box, index) => ({ box, list, index, neighbors: [], taken: false, support: 0, agreement: 0 })),
  );
  // Sorted by coordinates: the first of equals is then the smallest, and the sweep may stop early.
  nodes.sort((a, b) => compareBoxes(a.box, b.box));
  linkNeighbors(nodes, lists.length, threshold);
  for (const node of nodes)
    node.neighbors.sort((p, q) => q.iou - p.iou || compareBoxes(p.node.box, q.node.box));
  return { nodes, lists: lists.length };
}

/**
 * Groups the boxes of several lists (one list a response). Again and again the free box that the most lists agree with
 * (ties: greater summed IoU, then smaller coordinates) gathers from every other list its best free box with
 * IoU >= threshold. A list gives a cluster at most one box, so a duplicate opens a cluster of its own.
 * The result does not hang on the order of lists or of boxes.
 */
export function consensusClusters<F extends Frame>(
  lists: readonly (readonly Box<F>[])[],
  threshold = 0.5,
): ConsensusCluster<F>[] {
  return clusterLinked(linkBoxes(lists, threshold));
}

/**
 * {@link consensusClusters} of boxes that are linked already.
 * @param left index of a list that is left out, as if it had not been given. @default none
 */
export function clusterLinked<F extends Frame>(
  { nodes, lists }: LinkedBoxes<F>,
  left?: number,
): ConsensusCluster<F>[] {
  const marks: Marks = { of: new Int32Array(lists), now: 0 };
  for (const node of nodes) node.taken = node.list === left;
  for (const node of nodes) weigh(node, marks);
  const clusters: ConsensusCluster<F>[] = [];
  let free = nodes.filter(({ taken }) => !taken);
  for (;;) {
    let seed: Node<F> | undefined;
    let taken = 0;
    for (const node of free) {
      if (node.taken) {
        taken++;
        continue;
      }
      if (
        seed === undefined ||
        node.support > seed.support ||
        (node.support === seed.support && node.agreement > seed.agreement + 1e-12)
      ) {
        seed = node;
      }
    }
    if (seed === undefined) return clusters;
    // Nobody is left who agrees with anybody: each is alone, in order. A response of a hundred thousand boxes ends here.
    if (seed.support === 0) {
      for (const node of free) if (!node.taken) clusters.push(gather(node, marks));
      return clusters;
    }
    clusters.push(gather(seed, marks));
    if (2 * taken > free.length) free = free.filter((node) => !node.taken);
  }
}

/** Tells every node which boxes of other lists overlap it enough. Each list is swept apart: boxes of one list never meet. */
function linkNeighbors<F extends Frame>(
  nodes: readonly Node<F>[],
  listCount: number,
  threshold: number,
): void {
  const byList: Node<F>[][] = Array.from({ length: listCount }, () => []);
  for (const node of nodes) byList[node.list]!.push(node);
  const next = byList.map(() => 0);
  for (const a of nodes) {
    next[a.list]!++;
    for (let list = 0; list < listCount; list++) {
      if (list === a.list) continue;
      const others = byList[list]!;
      for (let j = next[list]!; j < others.length; j++) {
        const b = others[j]!;
        if (b.box.x1 >= a.box.x2) break;
        const value = iou(a.box, b.box);
        if (value < threshold || value <= 0) continue;
        a.neighbors.push({ node: b, iou: value });
        b.neighbors.push({ node: a, iou: value });
      }
    }
  }
}

function gather<F extends Frame>(seed: Node<F>, marks: Marks): ConsensusCluster<F> {
  const members = [seed];
  const lists = new Set([seed.list]);
  seed.taken = true;
  for (const { node } of seed.neighbors) {
    if (node.taken || lists.has(node.list)) continue;
    lists.add(node.list);
    node.taken = true;
    members.push(node);
  }
  for (const member of members) for (const { node } of member.neighbors) if (!node.taken) weigh(node, marks);
  members.sort((a, b) => a.list - b.list);
  // Summed in the order of coordinates, so that the mean is the same to the last bit whatever the order of lists.
  const sorted = members.map((member) => member.box).sort(compareBoxes);
  const mean = (corner: "x1" | "y1" | "x2" | "y2") =>
    sorted.reduce((sum, box) => sum + box[corner], 0) / sorted.length;
  return {
    box: { x1: mean("x1"), y1: mean("y1"), x2: mean("x2"), y2: mean("y2") },
    members: members.map(({ list, index }) => ({ list, index })),
  };
}
