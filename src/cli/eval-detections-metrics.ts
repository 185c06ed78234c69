/** @file What `eval-detections` runs: each benchmark's files read and evaluated, its numbers under its own names. */
import type { BenchmarkReport } from "../metrics/benchmark-numbers.js";
import type { BenchmarkName } from "../metrics/benchmark-truth.js";
import type { CocoTable } from "../metrics/coco/table.js";
import type { DetectedImage } from "../metrics/detection-layout.js";

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

/** What an evaluation prints. */
export interface Evaluated extends BenchmarkReport {
  /** A number as text, the way the official tool prints it. */
  readonly format: (value: number) => string;
  /** Files read beside ground truth and detections. */
  readonly files?: Readonly<Record<string, string>>;
}

type Evaluate = (truth: string, found: string, options: MetricOptions) => Promise<Evaluated>;

const plural = (count: number, one: string, many = `${one}s`) => `${count} ${count === 1 ? one : many}`;

/** The report, with further notes before its own. */
async function evaluated(
  benchmark: BenchmarkName,
  report: BenchmarkReport,
  images: Iterable<DetectedImage>,
  notes: readonly (string | false)[],
): Promise<Evaluated> {
  const { benchmarkText } = await import("../metrics/benchmark-numbers.js");
  const { layoutNote } = await import("../metrics/detection-layout.js");
  const all: readonly (string | false)[] = [layoutNote(images) ?? false, ...notes, ...report.notes];
  return {
    ...report,
    notes: all.filter((note) => note !== false),
    format: (value) => benchmarkText(benchmark, value),
  };
}

/** Boxes of one label and one image at a time. */
function* groupsOf(table: CocoTable): Generator<DetectedImage> {
  const { truths, truthStarts, detections, detectionStarts } = table;
  for (let group = 0; group + 1 < truthStarts.length; group++) {
    const [from, to] = [truthStarts[group]!, truthStarts[group + 1]!];
    const [first, last] = [detectionStarts[group]!, detectionStarts[group + 1]!];
    yield {
      truths: { corners: truths.corners.subarray(4 * from, 4 * to) },
      detections: {
        corners: detections.corners.subarray(4 * first, 4 * last),
        scores: detections.scores.subarray(first, last),
      },
    };
  }
}

const coco: Evaluate = async (truth, found, { maxDets = 500 }) => {
  const { cocoReport } = await import("../metrics/benchmark-numbers.js");
  const { readCocoFiles } = await import("../metrics/coco/files.js");
  const { table, unknownCategory } = await readCocoFiles(truth, found);
  return evaluated("coco", cocoReport(table, { maxDets }), groupsOf(table), [
    unknownCategory > 0 &&
      `${plural(unknownCategory, "detection")} of categories that the ground truth does not have were left out, as pycocotools does`,
  ]);
};

const crowdhuman: Evaluate = async (truth, found, { boxes = "full", dtKey }) => {
  const { crowdHumanReport } = await import("../metrics/benchmark-numbers.js");
  const { readCrowdHumanFiles } = await import("../metrics/crowdhuman/files.js");
  const files = await readCrowdHumanFiles(truth, found, {
    boxes,
    ...(dtKey !== undefined && { detectionKey: dtKey }),
  });
  const report = crowdHumanReport(files.images, { boxes, jaccardImages: files.jaccardImages });
  const options = {
    ...report.options,
    detectionKey: files.detectionKey,
    jiTruths: files.jaccardTruthsFromDetections > 0 ? "detection file" : "annotations",
  };
  return evaluated("crowdhuman", { ...report, options }, files.images, [
    files.missing > 0 &&
      `${plural(files.missing, "image has", "images have")} no line in the detections: nothing was found there (the official evaluator stops)`,
  ]);
};

const citypersons: Evaluate = async (truth, found, { beforeFirst, maxDets }) => {
  const { cityPersonsReport } = await import("../metrics/benchmark-numbers.js");
  const { readCityPersonsFiles } = await import("../metrics/citypersons/files.js");
  const { images, otherCategories } = await readCityPersonsFiles(truth, found);
  const report = cityPersonsReport(images, {
    ...(beforeFirst !== undefined && { beforeFirst }),
    ...(maxDets !== undefined && { maxDetections: maxDets }),
  });
  return evaluated("citypersons", report, images, [
    otherCategories > 0 &&
      `${plural(otherCategories, "entry", "entries")} of categories other than 1 were left out, as the evaluator does`,
  ]);
};

const uavdt: Evaluate = async (truth, found, { iou, sequences }) => {
  const { uavdtReport } = await import("../metrics/benchmark-numbers.js");
  const { readUavdtFiles } = await import("../metrics/uavdt/files.js");
  const files = await readUavdtFiles(truth, found, sequences && { sequences });
  const report = uavdtReport(files.images, { ...(iou !== undefined && { iou }) });
  const named = {
    ...report,
    counts: { sequences: files.sequences.length, ...report.counts },
    options: { ...report.options, sequences: files.sequences },
  };
  return evaluated("uavdt", named, files.images, [
    files.withoutIgnored.length > 0 && `no file of ignored areas: ${files.withoutIgnored.join(", ")}`,
  ]);
};

const widerpedestrian: Evaluate = async (truth, found, { ignore, year }) => {
  const { widerReport } = await import("../metrics/benchmark-numbers.js");
  const { readWiderFiles } = await import("../metrics/widerpedestrian/files.js");
  const files = await readWiderFiles(truth, found, {
    ...(ignore !== undefined && { ignorePath: ignore }),
    ...(year !== undefined && { year }),
  });
  const report = widerReport(files.images, { year: files.year });
  const result = await evaluated("widerpedestrian", report, files.images, [
    files.ignorePath === undefined && "no file of ignored areas: nothing is ignored (--ignore FILE)",
    files.yearGuessed && "the columns fit both years: read as 2019 (--year)",
  ]);
  return { ...result, ...(files.ignorePath !== undefined && { files: { ignore: files.ignorePath } }) };
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
