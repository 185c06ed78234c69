import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { box } from "../geometry/box.js";
import { cocoAp, type CocoImage } from "./coco-ap.js";
import type { CocoTruth, ScoredBox } from "./coco-matching.js";
import { scoresOf } from "./scores.js";

const folder = new URL("../../test/fixtures/metrics/coco/", import.meta.url);
const read = <T>(name: string): T => JSON.parse(readFileSync(new URL(name, folder), "utf8")) as T;

interface Annotation {
  image_id: number;
  bbox: [number, number, number, number];
  area: number;
  iscrowd: number;
}

function fixture(): CocoImage[] {
  const truth = read<{ images: { id: number }[]; annotations: Annotation[] }>("small_gt.json");
  const found =
    read<{ image_id: number; bbox: [number, number, number, number]; score: number }[]>("small_dt.json");
  const corners = ([x, y, w, h]: [number, number, number, number]) => box<"image">(x, y, x + w, y + h);
  return truth.images.map(({ id }) => ({
    truths: truth.annotations
      .filter((a) => a.image_id === id)
      .map((a): CocoTruth => ({
        box: corners(a.bbox),
        label: "person",
        crowd: a.iscrowd === 1,
        area: a.area,
      })),
    detections: found
      .filter((d) => d.image_id === id)
      .map((d): ScoredBox => ({ box: corners(d.bbox), label: "person", score: d.score })),
  }));
}

describe("cocoAp", () => {
  const images = fixture();

  it("has pycocotools' twelve numbers", () => {
    const { stats } = read<{ stats: Record<string, number> }>("result_small_pycocotools.json");
    const ours = cocoAp(images, { maxDetections: 100 });
    const pairs: [string, number | null][] = [
      ["AP", ours.ap],
      ["AP50", ours.ap50],
      ["AP75", ours.ap75],
      ["APs", ours.apSmall],
      ["APm", ours.apMedium],
      ["APl", ours.apLarge],
      ["AR1", ours.ar1],
      ["AR10", ours.ar10],
      ["AR100", ours.arMax],
      ["ARs", ours.arSmall],
      ["ARm", ours.arMedium],
      ["ARl", ours.arLarge],
    ];
    for (const [name, value] of pairs)
      expect({ name, off: Math.abs(value! - stats[name]!) < 1e-9 ? 0 : value }).toEqual({ name, off: 0 });
  });

  it("has pycocotools' numbers with 500 detections an image", () => {
    const expected = read<{ AP_all: number; AR_all: number; AP50_all: number }>(
      "result_small_pycocotools_max500.json",
    );
    const ours = cocoAp(images);
    expect(Math.abs(ours.ap! - expected.AP_all)).toBeLessThan(1e-9);
    expect(Math.abs(ours.ap50! - expected.AP50_all)).toBeLessThan(1e-9);
    expect(Math.abs(ours.arMax! - expected.AR_all)).toBeLessThan(1e-9);
  });

  it("gives 1 to the ground truth itself, and null where there is nothing to find", () => {
    const perfect = images.map(({ truths }) => ({
      truths,
      detections: truths
        .filter((t) => t.crowd !== true)
        .map((t) => ({ box: t.box, label: t.label, score: 1 })),
    }));
    expect(cocoAp(perfect).ap).toBeCloseTo(1, 9);
    expect(cocoAp([{ truths: [], detections: [] }]).ap).toBeNull();
    const missed = cocoAp([{ truths: [{ box: box(0, 0, 9, 9), label: "a" }], detections: [] }]);
    expect(missed.ap).toBe(0);
    expect(missed.apLarge).toBeNull();
  });

  it("averages over labels and does not match across them", () => {
    const summary = cocoAp([
      {
        truths: [
          { box: box(0, 0, 10, 10), label: "a" },
          { box: box(50, 50, 60, 60), label: "b" },
        ],
        detections: [
          { box: box(0, 0, 10, 10), label: "a", score: 1 },
          { box: box(50, 50, 60, 60), label: "a", score: 0.5 },
        ],
      },
    ]);
    expect(summary.ap).toBeCloseTo(0.5, 9);
  });

  it("lets detections of ignored and crowd truths go, several for a crowd, one for an ignored box", () => {
    const detection = { box: box<"image">(0, 0, 10, 10), label: "a", score: 1 };
    const found = { box: box<"image">(50, 50, 60, 60), label: "a", score: 0.5 };
    const at = (truth: Omit<CocoTruth, "box" | "label">) =>
      cocoAp([
        {
          truths: [
            { box: box(0, 0, 10, 10), label: "a", ...truth },
            { box: box(50, 50, 60, 60), label: "a" },
          ],
          detections: [detection, detection, found],
        },
      ]).ap50;
    expect(at({ crowd: true })).toBeCloseTo(1, 9);
    expect(at({ ignore: true })).toBeCloseTo(0.5, 9);
  });

  it("does not see the names of labels or the order of images with distinct scores", () => {
    fc.assert(
      fc.property(fc.shuffledSubarray([0, 1, 2, 3, 4, 5, 6, 7], { minLength: 8 }), (order) => {
        const few = images.slice(0, 8).map((image, i) => ({
          ...image,
          detections: image.detections.map((d, j) => ({ ...d, score: d.score + (i * 1000 + j) * 1e-9 })),
        }));
        expect(cocoAp(order.map((i) => few[i]!)).ap).toBeCloseTo(cocoAp(few).ap!, 12);
      }),
      { numRuns: 5 },
    );
  });
});

describe("scoresOf", () => {
  it("ranks by order of naming, or not at all", () => {
    expect(scoresOf("order", 3)).toEqual([1, 1 / 2, 1 / 3]);
    expect(scoresOf("one", 2)).toEqual([1, 1]);
  });
});
