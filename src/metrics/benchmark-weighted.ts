/**
 * @file A benchmark's own numbers over weighted images, fast enough for thousands of resamples: images are matched and all
 * boxes ranked once, then a resample only walks the ranking. With every weight 1 they are `benchmarkNumbers`'.
 */
import { toCityPersons, toCrowdHuman, toIgnoredAreas } from "./benchmark-numbers.js";
import {
  countedDetections,
  type BenchmarkImage,
  type BenchmarkName,
  type BenchmarkTruth,
  type CityPersonsBenchmarkTruth,
  type CocoBenchmarkTruth,
  type CrowdHumanBenchmarkTruth,
  type UavdtBenchmarkTruth,
  type WiderBenchmarkTruth,
} from "./benchmark-truth.js";
import { cityPersonsSubsets, matchSubset, recallAtReferences } from "./citypersons/miss-rate.js";
import type { CocoImage } from "./coco-ap.js";
import { cocoThresholds } from "./coco/evaluate.js";
import { crowdHumanMissRate, fineReferences, trapezoidAp } from "./crowdhuman/ap-mr.js";
import { crowdHumanJaccard, jaccardThresholds } from "./crowdhuman/jaccard.js";
import { crowdHumanEpsilon, matchCrowdHuman } from "./crowdhuman/match.js";
import { logAverage, vocAp } from "./curves.js";
import { weightedAp } from "./paired-ap.js";
import { descendingOrder, type Outcomes } from "./ranking.js";
import { matchUavdt } from "./uavdt/ap.js";
import { widerBest, widerThresholds } from "./widerpedestrian/ap.js";

/** Numbers that results can be compared by, and which way is better. */
export const benchmarkMetrics = {
  "coco.AP": "up",
  "coco.AP50": "up",
  "coco.AP75": "up",
  "crowdhuman.AP": "up",
  "crowdhuman.MR": "down",
  "crowdhuman.JI": "up",
  "crowdhuman.MR_1e-4": "down",
  "citypersons.Reasonable": "down",
  "citypersons.small": "down",
  "citypersons.heavy": "down",
  "citypersons.All": "down",
  "uavdt.AP": "up",
  "widerpedestrian.mAP": "up",
  "widerpedestrian.AP50": "up",
  "widerpedestrian.AP75": "up",
} as const satisfies Record<`${BenchmarkName}.${string}`, "up" | "down">;

/** `BENCHMARK.NUMBER`. */
export type BenchmarkMetric = keyof typeof benchmarkMetrics;

/** A number of images that count `weights[i]` times each (whole numbers); NaN where no truth counts. */
export type WeightedNumber = (weights: ArrayLike<number>) => number;

/** What weighted hits give, best first. */
type FromHits = (hits: Uint8Array, positives: number, images: number) => number | null;

/** Ranks once; a box of an image that counts w times stands w times in the ranking. */
function ranked(
  outcomes: readonly Outcomes[],
  positives: readonly number[],
  number: FromHits,
): WeightedNumber {
  const scores = Float64Array.from(outcomes.flatMap((one) => Array.from(one.scores)));
  const image = Int32Array.from(outcomes.flatMap((one, i) => Array.from(one.scores, () => i)));
  const hits = Uint8Array.from(outcomes.flatMap((one) => Array.from(one.hits)));
  const order = descendingOrder(scores);
  const images = Int32Array.from(order, (k) => image[k]!);
  const sorted = Uint8Array.from(order, (k) => hits[k]!);
  let room = new Uint8Array(sorted.length);
  return (weights) => {
    let [total, counted, all] = [0, 0, 0];
    for (let i = 0; i < positives.length; i++) {
      const weight = weights[i]!;
      all += weight;
      counted += weight * positives[i]!;
      total += weight * outcomes[i]!.scores.length;
    }
    if (counted === 0) return Number.NaN;
    if (total > room.length) room = new Uint8Array(2 * total);
    let at = 0;
    for (let k = 0; k < sorted.length; k++)
      for (let n = weights[images[k]!]!; n > 0; n--) room[at++] = sorted[k]!;
    return number(room.subarray(0, at), counted, all) ?? Number.NaN;
  };
}

function crowdHuman(
  images: readonly BenchmarkImage<CrowdHumanBenchmarkTruth>[],
  name: string,
): WeightedNumber {
  const plain = images.map(toCrowdHuman);
  if (name === "JI") return jaccard(plain.map((image) => crowdHumanJaccard([image]).at));
  const positives = plain.map(({ ignore }) => ignore.length - ignore.reduce((sum, flag) => sum + flag, 0));
  const numbers: Record<string, FromHits> = {
    AP: trapezoidAp,
    MR: (hits, counted, all) => crowdHumanMissRate(hits, counted, all),
    "MR_1e-4": (hits, counted, all) => crowdHumanMissRate(hits, counted, all, fineReferences),
  };
  return ranked(plain.map(matchCrowdHuman), positives, numbers[name]!);
}

