/** @file Which groups one is walking through: kept in the address, named as in the API's GroupsQuery. */
import type { FailureKind, GroupsQuery, GroupSort } from "../../../src/server/studio/api.js";
import { joinList, splitList, type Query, type QueryChange } from "../router.js";

/** A way in which a group can fail. */
export type GroupFailure = FailureKind | "zero-variance";

/** In words, as the controls say them. */
export const failureWords: Readonly<Record<GroupFailure, string>> = {
  unreadable: "unreadable",
  repaired: "had to be repaired",
  truncated: "cut off",
  loop: "repeats itself",
  "no-answer": "answers nothing",
  missed: "misses half or more",
  invented: "invents boxes",
  "no-look": "looks past the doubt",
  "zero-variance": "all earn the same",
};

/** All of them, the most basic first. */
export const failureKinds = Object.keys(failureWords) as GroupFailure[];

const sorts: readonly GroupSort[] = ["step", "reward", "spread", "objects", "f1"];
const NUMBERS = [
  "fromStep",
  "toStep",
  "minReward",
  "maxReward",
  "minObjects",
  "maxObjects",
] as const satisfies readonly (keyof GroupsQuery)[];

/** Keys of the address that belong to the filter. */
export const filterKeys = [...NUMBERS, "sample", "failure", "sort"] as const;

/** Reads the filter; what makes no sense is left out, as a hand-written address may hold anything. */
export function filterOf(query: Query): GroupsQuery {
  const numbers = Object.fromEntries(
    NUMBERS.flatMap((key) => {
      const text = query[key];
      const value = Number(text);
      return text === undefined || text.trim() === "" || !Number.isFinite(value) ? [] : [[key, value]];
    }),
  );
  const failure = splitList(query.failure).filter((kind): kind is GroupFailure =>
    (failureKinds as readonly string[]).includes(kind),
  );
  const sort = sorts.flatMap((name) => [name, `-${name}` as const]).find((name) => name === query.sort);
  return {
    ...numbers,
    ...(query.sample ? { sample: query.sample } : {}),
    ...(failure.length > 0 && { failure }),
    ...(sort && { sort }),
  };
}

/** Writes the filter back; keys that it does not have are taken out of the address. */
export function filterQuery(filter: GroupsQuery): QueryChange {
  return {
    ...Object.fromEntries(NUMBERS.map((key) => [key, filter[key]])),
    sample: filter.sample,
    failure: filter.failure && filter.failure.length > 0 ? joinList(filter.failure) : undefined,
    sort: filter.sort,
  };
}

/** Whether anything is filtered or ordered otherwise than by training. */
export function isFiltered(filter: GroupsQuery): boolean {
  return Object.keys(filter).length > 0;
}

function range(name: string, low: number | undefined, high: number | undefined): string[] {
  if (low !== undefined && high !== undefined) return [low === high ? `${name} ${low}` : `${name} ${low} to ${high}`];
  if (low !== undefined) return [`${name} from ${low}`];
  return high === undefined ? [] : [`${name} up to ${high}`];
} // prettier-ignore

const sortWords: Readonly<Record<GroupSort, readonly [string, string]>> = {
  step: ["earliest first", "latest first"],
  reward: ["lowest reward first", "highest reward first"],
  spread: ["least spread first", "widest spread first"],
  objects: ["fewest objects first", "most objects first"],
  f1: ["lowest F1 first", "highest F1 first"],
};

/** The filter in words; empty for none. */
export function filterInWords(filter: GroupsQuery): string {
  const { sort } = filter;
  return [
    ...range("step", filter.fromStep, filter.toStep),
    ...range("reward", filter.minReward, filter.maxReward),
    ...range("objects", filter.minObjects, filter.maxObjects),
    ...(filter.failure ?? []).map((kind) => failureWords[kind]),
    ...(filter.sample === undefined ? [] : [`id has “${filter.sample}”`]),
    ...(sort === undefined
      ? []
      : [sort.startsWith("-") ? sortWords[sort.slice(1) as GroupSort][1] : sortWords[sort as GroupSort][0]]),
  ].join(" · ");
}
