/** @file A benchmark's own numbers under its own names, from images in memory: what `eval` and `eval-detections` both print. */
import {
  countedDetections,
  inOfficialOrder,
  type BenchmarkImage,
  type BenchmarkName,
  type BenchmarkTruth,
  type CityPersonsBenchmarkTruth,
  type CocoBenchmarkTruth,
  type CrowdHumanBenchmarkTruth,
  type UavdtBenchmarkTruth,
  type WiderBenchmarkTruth,
} from "./benchmark-truth.js";
import {
  cityPersonsMissRates,
  type CityPersonsImage,
  type CityPersonsOptions,
} from "./citypersons/miss-rate.js";
import { CocoArea, cocoThresholds, evaluateCoco } from "./coco/evaluate.js";
import { cocoTable, detectionRows, truthRows, type CocoTable } from "./coco/table.js";
import { crowdHumanApMr } from "./crowdhuman/ap-mr.js";
import { crowdHumanJaccard } from "./crowdhuman/jaccard.js";
import type { CrowdHumanImage } from "./crowdhuman/match.js";
import type { DetectionCurve } from "./curves.js";
import { plainFromXywh, type PlainDetections } from "./plain.js";
import type { OrderBounds } from "./ranking.js";
import { uavdtAp, type UavdtImage } from "./uavdt/ap.js";
import { widerPedestrianAp, type WiderImage } from "./widerpedestrian/ap.js";

/** A curve and what the legend says: a name, and the number that the figure is about. */
export interface NamedCurve {
  readonly label: string;
  readonly curve: DetectionCurve | null;
  /** Name among the numbers of what the precision-recall curve gives. */
  readonly precision?: string;
  /** Name among the numbers of what the miss-rate curve gives. */
  readonly missRate?: string;
}

/** A benchmark's numbers. */
export interface BenchmarkReport {
  /** Under the official names, in the official order; null where nothing could be measured. */
  readonly numbers: Readonly<Record<string, number | null>>;
  /** Bounds over the orders of equal scores, of the numbers that such an order moves. */
  readonly bounds: Readonly<Record<string, OrderBounds>>;
  readonly counts: Readonly<Record<string, number>>;
  /** Every choice that the numbers hang on. */
  readonly options: Readonly<Record<string, unknown>>;
  /** What a reader of the numbers should know. */
  readonly notes: readonly string[];
  readonly curves: readonly NamedCurve[];
}

/** Only bounds that say more than the number: those with a width. */
function wide(bounds: Readonly<Record<string, OrderBounds>>): Record<string, OrderBounds> {
  return Object.fromEntries(Object.entries(bounds).filter(([, { low, high }]) => low !== high));
}

/** A number as text, the way the official tool prints it: CityPersons and UAVDT in percent. */
export function benchmarkText(benchmark: BenchmarkName, value: number): string {
  return benchmark === "citypersons" || benchmark === "uavdt"
    ? `${(100 * value).toFixed(2)}%`
    : value.toFixed(4);
}

/** COCO's numbers of a table. @param options.maxDets A further limit beside 1, 10 and 100. @default 500 */
export function cocoReport(table: CocoTable, options: { readonly maxDets?: number } = {}): BenchmarkReport {
  const { maxDets = 500 } = options;
  const { precision, recall, precisionBounds, curve, positives } = evaluateCoco(table, {
    maxDetections: Math.max(100, maxDets),
  });
  const official = { maxDetections: 100 };
  const crowd = { maxDetections: maxDets };
  const more = `maxDets${maxDets}`;
  return {
    numbers: {
      AP: precision(official),
      AP50: precision({ ...official, threshold: 0 }),
      AP75: precision({ ...official, threshold: 5 }),
      APs: precision({ ...official, area: CocoArea.small }),
      APm: precision({ ...official, area: CocoArea.medium }),
      APl: precision({ ...official, area: CocoArea.large }),
      AR1: recall({ maxDetections: 1 }),
      AR10: recall({ maxDetections: 10 }),
      AR100: recall(official),
      ARs: recall({ ...official, area: CocoArea.small }),
      ARm: recall({ ...official, area: CocoArea.medium }),
      ARl: recall({ ...official, area: CocoArea.large }),
      [`AP_${more}`]: precision(crowd),
      [`AP50_${more}`]: precision({ ...crowd, threshold: 0 }),
      [`AP75_${more}`]: precision({ ...crowd, threshold: 5 }),
      [`AR_${more}`]: recall(crowd),
    },
    bounds: wide({
      AP: precisionBounds(official),
      AP50: precisionBounds({ ...official, threshold: 0 }),
      AP75: precisionBounds({ ...official, threshold: 5 }),
      [`AP_${more}`]: precisionBounds(crowd),
      [`AP50_${more}`]: precisionBounds({ ...crowd, threshold: 0 }),
      [`AP75_${more}`]: precisionBounds({ ...crowd, threshold: 5 }),
    }),
    counts: {
      images: table.images,
      categories: table.labels,
      truths: table.truths.areas.length,
      positives,
      detections: table.detections.scores.length,
    },
    options: { iou: cocoThresholds.map((value) => Number(value.toFixed(2))), maxDets: [1, 10, 100, maxDets] },
    notes: [],
    curves: [
      { label: "IoU 0.50", curve: curve(0, maxDets), precision: `AP50_${more}` },
      { label: "IoU 0.75", curve: curve(5, maxDets), precision: `AP75_${more}` },
    ],
  };
}

