import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { box } from "../geometry/box.js";
import { cocoAp, type CocoImage } from "./coco-ap.js";
import { weightedAp } from "./paired-ap.js";
import { curveThresholds } from "./f1-curve.js";
import { apTieBounds } from "./tie-bounds.js";

const at = (x: number, score: number, label = "person") => ({
  box: box<"image">(x, 0, x + 20, 40),
  label,
  score,
});

describe("apTieBounds", () => {
  it("on one truth, a hit and a miss of equal score: 1 or a half", () => {
    const image = { truths: [at(0, 0)], detections: [at(100, 1), at(0, 1)] };
    const bounds = apTieBounds([image]);
    expect(bounds.ap50!.best).toBeCloseTo(1, 12);
    expect(bounds.ap50!.worst).toBeCloseTo(0.5, 12);
    expect(bounds.tiedShare).toBe(1);
    expect(cocoAp([image]).ap50).toBeCloseTo(0.5, 12);
    expect(cocoAp([{ ...image, detections: image.detections.toReversed() }]).ap50).toBeCloseTo(1, 12);
  });

  it("has no room without ties, and null without truths", () => {
    const image = { truths: [at(0, 0), at(50, 0)], detections: [at(0, 0.9), at(200, 0.8), at(50, 0.7)] };
    const { ap50, ap, tiedShare } = apTieBounds([image]);
    expect(ap50!.best).toBe(ap50!.worst);
    expect(ap50!.best).toBeCloseTo(cocoAp([image]).ap50!, 12);
    expect(ap!.best).toBeCloseTo(cocoAp([image]).ap!, 12);
    expect(tiedShare).toBe(0);
    expect(apTieBounds([{ truths: [], detections: [at(0, 1)] }]).ap).toBeNull();
    expect(apTieBounds([])).toEqual({ ap: null, ap50: null, tiedShare: 0 });
  });

  const detection = fc.record({
    x: fc.integer({ min: 0, max: 80 }),
    score: fc.constantFrom(0.2, 0.5, 1),
    label: fc.constantFrom("person", "dog"),
  });
  const images = fc.array(
    fc
      .tuple(fc.array(detection, { maxLength: 6 }), fc.array(detection, { maxLength: 6 }), fc.boolean())
      .map(([there, said, crowd]): CocoImage<"image"> => ({
        truths: [
          ...there.map(({ x, label }) => at(x, 0, label)),
          ...(crowd ? [{ ...at(0, 0), crowd: true }] : []),
        ],
        detections: said.map(({ x, score, label }) => at(x, score, label)),
      })),
    { maxLength: 4 },
  );

  it("holds the evaluator's own number", () => {
    fc.assert(
      fc.property(images, (list) => {
        const { ap, ap50 } = cocoAp(list);
        const bounds = apTieBounds(list);
        expect(bounds.ap === null).toBe(ap === null);
        if (ap === null || bounds.ap === null) return;
        expect(bounds.ap.worst).toBeLessThanOrEqual(ap + 1e-12);
        expect(bounds.ap.best).toBeGreaterThanOrEqual(ap - 1e-12);
        expect(bounds.ap50!.worst).toBeLessThanOrEqual(ap50! + 1e-12);
        expect(bounds.ap50!.best).toBeGreaterThanOrEqual(ap50! - 1e-12);
      }),
    );
  });

  it("weightedAp equals cocoAp at weights of one, and on repeated images", () => {
    fc.assert(
      fc.property(images, fc.array(fc.nat(3), { minLength: 4, maxLength: 4 }), (list, counts) => {
        // NaN where nothing could be measured, as null in cocoAp.
        const near = (value: number, expected: number | null) =>
          expect(Number.isNaN(value) ? -1 : value).toBeCloseTo(expected ?? -1, 12);
        const ones = list.map(() => 1);
        near(weightedAp(list)(ones), cocoAp(list).ap50);
        near(weightedAp(list, { thresholds: curveThresholds })(ones), cocoAp(list).ap);
        const weights = list.map((_, i) => counts[i]!);
        // Without ties inside an image: those would stand in another order among copies.
        const untied = list.map(({ truths, detections }) => ({
          truths,
          detections: detections.map((one, i) => ({ ...one, score: one.score / (1 + i / 7) })),
        }));
        const repeated = untied.flatMap((image, i) => Array.from({ length: counts[i]! }, () => image));
        near(weightedAp(untied)(weights), cocoAp(repeated).ap50);
      }),
    );
  });
});
