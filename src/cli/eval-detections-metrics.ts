/** @file What `eval-detections` runs: each benchmark's files read and evaluated, its numbers under its own names. */
import type { DetectionCurve } from "../metrics/curves.js";
import type { OrderBounds } from "../metrics/ranking.js";

/** Options of all metrics; each takes its own. */
export interface MetricOptions {
  readonly maxDets?: number;
  readonly boxes?: "full" | "visible" | "head";
  readonly dtKey?: string;
  readonly beforeFirst?: "official" | "corrected";
  readonly iou?: number;
  readonly sequences?: readonly string[];
  readonly ignore?: string;
  readonly year?: 2018 | 2019;
}

/** A curve and what the legend says: a name, and the number that the figure is about. */
export interface NamedCurve {
  readonly label: string;
  readonly curve: DetectionCurve | null;
  /** Name among the numbers of what the precision-recall curve gives. */
  readonly precision?: string;
  /** Name among the numbers of what the miss-rate curve gives. */
  readonly missRate?: string;
}

/** What an evaluation prints. */
export interface Evaluated {
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
  /** A number as text, the way the official tool prints it. */
  readonly format: (value: number) => string;
  /** Files read beside ground truth and detections. */
  readonly files?: Readonly<Record<string, string>>;
}

type Evaluate = (truth: string, found: string, options: MetricOptions) => Promise<Evaluated>;

const fixed = (value: number) => value.toFixed(4);
const percent = (value: number) => `${(100 * value).toFixed(2)}%`;
const plural = (count: number, one: string, many = `${one}s`) => `${count} ${count === 1 ? one : many}`;

/** Only bounds that say more than the number: those with a width. */
function wide(bounds: Readonly<Record<string, OrderBounds>>): Record<string, OrderBounds> {
  return Object.fromEntries(Object.entries(bounds).filter(([, { low, high }]) => low !== high));
}

const coco: Evaluate = async (truth, found, { maxDets = 500 }) => {
  const { CocoArea, cocoThresholds, evaluateCoco } = await import("../metrics/coco/evaluate.js");
  const { readCocoFiles } = await import("../metrics/coco/files.js");
  const files = await readCocoFiles(truth, found);
  const { precision, recall, precisionBounds, curve, positives } = evaluateCoco(files.table, {
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
      images: files.imageIds.length,
      categories: files.categories.length,
      truths: files.truths,
      positives,
      detections: files.detections,
    },
    options: { iou: cocoThresholds.map((value) => Number(value.toFixed(2))), maxDets: [1, 10, 100, maxDets] },
    notes:
      files.unknownCategory === 0
        ? []
        : [
            `${plural(files.unknownCategory, "detection")} of categories that the ground truth does not have were left out, as pycocotools does`,
          ],
    curves: [
      { label: "IoU 0.50", curve: curve(0, maxDets), precision: `AP50_${more}` },
      { label: "IoU 0.75", curve: curve(5, maxDets), precision: `AP75_${more}` },
    ],
    format: fixed,
  };
};

const crowdhuman: Evaluate = async (truth, found, { boxes = "full", dtKey }) => {
  const { crowdHumanApMr } = await import("../metrics/crowdhuman/ap-mr.js");
  const { readCrowdHumanFiles } = await import("../metrics/crowdhuman/files.js");
  const { crowdHumanJaccard } = await import("../metrics/crowdhuman/jaccard.js");
  const files = await readCrowdHumanFiles(truth, found, {
    boxes,
    ...(dtKey !== undefined && { detectionKey: dtKey }),
  });
  const apMr = crowdHumanApMr(files.images);
  const { ji, at } = crowdHumanJaccard(files.jaccardImages);
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
    options: {
      boxes,
      detectionKey: files.detectionKey,
      iou: 0.5,
      jiTruths: files.jaccardTruthsFromDetections > 0 ? "detection file" : "annotations",
      ...(best && { jiScoreThreshold: Number(best.threshold.toFixed(1)) }),
    },
    notes:
      files.missing === 0
        ? []
        : [
            `${plural(files.missing, "image has", "images have")} no line in the detections: nothing was found there (the official evaluator stops)`,
          ],
    curves: [{ label: boxes, curve: apMr.curve, precision: "AP", missRate: "MR" }],
    format: fixed,
  };
};