/** CrowdHuman's numbers. @param options.jaccardImages Images with the truths for JI, where those are others. */
export function crowdHumanReport(
  images: readonly CrowdHumanImage[],
  options: {
    readonly boxes: "full" | "visible" | "head";
    readonly jaccardImages?: readonly CrowdHumanImage[];
  },
): BenchmarkReport {
  const { boxes, jaccardImages = images } = options;
  const apMr = crowdHumanApMr(images);
  const { ji, at } = crowdHumanJaccard(jaccardImages);
  const best = at.find(({ meanRatio }) => meanRatio === ji);
  return {
    numbers: { AP: apMr.ap, MR: apMr.mr, JI: ji, "MR_1e-4": apMr.mrFine },
    bounds: wide({ AP: apMr.bounds.ap, MR: apMr.bounds.mr }),
    counts: {
      images: apMr.images,
      positives: apMr.positives,
      ignored: apMr.ignored,
      scored: apMr.scored,
      truePositives: apMr.truePositives,
    },
    options: { boxes, iou: 0.5, ...(best && { jiScoreThreshold: Number(best.threshold.toFixed(1)) }) },
    notes: [],
    curves: [{ label: boxes, curve: apMr.curve, precision: "AP", missRate: "MR" }],
  };
}

/** CityPersons' numbers; a note says where the evaluator's quirk is at work. */
export function cityPersonsReport(
  images: readonly CityPersonsImage[],
  options: Pick<CityPersonsOptions, "beforeFirst" | "maxDetections"> = {},
): BenchmarkReport {
  const { beforeFirst = "official", maxDetections = 1000 } = options;
  const rates = cityPersonsMissRates(images, { beforeFirst, maxDetections });
  const quirk = rates.filter(({ startsWithMiss }) => startsWithMiss).map(({ subset }) => subset.name);
  return {
    numbers: Object.fromEntries(rates.map(({ subset, mr }) => [subset.name, mr])),
    bounds: wide(Object.fromEntries(rates.map(({ subset, bounds }) => [subset.name, bounds]))),
    counts: {
      images: images.length,
      truths: images.reduce((sum, { ignore }) => sum + ignore.length, 0),
      detections: images.reduce((sum, { detections }) => sum + detections.scores.length, 0),
      ...Object.fromEntries(rates.map(({ subset, positives }) => [`positives ${subset.name}`, positives])),
    },
    options: { iou: 0.5, beforeFirst, maxDets: maxDetections },
    notes:
      quirk.length === 0 || beforeFirst === "corrected"
        ? []
        : [
            `the best detection of ${quirk.join(", ")} is a false positive: the official evaluator then takes the last recall for the lowest references, which lowers the miss rate; eval-detections --before-first corrected does not`,
          ],
    curves: rates.map(({ subset, curve }) => ({ label: subset.name, curve, missRate: subset.name })),
  };
}

/** UAVDT's number. @param options.iou IoU from which a pair matches. @default 0.7 */
export function uavdtReport(
  images: readonly UavdtImage[],
  options: { readonly iou?: number } = {},
): BenchmarkReport {
  const { iou = 0.7 } = options;
  const { ap, bounds, positives, scored, truePositives, curve } = uavdtAp(images, { iouThreshold: iou });
  return {
    numbers: { AP: ap },
    bounds: wide({ AP: bounds }),
    counts: { frames: images.length, positives, scored, truePositives },
    options: { iou, classes: "all as one", area: "VOC 2010, all points" },
    notes: [],
    curves: [{ label: `IoU ${iou}`, curve, precision: "AP" }],
  };
}

/** WIDER Pedestrian's numbers. */
export function widerReport(
  images: readonly WiderImage[],
  options: { readonly year: 2018 | 2019 },
): BenchmarkReport {
  const { year } = options;
  const { map, perThreshold, bounds, positives, scored, curve } = widerPedestrianAp(images, { year });
  return {
    numbers: { mAP: map, AP50: perThreshold[0]!.ap, AP75: perThreshold[5]!.ap },
    bounds: wide({ mAP: bounds }),
    counts: { images: images.length, positives, scored },
    options: {
      year,
      iou: perThreshold.map(({ threshold }) => Number(threshold.toFixed(2))),
      area: "VOC 2010, all points",
    },
    notes: [],
    curves: [{ label: "IoU 0.50", curve, precision: "AP50" }],
  };
}

