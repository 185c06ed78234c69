import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { box, type Box } from "./box.js";
import {
  boundingBox,
  boxArea,
  clipBox,
  compareReadingOrder,
  intersectBoxes,
  intersectionArea,
  iou,
  roundBox,
} from "./overlap.js";

const anyBox = fc
  .tuple(fc.integer({ min: -50, max: 150 }), fc.integer({ min: -50, max: 150 }), fc.nat(80), fc.nat(80))
  .map(([x, y, w, h]) => box<"image">(x, y, x + w + 1, y + h + 1));

describe("overlap", () => {
  it("measures by hand", () => {
    const a = box<"image">(0, 0, 10, 10);
    const b = box<"image">(5, 5, 15, 15);
    expect(boxArea(a)).toBe(100);
    expect(intersectionArea(a, b)).toBe(25);
    expect(intersectBoxes(a, b)).toEqual(box(5, 5, 10, 10));
    expect(iou(a, b)).toBe(25 / 175);
    expect(iou(a, box(0, 0, 10, 5))).toBe(0.5);
    expect(iou(a, box(10, 0, 20, 10))).toBe(0);
    expect(intersectBoxes(a, box(10, 0, 20, 10))).toBeUndefined();
    expect(boundingBox([a, b])).toEqual(box(0, 0, 15, 15));
  });

  it("IoU is symmetric, in [0, 1], 1 for a box with itself, and stays under translation and doubling", () => {
    fc.assert(
      fc.property(anyBox, anyBox, fc.integer({ min: -99, max: 99 }), (a, b, shift) => {
        const value = iou(a, b);
        expect(value).toBe(iou(b, a));
        expect(value).toBeGreaterThanOrEqual(0);
        expect(value).toBeLessThanOrEqual(1);
        expect(iou(a, a)).toBe(1);
        const move = (c: Box<"image">) =>
          box<"image">(c.x1 + shift, c.y1 - shift, c.x2 + shift, c.y2 - shift);
        const grow = (c: Box<"image">) => box<"image">(c.x1 * 2, c.y1 * 2, c.x2 * 2, c.y2 * 2);
        expect(iou(move(a), move(b))).toBe(value);
        expect(iou(grow(a), grow(b))).toBe(value);
      }),
    );
  });

  it("clips to the canvas, to nothing where nothing is left or a number is none", () => {
    const size = { width: 100, height: 50 };
    expect(clipBox(box(-5, -5, 200, 20), size)).toEqual(box(0, 0, 100, 20));
    expect(clipBox(box(100, 0, 120, 20), size)).toBeUndefined();
    expect(clipBox(box(20, 20, 10, 30), size)).toBeUndefined();
    expect(clipBox(box(NaN, 0, 10, 10), size)).toBeUndefined();
  });

  it("rounds within half a unit where sides are at least 1, never to nothing, never out of a whole canvas", () => {
    const coordinate = fc.double({ min: 0, max: 100, noNaN: true });
    fc.assert(
      fc.property(coordinate, coordinate, coordinate, coordinate, (a, b, c, d) => {
        const raw = box(Math.min(a, b), Math.min(c, d), Math.max(a, b), Math.max(c, d));
        fc.pre(raw.x2 > raw.x1 && raw.y2 > raw.y1);
        const whole = roundBox(raw);
        expect(whole.x2).toBeGreaterThan(whole.x1);
        expect(whole.y2).toBeGreaterThan(whole.y1);
        expect(Math.min(whole.x1, whole.y1)).toBeGreaterThanOrEqual(0);
        expect(Math.max(whole.x2, whole.y2)).toBeLessThanOrEqual(100);
        expect(Math.abs(whole.x1 - raw.x1)).toBeLessThanOrEqual(raw.x2 - raw.x1 >= 1 ? 0.5 : 1);
        expect(Math.abs(whole.y2 - raw.y2)).toBeLessThanOrEqual(raw.y2 - raw.y1 >= 1 ? 0.5 : 1);
      }),
    );
    expect(roundBox(box(10.2, 99.9, 10.4, 100))).toEqual(box(10, 99, 11, 100));
    expect(roundBox(box(0, 299.99999999999994, 1, 300))).toEqual(box(0, 299, 1, 300));
  });

  it("reads left to right by centre, then top to bottom", () => {
    const wide = box(0, 0, 100, 10);
    const left = box(10, 50, 20, 60);
    const lower = box(10, 70, 20, 80);
    expect([wide, lower, left].sort(compareReadingOrder)).toEqual([left, lower, wide]);
  });
});
