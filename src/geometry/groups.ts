/** @file Connected groups: union-find over indices, and groups of boxes that overlap. */
import type { Box, Frame } from "./box.js";
import { iou } from "./overlap.js";

/** Union-find over 0..count-1 with path halving; the root of a set is its smallest member. */
export interface DisjointSets {
  find(index: number): number;
  union(a: number, b: number): void;
}

/** Every index in a set of its own. */
export function createDisjointSets(count: number): DisjointSets {
  const parent = new Int32Array(count);
  for (let i = 0; i < count; i++) parent[i] = i;
  const find = (index: number): number => {
    let at = index;
    while (parent[at] !== at) {
      parent[at] = parent[parent[at]!]!;
      at = parent[at]!;
    }
    return at;
  };
  return {
    find,
    union: (a, b) => {
      const rootA = find(a);
      const rootB = find(b);
      if (rootA < rootB) parent[rootB] = rootA;
      else parent[rootA] = rootB;
    },
  };
}

/** The sets, each with its members in rising order of index, in the order of their first; `items[index]` stands for an index. */
export function setsOf<T>({ find }: DisjointSets, items: readonly T[]): T[][] {
  const byRoot = new Map<number, T[]>();
  items.forEach((item, index) => {
    const root = find(index);
    const set = byRoot.get(root);
    if (set === undefined) byRoot.set(root, [item]);
    else set.push(item);
  });
  return [...byRoot.values()];
}

/**
 * Boxes joined, directly or through others, by IoU > `iouAbove`. Each group is a list of indices in rising order,
 * groups in the order of their first index; a box alone is a group of one.
 */
export function connectedGroups<F extends Frame>(boxes: readonly Box<F>[], iouAbove: number): number[][] {
  const sets = createDisjointSets(boxes.length);
  const order = boxes.map((_, index) => index).sort((a, b) => boxes[a]!.x1 - boxes[b]!.x1);
  for (let i = 0; i < order.length; i++) {
    const first = boxes[order[i]!]!;
    for (let j = i + 1; j < order.length; j++) {
      const second = boxes[order[j]!]!;
      if (second.x1 >= first.x2) break;
      if (iou(first, second) > iouAbove) sets.union(order[i]!, order[j]!);
    }
  }
  return setsOf(
    sets,
    boxes.map((_, index) => index),
  );
}
