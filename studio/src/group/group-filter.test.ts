import { describe, expect, it } from "vitest";
import { filterInWords, filterOf, filterQuery, isFiltered } from "./group-filter.js";

describe("filterOf", () => {
  it("reads back what filterQuery wrote", () => {
    const filter = {
      minReward: 0.5,
      maxObjects: 12,
      failure: ["missed", "zero-variance"],
      sort: "-reward",
      sample: "plaza",
    } as const;
    const query = Object.fromEntries(
      Object.entries(filterQuery(filter)).flatMap(([key, value]) =>
        value === undefined ? [] : [[key, String(value)]],
      ),
    );
    expect(filterOf(query)).toEqual(filter);
  });

  it("leaves out what a hand-written address got wrong, and keys that are not its own", () => {
    const filter = filterOf({ minReward: "much", failure: "missed,<script>", sort: "x", response: "3" });
    expect(filter).toEqual({ failure: ["missed"] });
    expect(isFiltered(filterOf({ response: "3" }))).toBe(false);
  });
});

describe("filterInWords", () => {
  it("says it all", () => {
    expect(
      filterInWords({ minReward: 0.2, maxReward: 0.9, minObjects: 5, failure: ["invented"], sort: "reward" }),
    ).toBe("reward 0.2 to 0.9 · objects from 5 · invents boxes · lowest reward first");
    expect(filterInWords({})).toBe("");
  });
});
