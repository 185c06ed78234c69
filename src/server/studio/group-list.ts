/** @file The groups of a run, filtered, sorted and a page at a time; all of it from the index, nothing from the file. */
import type { FailureKind, GroupPage, GroupSort, GroupsQuery } from "./api.js";
import {
  failureKinds,
  groupF1,
  isFlat,
  spreadOf,
  summaryOf,
  type GroupIndex,
  type IndexedGroup,
} from "./group-index.js";

const rewardOf = ({ sum, responses }: IndexedGroup): number => sum / responses;

const orders: Readonly<Record<GroupSort, (group: IndexedGroup) => number>> = {
  step: ({ step }) => step,
  reward: rewardOf,
  spread: (group) => (isFlat(group) ? 0 : spreadOf(group)),
  objects: ({ objects }) => objects,
  f1: groupF1,
};

/** Every order, both ways. */
export const groupSorts = (Object.keys(orders) as GroupSort[]).flatMap((name) => [name, `-${name}`] as const);

function fails(group: IndexedGroup, kind: FailureKind | "zero-variance"): boolean {
  return kind === "zero-variance" ? isFlat(group) : group.failures[failureKinds.indexOf(kind)]! > 0;
}

function testOf(query: GroupsQuery): (group: IndexedGroup) => boolean {
  const { fromStep = -Infinity, toStep = Infinity, minReward = -Infinity, maxReward = Infinity } = query;
  const { minObjects = -Infinity, maxObjects = Infinity, sample, failure = [] } = query;
  const part = sample?.toLowerCase();
  return (group) => {
    const reward = rewardOf(group);
    return (
      group.step >= fromStep &&
      group.step <= toStep &&
      group.objects >= minObjects &&
      group.objects <= maxObjects &&
      reward >= minReward &&
      reward <= maxReward &&
      (part === undefined || group.sample.toLowerCase().includes(part)) &&
      failure.every((kind) => fails(group, kind))
    );
  };
}

function rangeOf(
  groups: readonly IndexedGroup[],
  value: (group: IndexedGroup) => number,
): readonly [number, number] {
  let [min, max] = [Infinity, -Infinity];
  for (const group of groups) {
    const one = value(group);
    if (one < min) min = one;
    if (one > max) max = one;
  }
  return [min, max];
}

function tallies(groups: readonly IndexedGroup[]): GroupPage["failures"] {
  const kinds = [...failureKinds, "zero-variance"] as const;
  const counts = kinds.map((kind) => [kind, groups.filter((group) => fails(group, kind)).length] as const);
  return Object.fromEntries(counts.filter(([, count]) => count > 0));
}

/** A page of groups. The order of equals is that of the file. */
export function listGroups(index: GroupIndex, query: GroupsQuery): GroupPage {
  const { sort = "-step", offset = 0, limit = 50 } = query;
  const { groups } = index;
  const passing = groups.filter(testOf(query));
  const down = sort.startsWith("-");
  const value = orders[(down ? sort.slice(1) : sort) as GroupSort];
  const keyed = passing.map((group) => ({ group, key: value(group) }));
  keyed.sort((a, b) => (down ? b.key - a.key : a.key - b.key));
  return {
    epoch: index.tail.epoch,
    total: groups.length,
    matching: passing.length,
    offset,
    groups: keyed.slice(offset, offset + limit).map(({ group }) => summaryOf(group)),
    ranges:
      groups.length === 0
        ? null
        : {
            step: rangeOf(groups, ({ step }) => step),
            reward: rangeOf(groups, rewardOf),
            objects: rangeOf(groups, ({ objects }) => objects),
          },
    failures: tallies(groups),
  };
}
