import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { box } from "../geometry/box.js";
import { curveThresholds, f1Curve, tallyCurve } from "./f1-curve.js";
import { matchInstances } from "./precision-recall.js";

const person = (x: number, width = 10) => ({ box: box<"image">(x, 0, x + width, 10), label: "person" });

describe("f1Curve", () => {
  it("asks for more and more IoU", () => {
    expect(curveThresholds).toEqual([0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95]);
    // IoU 1 and 0.7: the second counts up to 0.7.
    const tallies = tallyCurve([person(0), person(50, 7)], { objects: [person(0), person(50)], ignore: [] });
    const curve = f1Curve([tallies]);
    expect(curve.f1).toEqual([1, 1, 1, 1, 1, 0.5, 0.5, 0.5, 0.5, 0.5]);
    expect(curve.recall).toEqual(curve.f1);
    expect(curve.meanF1).toBeCloseTo(0.75, 12);
  });

  it("adds counts over responses before it divides", () => {
    const found = tallyCurve([person(0)], { objects: [person(0)], ignore: [] });
    const missed = tallyCurve([], { objects: [person(0), person(30), person(60)], ignore: [] });
    expect(f1Curve([found, missed]).recall[0]).toBe(0.25);
    expect(f1Curve([found, missed]).precision[0]).toBe(1);
  });

  it("equals matching at each threshold on its own, and never rises", () => {
    const boxes = fc.array(
      fc
        .tuple(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 5, max: 15 }))
        .map(([x, w]) => person(x, w)),
      { maxLength: 8 },
    );
    fc.assert(
      fc.property(boxes, boxes, fc.boolean(), (predicted, objects, ignored) => {
        const truth = { objects, ignore: ignored ? [box<"image">(0, 0, 20, 10)] : [] };
        const tallies = tallyCurve(predicted, truth);
        curveThresholds.forEach((threshold, t) => {
          const { matches: _, ...alone } = matchInstances(predicted, truth, threshold);
          expect(tallies[t]).toEqual(alone);
        });
        const hits = tallies.map(({ truePositives }) => truePositives);
        expect(hits).toEqual(hits.toSorted((a, b) => b - a));
      }),
    );
  });
});
