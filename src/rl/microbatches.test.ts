import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { promptLength } from "../engines/prompt-length.js";
import { chunked, microbatches } from "./microbatches.js";

const prompt = (length: number) => ({ chunks: [{ kind: "text" as const, tokens: new Int32Array(length) }] });

describe("microbatches", () => {
  it("keeps order and budget, a giant alone", () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 30 }), { maxLength: 20 });
    fc.assert(
      fc.property(sizes, fc.integer({ min: 5, max: 40 }), (list, budget) => {
        const sequences = list.map((size) => ({ prompt: prompt(size - 1), tokens: new Int32Array(1) }));
        const pieces = microbatches(sequences, budget);
        expect(pieces.flat()).toEqual(sequences);
        for (const piece of pieces) {
          const total = piece.reduce((sum, s) => sum + promptLength(s.prompt) + s.tokens.length, 0);
          expect(piece.length === 1 || total <= budget).toBe(true);
        }
      }),
    );
  });

  it("is one piece without a budget, and refuses none at all", () => {
    const sequences = [1, 2, 3].map(() => ({ prompt: prompt(9), tokens: new Int32Array(1) }));
    expect(microbatches(sequences)).toEqual([sequences]);
    expect(() => microbatches(sequences, 0)).toThrow(/budget/);
  });

  it("counts the tokens of pictures", () => {
    const image = { width: 1, height: 1, data: new Uint8Array(3) };
    expect(promptLength({ chunks: [...prompt(3).chunks, { kind: "image", image, tokens: 16 }] })).toBe(19);
  });
});

describe("chunked", () => {
  it("covers everything in order, in pieces of nearly one size", () => {
    expect(chunked([1, 2, 3, 4, 5], 2)).toEqual([
      [1, 2],
      [3, 4, 5],
    ]);
    expect(chunked([1], 4)).toEqual([[1]]);
  });
});
