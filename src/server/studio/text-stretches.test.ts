import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { textStretches } from "./text-stretches.js";

const part = fc.oneof(
  fc.string({ unit: "grapheme" }),
  fc.constantFrom("<think>", "</think>", "<look>", "</look>", "<answer>", "</answer>", "<script>", "<"),
);
const text = fc.array(part, { maxLength: 12 }).map((parts) => parts.join(""));

describe("textStretches", () => {
  it("names the parts of a response", () => {
    const of = (said: string) =>
      textStretches(said).map(({ start, end, kind }) => [kind, said.slice(start, end)]);
    expect(of("a<think>b</think> <look>[]</look><answer>[1")).toEqual([
      ["stray", "a"],
      ["tag", "<think>"],
      ["think", "b"],
      ["tag", "</think>"],
      ["stray", " "],
      ["tag", "<look>"],
      ["look", "[]"],
      ["tag", "</look>"],
      ["tag", "<answer>"],
      ["answer", "[1"],
    ]);
    expect(of("")).toEqual([]);
  });

  it("covers every text, in order and without gaps", () => {
    fc.assert(
      fc.property(text, (said) => {
        let at = 0;
        for (const { start, end } of textStretches(said)) {
          expect(start).toBe(at);
          expect(end).toBeGreaterThan(start);
          at = end;
        }
        expect(at).toBe(said.length);
      }),
    );
  });
});
