/** @file The groups before and after one, among those that the filter lets through and in its order. */
import { useEffect, useState } from "preact/hooks";
import type { GroupDetail, GroupPage, GroupPlace, GroupsQuery } from "../../../src/server/studio/api.js";
import { api } from "../api.js";
import { isFiltered } from "./group-filter.js";

/** Where a group stands; `undefined` while it is looked for, null where there is none. */
export interface Neighbours {
  readonly previous: GroupPlace | null | undefined;
  readonly next: GroupPlace | null | undefined;
  /** Its place among those that pass the filter; null where it does not pass, or nothing is filtered. */
  readonly place: { readonly offset: number; readonly matching: number } | null | undefined;
}

const unknown: Neighbours = { previous: undefined, next: undefined, place: undefined };
const none: Neighbours = { previous: null, next: null, place: null };

/** Groups asked for at once. */
const WINDOW = 40;
const PAGE = 500;

/** Where the last group looked at stood under each filter: the next one is mostly beside it. */
const lastOffset = new Map<string, number>();

/** Reads a page of groups. */
export type ReadGroups = (query: GroupsQuery) => Promise<GroupPage>;

/**
 * Finds a group and its neighbours: first near `hint`, then page by page from the start.
 * @returns nothing where the group does not pass the filter
 */
export async function findNeighbours(
  at: GroupPlace,
  filter: GroupsQuery,
  read: ReadGroups,
  hint = 0,
): Promise<Neighbours | undefined> {
  const search = async (offset: number, limit: number) => {
    const page = await read({ ...filter, offset, limit });
    const index = page.groups.findIndex(({ step, sample }) => step === at.step && sample === at.sample);
    return { page, index };
  };
  const around = async (place: number): Promise<Neighbours> => {
    const from = Math.max(0, place - 1);
    const { groups, matching } = await read({ ...filter, offset: from, limit: 3 });
    const here = place - from;
    return {
      previous: here === 0 ? null : (groups[here - 1] ?? null),
      next: groups[here + 1] ?? null,
      place: { offset: place, matching },
    };
  };
  const near = Math.max(0, hint - WINDOW / 2);
  const first = await search(near, WINDOW);
  if (first.index >= 0) {
    const { groups, matching } = first.page;
    const place = near + first.index;
    const [previous, next] = [groups[first.index - 1], groups[first.index + 1]];
    // At the window's edge the neighbour is outside of it.
    if ((previous === undefined && place > 0) || (next === undefined && place + 1 < matching))
      return around(place);
    return { previous: previous ?? null, next: next ?? null, place: { offset: place, matching } };
  }
  for (let offset = 0; offset < first.page.matching; offset += PAGE) {
    const { index } = await search(offset, PAGE);
    if (index >= 0) return around(offset + index);
  }
  return undefined;
}

/** Neighbours of a group; without a filter, those in the order of training. */
export function useNeighbours(detail: GroupDetail | undefined, filter: GroupsQuery): Neighbours {
  const [found, setFound] = useState<{ readonly key: string; readonly neighbours: Neighbours }>();
  const filterKey = JSON.stringify(filter);
  const key = detail === undefined ? "" : `${detail.run} ${detail.step} ${detail.sample} ${filterKey}`;
  useEffect(() => {
    if (detail === undefined || !isFiltered(filter)) return;
    const controller = new AbortController();
    const under = `${detail.run} ${filterKey}`;
    findNeighbours(
      detail,
      filter,
      (query) => api.groups(detail.run, query, controller.signal),
      lastOffset.get(under),
    ).then(
      (neighbours) => {
        if (controller.signal.aborted) return;
        if (neighbours?.place) lastOffset.set(under, neighbours.place.offset);
        setFound({ key, neighbours: neighbours ?? none });
      },
      () => {
        // The group itself is shown; where the list cannot be had there is just nowhere to go from it.
        if (!controller.signal.aborted) setFound({ key, neighbours: none });
      },
    );
    return () => controller.abort();
  }, [key]);
  if (detail === undefined) return unknown;
  if (!isFiltered(filter)) return { previous: detail.previous, next: detail.next, place: null };
  return found?.key === key ? found.neighbours : unknown;
}
