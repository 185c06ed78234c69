import { describe, expect, it } from "vitest";
import { boxCreditAdvantages, tokensOf, withKlPenalty } from "./credit.js";

/** Tokens "ab", "[1", ",2]", "c". */
const spans = [
  { start: 0, end: 2 },
  { start: 2, end: 4 },
  { start: 4, end: 7 },
  { start: 7, end: 8 },
];

describe("boxCreditAdvantages", () => {
  it("mixes the box's worth into its tokens and leaves the others", () => {
    const out = boxCreditAdvantages(1, spans, [{ start: 2, end: 7, z: -1 }], 0.7);
    expect(Array.from(out, (a) => Math.round(a * 1e6) / 1e6)).toEqual([1, -0.4, -0.4, 1]);
  });

  it("finds tokens that only overlap a box's text", () => {
    expect(tokensOf(spans, 3, 5)).toEqual({ first: 1, last: 3 });
    expect(tokensOf(spans, 8, 9)).toEqual({ first: 4, last: 4 });
  });

  it("is GRPO's at mix 0", () => {
    expect(Array.from(boxCreditAdvantages(0.5, spans, [{ start: 2, end: 7, z: 9 }], 0))).toEqual([
      0.5, 0.5, 0.5, 0.5,
    ]);
  });
});

describe("withKlPenalty", () => {
  it("punishes tokens that the reference finds less likely", () => {
    const out = withKlPenalty(new Float32Array([1, 1]), [-1, -2], [-3, -2], 0.5);
    expect(Array.from(out)).toEqual([0, 1]);
  });
});

describe("boxCreditAdvantages with numbers", () => {
  it("gives a number's tokens its own worth and the rest of the box the box's", () => {
    const box = { start: 2, end: 7, z: -1, numbers: [{ start: 5, end: 6, z: 2 }] };
    const out = boxCreditAdvantages(1, spans, [box], 0.5);
    expect(Array.from(out)).toEqual([1, 0, 1.5, 1]);
  });
});
