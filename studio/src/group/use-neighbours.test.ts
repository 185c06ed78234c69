import { describe, expect, it } from "vitest";
import type { GroupPage, GroupsQuery } from "../../../src/server/studio/api.js";
import { findNeighbours } from "./use-neighbours.js";

/** A list of groups that pass the filter, as the server pages it; counts how often it was asked. */
function list(length: number) {
  const all = Array.from({ length }, (_, i) => ({ step: 1 + Math.floor(i / 8), sample: `s${i}` }));
  let asked = 0;
  return {
    all,
    asked: () => asked,
    read: async ({ offset = 0, limit = 50 }: GroupsQuery) => {
      asked++;
      return {
        matching: length,
        offset,
        groups: all.slice(offset, offset + limit),
      } as unknown as GroupPage;
    },
  };
}

describe("findNeighbours", () => {
  it("finds both beside a group near the hint, asking once", async () => {
    const { all, read, asked } = list(1000);
    expect(await findNeighbours(all[501]!, {}, read, 500)).toEqual({
      previous: all[500],
      next: all[502],
      place: { offset: 501, matching: 1000 },
    });
    expect(asked()).toBe(1);
  });

  it("finds a group anywhere", async () => {
    const { all, read } = list(1700);
    for (const place of [0, 19, 20, 39, 40, 499, 500, 999, 1699])
      expect(await findNeighbours(all[place]!, {}, read)).toEqual({
        previous: all[place - 1] ?? null,
        next: all[place + 1] ?? null,
        place: { offset: place, matching: 1700 },
      });
  });

  it("says so where a group does not pass", async () => {
    expect(await findNeighbours({ step: 1, sample: "none" }, {}, list(60).read)).toBeUndefined();
    expect(await findNeighbours({ step: 1, sample: "none" }, {}, list(0).read)).toBeUndefined();
  });
});
