import { describe, expect, it } from "vitest";
import type { Headline, RunSummary } from "../../../src/server/studio/api.js";
import { putRun } from "../ui/use-runs.js";
import { filterOf, listRuns, mainHeadline } from "./list.js";

const numbers = (step: number, f1: number | null) => ({
  step,
  precision: f1,
  recall: f1,
  f1,
  ap50: f1,
  countError: 0,
  strictShare: 1,
});
const headline = (change: Partial<Headline> = {}): Headline => ({
  set: "plaza",
  domain: "in",
  decoding: "greedy",
  images: 8,
  first: numbers(0, 0.5),
  last: numbers(10, 0.6),
  ...change,
});
const run = (id: string, change: Partial<RunSummary> = {}): RunSummary => ({
  id,
  name: id,
  kind: "grpo",
  preset: "recommended",
  seed: 1,
  status: "done",
  created: `2026-11-0${id.length}T00:00:00.000Z`,
  updated: "2026-11-09T00:00:00.000Z",
  step: 10,
  steps: 10,
  trainedSeconds: 30,
  resumed: [],
  engine: "local",
  model: "models/base",
  headlines: [headline()],
  sparkline: { key: "reward.mean", steps: [], values: [] },
  alarms: { serious: 0, warning: 0 },
  hasModel: false,
  ...change,
});
const ids = (runs: readonly RunSummary[]) => runs.map(({ id }) => id);

describe("mainHeadline", () => {
  it("is that of the run's own domain, greedy", () => {
    const all = [
      headline({ set: "night", domain: "out" }),
      headline({ decoding: "sampled" }),
      headline({ set: "second" }),
    ];
    expect(mainHeadline({ headlines: all })).toBe(all[2]);
    expect(mainHeadline({ headlines: all.slice(0, 1) })).toBe(all[0]);
    expect(mainHeadline({ headlines: [] })).toBeUndefined();
  });
});

describe("listRuns", () => {
  const runs = [
    run("a", { headlines: [] }),
    run("bb", { status: "failed", seed: 7, headlines: [headline({ last: numbers(10, 0.9) })] }),
    run("ccc", { kind: "sft", headlines: [headline({ first: numbers(0, 0.1), last: numbers(10, 0.7) })] }),
  ];
  const filter = filterOf({});
  it("sorts", () => {
    expect(ids(listRuns(runs, filter))).toEqual(["ccc", "bb", "a"]);
    expect(ids(listRuns(runs, { ...filter, sort: "oldest" }))).toEqual(["a", "bb", "ccc"]);
    expect(ids(listRuns(runs, { ...filter, sort: "f1" }))).toEqual(["bb", "ccc", "a"]);
    expect(ids(listRuns(runs, { ...filter, sort: "gain" }))).toEqual(["ccc", "bb", "a"]);
    expect(ids(listRuns(runs, { ...filter, sort: "name" }))).toEqual(["a", "bb", "ccc"]);
  });
  it("finds by all words, state and kind", () => {
    expect(ids(listRuns(runs, { ...filter, text: "FAILED seed 7" }))).toEqual(["bb"]);
    expect(ids(listRuns(runs, { ...filter, status: "done" }))).toEqual(["ccc", "a"]);
    expect(ids(listRuns(runs, { ...filter, kind: "sft" }))).toEqual(["ccc"]);
  });
});

describe("filterOf", () => {
  it("takes what it knows", () => {
    expect(filterOf({ q: "x", status: "failed", kind: "sft", sort: "gain" })).toEqual({
      text: "x",
      status: "failed",
      kind: "sft",
      sort: "gain",
    });
    expect(filterOf({ status: "odd", kind: "odd", sort: "toString" })).toEqual(filterOf({}));
  });
});

describe("putRun", () => {
  it("replaces a run in its place, and puts a new one by its age", () => {
    const list = [run("ccc"), run("a")];
    expect(putRun(list, run("a", { step: 11 }))[1]!.step).toBe(11);
    expect(ids(putRun(list, run("bb")))).toEqual(["ccc", "bb", "a"]);
    expect(ids(putRun(list, run("dddd")))).toEqual(["dddd", "ccc", "a"]);
    expect(ids(putRun([], run("a")))).toEqual(["a"]);
  });
});
