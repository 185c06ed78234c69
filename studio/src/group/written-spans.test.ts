import { describe, expect, it } from "vitest";
import { drawn, spansOf } from "./written-spans.js";

const text = "<think>t</think><look>[[1,2,3,4]]</look><answer>[[5,6,7,8],[9,9,9,9]]</answer>";
const of = (span: { readonly start: number; readonly end: number }) => text.slice(span.start, span.end);

describe("spansOf", () => {
  it("takes the places that the server tells", () => {
    const answer = [{ box: [5, 6, 7, 8], start: 51, end: 60 }];
    expect(spansOf({ text, regions: [], answer })).toEqual([{ id: "answer:0", start: 51, end: 60 }]);
  });

  it("finds them in the text where it does not", () => {
    const spans = spansOf({ text, regions: [[1, 2, 3, 4]], answer: [{ box: [5, 6, 7, 8] }] });
    expect(spans.map((span) => [span.id, of(span)])).toEqual([
      ["look:0", "[1,2,3,4]"],
      ["answer:0", "[5,6,7,8]"],
    ]);
  });

  it("links nothing where another number of boxes was read", () => {
    expect(spansOf({ text, regions: [], answer: [{}, {}] })).toEqual([]);
    expect(spansOf(undefined)).toEqual([]);
  });
});

describe("drawn", () => {
  it("takes look regions with and without their places", () => {
    const bare = drawn({ regions: [[1, 2, 3, 4]], answer: [] });
    const placed = drawn({ regions: [{ box: [1, 2, 3, 4], start: 0, end: 1 }], answer: [], matches: [0] });
    expect(bare.regions[0]!.box).toEqual(placed.regions[0]!.box);
    expect([bare.matches, placed.matches]).toEqual([[], [0]]);
  });
});
