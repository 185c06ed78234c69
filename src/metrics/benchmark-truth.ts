/**
 * @file What a benchmark's own evaluator reads of one image, kept beside each record of an evaluation. The rewards' ground
 * truth cannot stand in for it: that is clipped to the picture, in the model's frame, and without what only the benchmark
 * knows (heights, areas, which ignored box is a crowd, people beside the picture).
 */
import type { Xywh } from "./file-values.js";

/** Benchmarks with an evaluator of their own, in the words that `eval-detections --metric` takes. */
export const benchmarkNames = ["coco", "crowdhuman", "citypersons", "uavdt", "widerpedestrian"] as const;
/** One of {@link benchmarkNames}. */
export type BenchmarkName = (typeof benchmarkNames)[number];

/** What all benchmarks' truths have. Boxes are [x, y, width, height] in pixels of the original, as annotated (not clipped). */
interface TruthOf<B extends BenchmarkName> {
  readonly benchmark: B;
  /** The image's place in the order of the official tool, which decides between equal scores. */
  readonly place: number;
  /** The image's id in the official files, which may be a number where the sample's is text. */
  readonly imageId: number | string;
  /** Labels whose boxes are detections of the benchmark; a box without a label is one too. */
  readonly labels: readonly string[];
  readonly boxes: readonly Xywh[];
}

/** COCO: only annotations of the labels. */
export interface CocoBenchmarkTruth extends TruthOf<"coco"> {
  /** Of each box: its category's name. */
  readonly categories: readonly string[];
  /** Of each box, for the area ranges. */
  readonly areas: readonly number[];
  /** Of each box: 1 = `iscrowd`. */
  readonly crowd: readonly number[];
}

/** CrowdHuman. */
export interface CrowdHumanBenchmarkTruth extends TruthOf<"crowdhuman"> {
  /** Which of a person's boxes these are. */
  readonly part: "full" | "visible" | "head";
  /** Of each box: 1 = a mask or a person to ignore. */
  readonly ignore: readonly number[];
}

/** CityPersons. */
export interface CityPersonsBenchmarkTruth extends TruthOf<"citypersons"> {
  /** Of each box: 1 = a rider, sitting person, other posture, group or ignore region. */
  readonly ignore: readonly number[];
  readonly heights: readonly number[];
  /** Of each box: visible share, 0..1. */
  readonly visibility: readonly number[];
}

/** UAVDT, one frame. */
export interface UavdtBenchmarkTruth extends TruthOf<"uavdt"> {
  readonly ignored: readonly Xywh[];
}

/** WIDER Pedestrian. */
export interface WiderBenchmarkTruth extends TruthOf<"widerpedestrian"> {
  readonly year: 2018 | 2019;
  readonly ignored: readonly Xywh[];
}

/** One image as its benchmark sees it; plain JSON. */
export type BenchmarkTruth =
  | CocoBenchmarkTruth
  | CrowdHumanBenchmarkTruth
  | CityPersonsBenchmarkTruth
  | UavdtBenchmarkTruth
  | WiderBenchmarkTruth;

/** A box that was found. */
export interface BenchmarkDetection {
  /** Pixels of the original. */
  readonly box: Xywh;
  readonly label?: string;
  /** Any monotone confidence, finite. */
  readonly score: number;
}

/** One image: its truth and what was found. */
export interface BenchmarkImage<T extends BenchmarkTruth = BenchmarkTruth> {
  readonly truth: T;
  readonly width: number;
  readonly height: number;
  readonly detections: readonly BenchmarkDetection[];
}

/** The boxes that are detections of the benchmark's classes, in their order. */
export function countedDetections({ truth, detections }: BenchmarkImage): readonly BenchmarkDetection[] {
  return detections.filter(({ label }) => label === undefined || truth.labels.includes(label));
}

/** The images in the order of the official tool. @throws RangeError for images of several benchmarks. */
export function inOfficialOrder(images: readonly BenchmarkImage[]): BenchmarkImage[] {
  const names = new Set(images.map(({ truth }) => truth.benchmark));
  if (names.size > 1) throw new RangeError(`images of several benchmarks: ${[...names].join(", ")}`);
  return images.toSorted((a, b) => a.truth.place - b.truth.place);
}
