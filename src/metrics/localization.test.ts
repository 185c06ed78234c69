import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { box, type Box } from "../geometry/box.js";
import { localizationErrors } from "./localization.js";

const of = (said: Box<"image">[], there: Box<"image">[], matches: number[]) => ({
  predictions: said.map((one) => ({ box: one })),
  truth: { objects: there.map((one) => ({ box: one, label: "person" })), ignore: [] },
  matches,
});

describe("localizationErrors", () => {
  it("measures each edge in widths and heights of the object", () => {
    // 10 wide, 20 high; said 1 to the right, its bottom 4 too low: 9 x 20 shared, union 200 + 240 - 180.
    const one = of([box(1, 0, 11, 24)], [box(0, 0, 10, 20)], [0]);
    const { pairs, error, edges, scale } = localizationErrors([one]);
    expect(pairs).toBe(1);
    expect(error).toBeCloseTo(1 - 180 / 260, 12);
    expect(edges).toEqual({
      left: { mean: 0.1, absolute: 0.1 },
      top: { mean: 0, absolute: 0 },
      right: { mean: 0.1, absolute: 0.1 },
      bottom: { mean: 0.2, absolute: 0.2 },
    });
    expect(scale!.width).toBeCloseTo(1, 12);
    expect(scale!.height).toBeCloseTo(1.2, 12);
  });

  it("lets opposite offsets cancel in the mean and not in the absolute", () => {
    const two = of([box(1, 0, 11, 20), box(29, 0, 39, 20)], [box(0, 0, 10, 20), box(30, 0, 40, 20)], [0, 1]);
    const { edges } = localizationErrors([two]);
    expect(edges!.left.mean).toBeCloseTo(0, 12);
    expect(edges!.left.absolute).toBeCloseTo(0.1, 12);
  });

  it("looks at matched pairs alone, and has no number where there is none", () => {
    const none = of([box(0, 0, 5, 5)], [box(50, 50, 60, 60)], [-1]);
    expect(localizationErrors([none])).toEqual({ pairs: 0, error: null, edges: null, scale: null });
    expect(localizationErrors([])).toEqual({ pairs: 0, error: null, edges: null, scale: null });
  });

  it("does not change when everything is moved and enlarged", () => {
    const number = fc.integer({ min: -3, max: 3 });
    fc.assert(
      fc.property(fc.tuple(number, number, number, number), number, number, ([a, b, c, d], k, move) => {
        const grow = 2 ** k;
        const at = (x1: number, y1: number, x2: number, y2: number) =>
          box<"image">(grow * x1 + move, grow * y1 + move, grow * x2 + move, grow * y2 + move);
        const plain = localizationErrors([of([box(a, b, 20 + c, 30 + d)], [box(0, 0, 20, 30)], [0])]);
        const other = localizationErrors([of([at(a, b, 20 + c, 30 + d)], [at(0, 0, 20, 30)], [0])]);
        expect(other.error).toBeCloseTo(plain.error!, 12);
        expect(other.edges!.right.mean).toBeCloseTo(plain.edges!.right.mean, 12);
        expect(other.scale!.height).toBeCloseTo(plain.scale!.height, 12);
      }),
    );
  });
});
