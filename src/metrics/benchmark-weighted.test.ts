/** A resample's number is the number of the images it drew: weights against copies, for every metric that can be compared. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { plainScenes, type PlainScene } from "../../test/support/plain-scenes.js";
import { benchmarkNumbers } from "./benchmark-numbers.js";
import {
  inOfficialOrder,
  type BenchmarkImage,
  type BenchmarkName,
  type BenchmarkTruth,
} from "./benchmark-truth.js";
import { benchmarkMetrics, weightedBenchmarkNumber, type BenchmarkMetric } from "./benchmark-weighted.js";
import type { Xywh } from "./file-values.js";

const xywh = (corners: Float64Array): Xywh[] =>
  Array.from({ length: corners.length / 4 }, (_, i) => {
    const [x1, y1, x2, y2] = corners.subarray(4 * i, 4 * i + 4);
    return [x1!, y1!, x2! - x1!, y2! - y1!];
  });

function truthOf(benchmark: BenchmarkName, scene: PlainScene, place: number): BenchmarkTruth {
  const boxes = xywh(scene.truths.corners);
  const common = { place, imageId: place, labels: ["person"], boxes };
  const ignored = xywh(scene.ignored.corners);
  switch (benchmark) {
    case "coco":
      return {
        ...common,
        benchmark,
        categories: boxes.map(() => "person"),
        areas: [...scene.truths.areas],
        crowd: [...scene.ignore],
      };
    case "crowdhuman":
      return { ...common, benchmark, part: "full", ignore: [...scene.ignore] };
    case "citypersons":
      return {
        ...common,
        benchmark,
        ignore: [...scene.ignore],
        heights: [...scene.heights],
        visibility: [...scene.visibility],
      };
    case "uavdt":
      return { ...common, benchmark, ignored };
    case "widerpedestrian":
      return { ...common, benchmark, year: 2019, ignored };
  }
}

const imagesOf = (benchmark: BenchmarkName, seed: number, count: number): BenchmarkImage[] =>
  plainScenes(seed, count).map((scene, place) => ({
    truth: truthOf(benchmark, scene, place),
    ...scene.size,
    detections: xywh(scene.detections.corners).map((box, d) => ({
      box,
      label: "person",
      score: scene.detections.scores[d]!,
    })),
  }));

const metrics = Object.keys(benchmarkMetrics) as BenchmarkMetric[];
const split = (metric: BenchmarkMetric) => metric.split(".") as [BenchmarkName, string];

describe("weightedBenchmarkNumber", () => {
  it.each(metrics)("is the number of the images drawn: %s", (metric) => {
    const [benchmark, name] = split(metric);
    fc.assert(
      fc.property(
        fc.integer(),
        fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 6, maxLength: 6 }),
        (seed, weights) => {
          const images = imagesOf(benchmark, seed, 6);
          const copies = images.flatMap((image, i) =>
            Array.from({ length: weights[i]! }, () => ({
              ...image,
              truth: { ...image.truth, place: 10 * i },
            })),
          );
          const expected = benchmarkNumbers(copies)?.numbers[name] ?? Number.NaN;
          const weighted = weightedBenchmarkNumber(images, metric);
          expect(weighted(weights)).toBeCloseTo(expected, 10);
          // The room that is used again holds nothing of before.
          expect(weighted(weights.map(() => 0))).toBeNaN();
          expect(weighted(weights)).toBeCloseTo(expected, 10);
        },
      ),
      { numRuns: 15 },
    );
  });

  it("refuses images of another benchmark", () => {
    expect(() => weightedBenchmarkNumber(imagesOf("coco", 1, 2), "crowdhuman.MR")).toThrow(/is of coco/);
    const mixed = [...imagesOf("coco", 1, 1), ...imagesOf("uavdt", 1, 1)];
    expect(() => inOfficialOrder(mixed)).toThrow(/several benchmarks: coco, uavdt/);
    expect(benchmarkNumbers([])).toBeUndefined();
  });

  it("counts boxes of other labels nowhere", () => {
    const [image] = imagesOf("crowdhuman", 3, 1);
    const stranger = { ...image!, detections: image!.detections.map((one) => ({ ...one, label: "dog" })) };
    expect(benchmarkNumbers([stranger])!.counts["scored"]).toBe(0);
    const nameless = { ...image!, detections: image!.detections.map(({ box, score }) => ({ box, score })) };
    expect(benchmarkNumbers([nameless])).toEqual(benchmarkNumbers([image!]));
  });
});