function plainOf(image: BenchmarkImage): PlainDetections {
  const counted = countedDetections(image);
  return {
    ...plainFromXywh(counted.map(({ box }) => box)),
    scores: Float64Array.from(counted, ({ score }) => score),
  };
}

/** An image as CrowdHuman's cores take it. */
export function toCrowdHuman(image: BenchmarkImage<CrowdHumanBenchmarkTruth>): CrowdHumanImage {
  const { truth, width, height } = image;
  return {
    truths: plainFromXywh(truth.boxes),
    ignore: Uint8Array.from(truth.ignore),
    detections: plainOf(image),
    size: { width, height },
  };
}

/** An image as CityPersons' core takes it. */
export function toCityPersons(image: BenchmarkImage<CityPersonsBenchmarkTruth>): CityPersonsImage {
  const { boxes, ignore, heights, visibility } = image.truth;
  return {
    truths: plainFromXywh(boxes),
    ignore: Uint8Array.from(ignore),
    heights: Float64Array.from(heights),
    visibility: Float64Array.from(visibility),
    detections: plainOf(image),
    detectionHeights: Float64Array.from(countedDetections(image), ({ box }) => box[3]),
  };
}

/** A frame or image as UAVDT's and WIDER Pedestrian's cores take it. */
export function toIgnoredAreas(
  image: BenchmarkImage<UavdtBenchmarkTruth | WiderBenchmarkTruth>,
): UavdtImage & WiderImage {
  const { boxes, ignored } = image.truth;
  return { truths: plainFromXywh(boxes), ignored: plainFromXywh(ignored), detections: plainOf(image) };
}

/** Images as COCO's core takes them. A box without a label is of the only one, where there is but one. */
export function toCocoTable(images: readonly BenchmarkImage<CocoBenchmarkTruth>[]): CocoTable {
  const labels = new Map((images[0]?.truth.labels ?? []).map((label, index) => [label, index]));
  const only = labels.size === 1 ? [...labels.keys()][0] : undefined;
  const found = images.flatMap((image, i) =>
    countedDetections(image).flatMap(({ box, label = only, score }) =>
      label === undefined ? [] : [{ group: labels.get(label)! * images.length + i, box, score }],
    ),
  );
  const truths = truthRows(images.reduce((sum, { truth }) => sum + truth.boxes.length, 0));
  let t = 0;
  images.forEach(({ truth }, i) => {
    const { corners, areas } = plainFromXywh(truth.boxes);
    truths.columns.corners.set(corners, 4 * t);
    truths.columns.areas.set(areas, t);
    truth.categories.forEach((label, k) => {
      truths.groups[t] = labels.get(label)! * images.length + i;
      truths.columns.rangeAreas[t] = truth.areas[k]!;
      truths.columns.crowd[t++] = truth.crowd[k]!;
    });
  });
  const detections = detectionRows(found.length);
  const { corners, areas } = plainFromXywh(found.map(({ box }) => box));
  detections.columns.corners.set(corners);
  detections.columns.areas.set(areas);
  found.forEach(({ group, score }, d) => {
    detections.groups[d] = group;
    detections.columns.scores[d] = score;
  });
  return cocoTable(labels.size, images.length, truths, detections);
}

/**
 * The numbers of the benchmark that the images are of, as its own evaluator gives them for these images.
 * @returns `undefined` without images. @throws RangeError for images of several benchmarks.
 */
export function benchmarkNumbers(
  images: readonly BenchmarkImage[],
): (BenchmarkReport & { readonly benchmark: BenchmarkName }) | undefined {
  const ordered = inOfficialOrder(images);
  const benchmark = ordered[0]?.truth.benchmark;
  if (benchmark === undefined) return undefined;
  // One benchmark was checked above.
  const of = <T extends BenchmarkTruth>() => ordered as unknown as readonly BenchmarkImage<T>[];
  switch (benchmark) {
    case "coco":
      return { benchmark, ...cocoReport(toCocoTable(of<CocoBenchmarkTruth>())) };
    case "crowdhuman": {
      const mine = of<CrowdHumanBenchmarkTruth>();
      return { benchmark, ...crowdHumanReport(mine.map(toCrowdHuman), { boxes: mine[0]!.truth.part }) };
    }
    case "citypersons":
      return { benchmark, ...cityPersonsReport(of<CityPersonsBenchmarkTruth>().map(toCityPersons)) };
    case "uavdt":
      return { benchmark, ...uavdtReport(of<UavdtBenchmarkTruth>().map(toIgnoredAreas)) };
    case "widerpedestrian": {
      const mine = of<WiderBenchmarkTruth>();
      return { benchmark, ...widerReport(mine.map(toIgnoredAreas), { year: mine[0]!.truth.year }) };
    }
  }
}
