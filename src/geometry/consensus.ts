/**
 * @file Clusters of the boxes that several responses gave for one image, greedy by consensus (design, 4.4 `instance-variance`
 * and the consensus scores of 4.6).
 */
import type { Box, Frame } from "./box.js";
import { createDisjointSets, setsOf } from "./groups.js";
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
  /** Place in the order of coordinates, from 0. */
  rank: number;
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

/** The boxes of several lists, linked with those of other lists that overlap them enough. */
export interface LinkedBoxes<F extends Frame = Frame> {
  /** Boxes that are linked, directly or through others: clusters never reach beyond a part. Boxes in the order of coordinates. */
  readonly parts: readonly (readonly Node<F>[])[];
  readonly lists: number;
}

/** Finds which boxes of different lists overlap by IoU >= threshold: the work that all clusterings of them share. */
export function linkBoxes<F extends Frame>(
  lists: readonly (readonly Box<F>[])[],
  threshold = 0.5,
): LinkedBoxes<F> {
  const nodes: Node<F>[] = lists.flatMap((boxes, list) =>
    boxes.map((box, index) => ({
      box,
      list,
      index,
      rank: 0,
      neighbors: [],
      taken: false,
      support: 0,
      agreement: 0,
    })),
  );
  // Sorted by coordinates: the first of equals is then the smallest, and the sweep may stop early.
  nodes.sort((a, b) => compareBoxes(a.box, b.box));
  nodes.forEach((node, rank) => (node.rank = rank));
  linkNeighbors(nodes, lists.length, threshold);
  const sets = createDisjointSets(nodes.length);
  for (const { rank, neighbors } of nodes) {
    for (const { node } of neighbors) sets.union(rank, node.rank);
    neighbors.sort((p, q) => q.iou - p.iou || compareBoxes(p.node.box, q.node.box));
  }
  return { parts: setsOf(sets, nodes), lists: lists.length };
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
  { parts, lists }: LinkedBoxes<F>,
  left?: number,
): ConsensusCluster<F>[] {
  const marks: Marks = { of: new Int32Array(lists), now: 0 };
  const gathered: Gathered<F>[] = [];
  for (const part of parts) clusterPart(part, left, marks, gathered);
  return gathered.sort(compareGathered).map(({ members }) => toCluster(members));
}

/** A cluster on its way, with what its seed was chosen by. */
interface Gathered<F extends Frame> {
  readonly members: Node<F>[];
  readonly support: number;
  readonly agreement: number;
}

/** Sums of IoU that differ by less are equal: they were added up in another order. */
const SAME = 1e-12;

/** The order in which seeds are chosen. */
function compareGathered<F extends Frame>(a: Gathered<F>, b: Gathered<F>): number {
  if (a.support !== b.support) return b.support - a.support;
  if (Math.abs(a.agreement - b.agreement) > SAME) return b.agreement - a.agreement;
  return a.members[0]!.rank - b.members[0]!.rank;
}

function clusterPart<F extends Frame>(
  part: readonly Node<F>[],
  left: number | undefined,
  marks: Marks,
  gathered: Gathered<F>[],
): void {
  for (const node of part) node.taken = node.list === left;
  for (const node of part) weigh(node, marks);
  let free = part.filter(({ taken }) => !taken);
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
        (node.support === seed.support && node.agreement > seed.agreement + SAME)
      ) {
        seed = node;
      }
    }
    if (seed === undefined) return;
    // Nobody is left who agrees with anybody: each is alone. A response of a hundred thousand boxes ends here.
    if (seed.support === 0) {
      for (const node of free) if (!node.taken) gathered.push({ members: [node], support: 0, agreement: 0 });
      return;
    }
    gathered.push(gather(seed, marks));
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

/** The seed, first, and from every other list its best free box. */
function gather<F extends Frame>(seed: Node<F>, marks: Marks): Gathered<F> {
  const { support, agreement } = seed;
  const members = [seed];
  const now = ++marks.now;
  marks.of[seed.list] = now;
  seed.taken = true;
  for (const { node } of seed.neighbors) {
    if (node.taken || marks.of[node.list] === now) continue;
    marks.of[node.list] = now;
    node.taken = true;
    members.push(node);
  }
  for (const member of members) for (const { node } of member.neighbors) if (!node.taken) weigh(node, marks);
  return { members, support, agreement };
}

function toCluster<F extends Frame>(members: Node<F>[]): ConsensusCluster<F> {
  // Summed in the order of coordinates, so that the mean is the same to the last bit whatever the order of lists.
  members.sort((a, b) => a.rank - b.rank);
  const box = { x1: 0, y1: 0, x2: 0, y2: 0 };
  for (const member of members) {
    box.x1 += member.box.x1;
    box.y1 += member.box.y1;
    box.x2 += member.box.x2;
    box.y2 += member.box.y2;
  }
  const n = members.length;
  members.sort((a, b) => a.list - b.list);
  return {
    box: { x1: box.x1 / n, y1: box.y1 / n, x2: box.x2 / n, y2: box.y2 / n },
    members: members.map(({ list, index }) => ({ list, index })),
  };
}
