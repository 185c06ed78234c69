import { describe, expect, it } from "vitest";
import { flattenNumbers, flattenParams } from "./flatten.js";

describe("flattenNumbers", () => {
  it("names nested numbers by their path and leaves out what is none", () => {
    const line = { a: { b: 1, c: { d: -0.5 } }, e: null, f: "2", g: [3], h: Number.NaN, i: 0 };
    expect(flattenNumbers(line)).toEqual({ "a/b": 1, "a/c/d": -0.5, i: 0 });
    expect(flattenNumbers(line, "x")).toEqual({ "x/a/b": 1, "x/a/c/d": -0.5, "x/i": 0 });
    expect(flattenNumbers("text")).toEqual({});
  });
});

describe("flattenParams", () => {
  it("names settings as --set does", () => {
    expect(
      flattenParams({
        kind: "grpo",
        grpo: { kl: { beta: 0 } },
        labels: ["a", "b"],
        on: false,
        none: undefined,
      }),
    ).toEqual({ kind: "grpo", "grpo.kl.beta": 0, labels: '["a","b"]', on: false });
  });
});
