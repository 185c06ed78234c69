import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { box } from "../geometry/box.js";
import { boxProbabilities, consensusBoxes, scoresOf } from "./scores.js";

describe("scoresOf", () => {
  it("gives every box one, or ranks by place", () => {
    expect(scoresOf("one", 3)).toEqual([1, 1, 1]);
    expect(scoresOf("order", 4)).toEqual([1, 1 / 2, 1 / 3, 1 / 4]);
    expect(scoresOf("order", 0)).toEqual([]);
  });

  it("takes what the sampler said, where it said it", () => {
    const known = [
      { mean: 0.9, min: 0.5 },
      { mean: 0.8, min: 0.7 },
    ];
    expect(scoresOf("logprob", 2, known)).toEqual([0.9, 0.8]);
    expect(scoresOf("logprob-min", 2, known)).toEqual([0.5, 0.7]);
    expect(() => scoresOf("logprob", 2)).toThrow(/probabilities of all 2/);
    expect(() => scoresOf("logprob", 3, known)).toThrow(RangeError);
  });
});

describe("boxProbabilities", () => {
  it("reads the tokens of the numbers, not of keys, commas and labels", () => {
    // One token a piece; the probabilities of numbers are 0.5 and 0.25, all others' 0.01.
    const pieces = [
      '{"bbox_',
      "2",
      'd":',
      "[",
      "12",
      ",",
      "3",
      "4",
      ",",
      "50,",
      "6",
      "]",
      ',"label":"p',
      '1"}',
    ];
    const likely: Record<number, number> = { 4: 0.5, 6: 0.5, 7: 0.25, 9: 0.5, 10: 0.25 };
    let place = 0;
    const tokens = pieces.map((piece) => ({ start: place, end: (place += piece.length) }));
    const logprobs = Float32Array.from(pieces, (_, i) => Math.log(likely[i] ?? 0.01));
    const text = pieces.join("");
    const [only] = boxProbabilities(text, [{ start: 0, end: text.length }], tokens, logprobs);
    expect(only!.mean).toBeCloseTo((0.5 * 3 + 0.25 * 2) / 5, 6);
    expect(only!.min).toBeCloseTo(0.25, 6);
  });

  it("keeps boxes apart, a shared token counting for both", () => {
    const text = "[1,2],[3,4]";
    const tokens = [
      { start: 0, end: 2 },
      { start: 2, end: 7 },
      { start: 7, end: 11 },
    ];
    const boxes = [
      { start: 0, end: 5 },
      { start: 6, end: 11 },
    ];
    const [first, second] = boxProbabilities(text, boxes, tokens, [0.8, 0.2, 0.6].map(Math.log));
    expect(first!.mean).toBeCloseTo(0.5, 9);
    expect(second!.min).toBeCloseTo(0.6, 9);
    expect(boxProbabilities(text, boxes, [], [])).toEqual([
      { mean: 0, min: 0 },
      { mean: 0, min: 0 },
    ]);
  });
});

describe("consensusBoxes", () => {
  const at = (x: number, label?: string) => ({
    box: box<"image">(x, 0, x + 10, 10),
    ...(label !== undefined && { label }),
  });

  it("scores by the share of responses and averages the corners", () => {
    const fused = consensusBoxes([[at(0), at(50)], [at(1)], [at(2)], []]);
    expect(fused).toEqual([
      { box: box(1, 0, 11, 10), score: 0.75 },
      { box: box(50, 0, 60, 10), score: 0.25 },
    ]);
  });

  it("weighs by probability where it is known", () => {
    const probabilities = [[{ mean: 0.9, min: 0 }], [{ mean: 0.3, min: 0 }]];
    const [fused] = consensusBoxes([[at(0)], [at(4)]], { probabilities, threshold: 0.4 });
    expect(fused!.box.x1).toBeCloseTo(1, 12);
    expect(fused!.score).toBe(1);
  });

  it("never fuses two boxes of one response, nor two labels", () => {
    expect(consensusBoxes([[at(0), at(0)]]).map(({ score }) => score)).toEqual([1, 1]);
    expect(consensusBoxes([[at(0, "person")], [at(0, "dog")]]).map(({ score }) => score)).toEqual([0.5, 0.5]);
  });

  it("does not see the order of responses, and has the response itself where there is one", () => {
    const response = fc.array(
      fc.nat(60).map((x) => at(x, "person")),
      { maxLength: 5 },
    );
    fc.assert(
      fc.property(fc.array(response, { minLength: 1, maxLength: 5 }), (responses) => {
        const scores = consensusBoxes(responses).map(({ score }) => score);
        expect(consensusBoxes([...responses].reverse()).map(({ score }) => score)).toEqual(scores);
        expect(scores.every((score) => score > 0 && score <= 1)).toBe(true);
        const boxes = responses.reduce((sum, one) => sum + one.length, 0);
        // Every box is in exactly one cluster.
        expect(scores.reduce((sum, score) => sum + score * responses.length, 0)).toBeCloseTo(boxes, 9);
        expect(consensusBoxes([responses[0]!])).toHaveLength(responses[0]!.length);
      }),
    );
  });
});
