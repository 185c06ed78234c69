import { describe, expect, it } from "vitest";
import { explainHere } from "./explain-here.js";

const size = { width: 100, height: 100 };
const truth = {
  objects: [
    { box: [0, 0, 20, 20], label: "person" },
    { box: [60, 60, 80, 90], label: "person" },
  ],
  ignore: [],
} as const;
const answer = [{ box: [0, 0, 20, 20] }, { box: [0, 0, 20, 19] }, { box: [40, 40, 50, 50] }] as const;

describe("explainHere", () => {
  it("tells duplicates from false alarms, and what was missed", () => {
    const explained = explainHere({ answer, matches: [0, -1, -1] }, truth, size)!;
    expect(explained.boxes.map(({ verdict }) => verdict)).toEqual(["hit", "duplicate", "false-positive"]);
    expect(explained.missed.map(({ object }) => object)).toEqual([1]);
  });

  it("explains nothing where the record says otherwise", () => {
    expect(explainHere({ answer, matches: [-1, 0, -1] }, truth, size)).toBeUndefined();
  });
});
