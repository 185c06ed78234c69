import { describe, expect, it } from "vitest";
import type { CompareChoices } from "../../../src/server/studio/compare-api.js";
import { parseRoute, withQuery, type CompareRoute } from "../router.js";
import {
  compareQuery,
  entriesOf,
  isComparable,
  movedEntry,
  nextEntry,
  readState,
  stateQuery,
  withoutEntry,
} from "./compare-state.js";

const run = (name: string, steps: number[], fingerprint = "aa"): CompareChoices["runs"][number] => ({
  run: name,
  name,
  kind: "grpo",
  status: "done",
  steps,
  sets: [{ set: "plaza", domain: "in", decoding: "greedy", fingerprint, steps }],
});
const runs = [run("a", [0, 10, 20]), run("b@7", [0, 20]), run("once", [5]), run("else", [0, 9], "bb")];
const state = (hash: string) => readState(parseRoute(hash) as CompareRoute, runs).state;

describe("entries of an address", () => {
  it("are runs with what the first began from, or steps", () => {
    expect(entriesOf(["a", "b@7"], runs).entries).toEqual([
      { run: "a", step: 0 },
      { run: "a", step: 20 },
      { run: "b@7", step: 20 },
    ]);
    expect(entriesOf(["once"], runs).entries).toEqual([{ run: "once", step: 5 }]);
    expect(entriesOf(["a@10", "b@7@first", "a@last", "a@20"], runs).entries).toEqual([
      { run: "a", step: 10 },
      { run: "b@7", step: 0 },
      { run: "a", step: 20 },
    ]);
    expect(entriesOf(["a@11", "gone", "a@0"], runs)).toEqual({
      entries: [{ run: "a", step: 0 }],
      missing: ["a@11", "gone"],
    });
  });
});

describe("the state", () => {
  it("survives the address", () => {
    const begun = state("#/compare?runs=a,b@7");
    const full = {
      ...begun,
      entries: begun.entries.map((entry, k) => ({ ...entry, name: ["", "50%, better & more", ""][k]! })),
      decoding: "sampled" as const,
      set: "night",
      baseline: 2,
      source: "consensus" as const,
      common: true,
    };
    const hash = withQuery("#/compare", stateQuery(full));
    expect(state(hash)).toEqual(full);
    expect(state(withQuery(hash, stateQuery(begun)))).toEqual(begun);
  });

  it("asks for numbers without names and without the set shown", () => {
    const { entries } = state("#/compare?runs=a");
    const asked = compareQuery({ entries, decoding: "greedy", baseline: 0, common: false, set: "night" });
    expect(asked).toEqual({ entry: ["a@0", "a@20"], decoding: "greedy", baseline: 0 });
  });

  it("takes a baseline only where there is such an entry", () => {
    expect(state("#/compare?runs=a&baseline=1").baseline).toBe(1);
    for (const wrong of ["2", "-1", "x", "0.5"])
      expect(state(`#/compare?runs=a&baseline=${wrong}`).baseline).toBe(0);
  });

  it("keeps the baseline with its entry", () => {
    const three = { ...state("#/compare?runs=a,b@7"), baseline: 1 };
    expect(withoutEntry(three, 0).baseline).toBe(0);
    expect(withoutEntry(three, 1).baseline).toBe(0);
    expect(withoutEntry(three, 2).baseline).toBe(1);
    const up = movedEntry(three, 1, -1);
    expect(up.entries[0]).toEqual(three.entries[1]);
    expect(up.baseline).toBe(0);
    expect(movedEntry(three, 0, 1).baseline).toBe(0);
    expect(movedEntry(three, 0, -1)).toBe(three);
  });

  it("adds what was judged on the same data", () => {
    expect(isComparable(runs[0]!, runs[1]!, "greedy")).toBe(true);
    expect(isComparable(runs[0]!, runs[3]!, "greedy")).toBe(false);
    expect(isComparable(runs[0]!, runs[1]!, "sampled")).toBe(false);
    expect(nextEntry(state("#/compare?runs=a"), runs)).toEqual({ run: "a", step: 10 });
    expect(nextEntry(state("#/compare?runs=else"), runs)).toBeUndefined();
    expect(nextEntry(state("#/compare"), runs)).toEqual({ run: "a", step: 20 });
  });
});