const citypersons: Evaluate = async (truth, found, { beforeFirst = "official", maxDets = 1000 }) => {
  const { readCityPersonsFiles } = await import("../metrics/citypersons/files.js");
  const { cityPersonsMissRates } = await import("../metrics/citypersons/miss-rate.js");
  const files = await readCityPersonsFiles(truth, found);
  const rates = cityPersonsMissRates(files.images, { beforeFirst, maxDetections: maxDets });
  const quirk = rates.filter(({ startsWithMiss }) => startsWithMiss).map(({ subset }) => subset.name);
  return {
    numbers: Object.fromEntries(rates.map(({ subset, mr }) => [subset.name, mr])),
    bounds: wide(Object.fromEntries(rates.map(({ subset, bounds }) => [subset.name, bounds]))),
    counts: {
      images: files.images.length,
      truths: files.truths,
      detections: files.detections,
      ...Object.fromEntries(rates.map(({ subset, positives }) => [`positives ${subset.name}`, positives])),
    },
    options: { iou: 0.5, beforeFirst, maxDets },
    notes: [
      ...(files.otherCategories === 0
        ? []
        : [
            `${plural(files.otherCategories, "entry", "entries")} of categories other than 1 were left out, as the evaluator does`,
          ]),
      ...(quirk.length === 0 || beforeFirst === "corrected"
        ? []
        : [
            `the best detection of ${quirk.join(", ")} is a false positive: the official evaluator then takes the last recall for the lowest references, which lowers the miss rate; --before-first corrected does not`,
          ]),
    ],
    curves: rates.map(({ subset, curve }) => ({ label: subset.name, curve, missRate: subset.name })),
    format: percent,
  };
};

const uavdt: Evaluate = async (truth, found, { iou = 0.7, sequences }) => {
  const { uavdtAp } = await import("../metrics/uavdt/ap.js");
  const { readUavdtFiles } = await import("../metrics/uavdt/files.js");
  const files = await readUavdtFiles(truth, found, sequences && { sequences });
  const { ap, bounds, positives, scored, truePositives, curve } = uavdtAp(files.images, {
    iouThreshold: iou,
  });
  return {
    numbers: { AP: ap },
    bounds: wide({ AP: bounds }),
    counts: {
      sequences: files.sequences.length,
      frames: files.images.length,
      positives,
      scored,
      truePositives,
    },
    options: { iou, sequences: files.sequences, classes: "all as one", area: "VOC 2010, all points" },
    notes:
      files.withoutIgnored.length === 0
        ? []
        : [`no file of ignored areas: ${files.withoutIgnored.join(", ")}`],
    curves: [{ label: `IoU ${iou}`, curve, precision: "AP" }],
    format: percent,
  };
};

const widerpedestrian: Evaluate = async (truth, found, { ignore, year }) => {
  const { widerPedestrianAp } = await import("../metrics/widerpedestrian/ap.js");
  const { readWiderFiles } = await import("../metrics/widerpedestrian/files.js");
  const files = await readWiderFiles(truth, found, {
    ...(ignore !== undefined && { ignorePath: ignore }),
    ...(year !== undefined && { year }),
  });
  const { map, perThreshold, bounds, positives, scored, curve } = widerPedestrianAp(files.images, {
    year: files.year,
  });
  return {
    numbers: { mAP: map, AP50: perThreshold[0]!.ap, AP75: perThreshold[5]!.ap },
    bounds: wide({ mAP: bounds }),
    counts: { images: files.images.length, positives, scored },
    options: {
      year: files.year,
      iou: perThreshold.map(({ threshold }) => Number(threshold.toFixed(2))),
      area: "VOC 2010, all points",
    },
    notes: [
      ...(files.ignorePath === undefined
        ? ["no file of ignored areas: nothing is ignored (--ignore FILE)"]
        : []),
      ...(files.yearGuessed ? ["the columns fit both years: read as 2019 (--year)"] : []),
    ],
    curves: [{ label: "IoU 0.50", curve, precision: "AP50" }],
    format: fixed,
    ...(files.ignorePath !== undefined && { files: { ignore: files.ignorePath } }),
  };
};

/** By the name that `--metric` takes: how to evaluate, and the options it takes. */
export const detectionMetrics = {
  coco: { evaluate: coco, options: ["maxDets"] },
  crowdhuman: { evaluate: crowdhuman, options: ["boxes", "dtKey"] },
  citypersons: { evaluate: citypersons, options: ["beforeFirst", "maxDets"] },
  uavdt: { evaluate: uavdt, options: ["iou", "sequences"] },
  widerpedestrian: { evaluate: widerpedestrian, options: ["ignore", "year"] },
} as const satisfies Record<
  string,
  { readonly evaluate: Evaluate; readonly options: readonly (keyof MetricOptions)[] }
>;

/** The benchmarks. */
export type DetectionMetric = keyof typeof detectionMetrics;