/** The best over thresholds of the mean ratio; each image's counts are its own. */
function jaccard(
  images: readonly (readonly { matched: number; detections: number; truths: number }[])[],
): WeightedNumber {
  const ratios = images.map((at) =>
    at.map(
      ({ matched, detections, truths }) => matched / (truths + detections - matched + crowdHumanEpsilon),
    ),
  );
  return (weights) => {
    let best = Number.NaN;
    jaccardThresholds.forEach((_, t) => {
      let [sum, counted] = [0, 0];
      for (let i = 0; i < images.length; i++) {
        const { detections, truths } = images[i]![t]!;
        if (weights[i]! === 0 || detections + truths === 0) continue;
        sum += weights[i]! * ratios[i]![t]!;
        counted += weights[i]!;
      }
      if (counted > 0 && !(sum / counted <= best)) best = sum / counted;
    });
    return best;
  };
}

function cityPersons(
  images: readonly BenchmarkImage<CityPersonsBenchmarkTruth>[],
  name: string,
): WeightedNumber {
  const subset = cityPersonsSubsets.find((one) => one.name === name)!;
  const matched = images
    .map(toCityPersons)
    .map((image) => matchSubset(image, descendingOrder(image.detections.scores).subarray(0, 1000), subset));
  return ranked(
    matched,
    matched.map(({ positives }) => positives),
    (hits, counted, all) =>
      logAverage(recallAtReferences(hits, counted, all, "official").map((recall) => 1 - recall)),
  );
}

function wider(images: readonly BenchmarkImage<WiderBenchmarkTruth>[], name: string): WeightedNumber {
  const bests = images.map((image) => widerBest(toIgnoredAreas(image), 0, image.truth.year === 2019 ? 1 : 0));
  const thresholds =
    name === "mAP" ? widerThresholds : [name === "AP50" ? widerThresholds[0]! : widerThresholds[5]!];
  const each = thresholds.map((threshold) => {
    const outcomes = bests.map(({ best, truths }): Outcomes => {
      const taken = new Uint8Array(truths);
      const scores = Float64Array.from(best, ({ score }) => score);
      const hits = new Uint8Array(best.length);
      for (const d of descendingOrder(scores)) {
        const { truth, iou } = best[d]!;
        if (!(iou > threshold) || taken[truth] === 1) continue;
        taken[truth] = 1;
        hits[d] = 1;
      }
      return { scores, hits };
    });
    return ranked(
      outcomes,
      bests.map(({ truths }) => truths),
      vocAp,
    );
  });
  return (weights) => each.reduce((sum, one) => sum + one(weights), 0) / each.length;
}

function coco(images: readonly BenchmarkImage<CocoBenchmarkTruth>[], name: string): WeightedNumber {
  const corners = ([x, y, width, height]: readonly [number, number, number, number]) => ({
    x1: x,
    y1: y,
    x2: x + width,
    y2: y + height,
  });
  const only = images[0]?.truth.labels.length === 1 ? images[0].truth.labels[0] : undefined;
  const plain = images.map((image): CocoImage<"image"> => ({
    truths: image.truth.boxes.map((box, i) => ({
      box: corners(box) as CocoImage<"image">["truths"][number]["box"],
      label: image.truth.categories[i]!,
      crowd: image.truth.crowd[i] === 1,
    })),
    detections: countedDetections(image).map(({ box, label = only, score }) => ({
      box: corners(box) as CocoImage<"image">["truths"][number]["box"],
      label: label ?? "",
      score,
    })),
  }));
  const thresholds =
    name === "AP" ? cocoThresholds : [name === "AP50" ? cocoThresholds[0]! : cocoThresholds[5]!];
  return weightedAp(plain, { thresholds, maxDetections: 100 });
}

/**
 * One number of a benchmark over weighted images. Equal scores stand in the order in which the images are given: give them
 * in the official one (`inOfficialOrder`) where the number itself matters.
 * @throws RangeError where an image is of another benchmark.
 */
export function weightedBenchmarkNumber(
  images: readonly BenchmarkImage[],
  metric: BenchmarkMetric,
): WeightedNumber {
  const at = metric.indexOf(".");
  const [benchmark, name] = [metric.slice(0, at) as BenchmarkName, metric.slice(at + 1)];
  const other = images.find(({ truth }) => truth.benchmark !== benchmark);
  if (other !== undefined)
    throw new RangeError(`${metric}: image ${other.truth.imageId} is of ${other.truth.benchmark}`);
  const of = <T extends BenchmarkTruth>() => images as unknown as readonly BenchmarkImage<T>[];
  switch (benchmark) {
    case "coco":
      return coco(of<CocoBenchmarkTruth>(), name);
    case "crowdhuman":
      return crowdHuman(of<CrowdHumanBenchmarkTruth>(), name);
    case "citypersons":
      return cityPersons(of<CityPersonsBenchmarkTruth>(), name);
    case "uavdt": {
      const plain = of<UavdtBenchmarkTruth>().map(toIgnoredAreas);
      const positives = plain.map(({ truths }) => truths.areas.length);
      return ranked(
        plain.map((image) => matchUavdt(image, 0.7)),
        positives,
        vocAp,
      );
    }
    case "widerpedestrian":
      return wider(of<WiderBenchmarkTruth>(), name);
  }
}
