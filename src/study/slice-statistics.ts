/**
 * @file Parts of the data (metrics/slices.ts) as functions of weighted images, so that every part's precision, recall and F1
 * can be resampled. A tally of an image is that of all its responses.
 */
import {
  countedLabels,
  precisionRecall,
  sliceResponses,
  UNMATCHED,
  type Slice,
  type SliceDimension,
} from "../metrics/index.js";
import type { EvaluatedImage } from "../rl/index.js";
import type { WeightedStatistic } from "./bootstrap-sides.js";

/** A number that a part of the data has. */
export type SliceNumber = "precision" | "recall" | "f1" | "countError";

/** One part, of one system. */
export interface SliceStatistics {
  readonly by: SliceDimension;
  readonly bucket: string;
  /** Objects of the part, in one response to each image. */
  readonly truths: number;
  /** What the part has: of `visibility` recall alone (a false alarm has none), of `objects` the counting error too. */
  readonly numbers: Readonly<Partial<Record<SliceNumber, WeightedStatistic>>>;
}

/** What one image adds to a part: hits, predictions, objects, absolute counting error, responses. */
const WIDTH = 5;

interface Part {
  readonly by: SliceDimension;
  readonly bucket: string;
  /** Images x WIDTH. */
  readonly table: Float64Array;
  truths: number;
}

/** By label: unlike the other dimensions, sliceResponses leaves it out of an image with a single label. */
function labelSlices(image: EvaluatedImage): Slice[] {
  const counts = new Map<string, { truths: number; hits: number; alarms: number }>();
  const of = (label: string) => {
    const found = counts.get(label) ?? { truths: 0, hits: 0, alarms: 0 };
    counts.set(label, found);
    return found;
  };
  for (const { answer, matches } of image.responses) {
    const labels = countedLabels(answer, image.truth);
    for (const { label } of image.truth.objects) of(label).truths++;
    matches.forEach((match, i) => {
      if (match >= 0) of(image.truth.objects[match]!.label).hits++;
      else if (match === UNMATCHED && labels[i] !== undefined) of(labels[i]).alarms++;
    });
  }
  return [...counts].map(([bucket, { truths, hits, alarms }]) => ({
    by: "label",
    bucket,
    truths,
    truePositives: hits,
    predictions: hits + alarms,
    precision: null,
    recall: null,
    f1: null,
    iou: null,
  }));
}

function slicesOf(image: EvaluatedImage): Slice[] {
  const { width, height, truth, responses } = image;
  const others = sliceResponses(
    responses.map(({ answer, matches }) => ({ width, height, truth, predictions: answer, matches })),
  ).filter(({ by }) => by !== "label");
  return [...others, ...labelSlices(image)];
}

function statisticOf({ table }: Part, which: SliceNumber): WeightedStatistic {
  return (weights) => {
    let [truePositives, predictions, truths, errors, responses] = [0, 0, 0, 0, 0];
    for (let i = 0, at = 0; i < weights.length; i++, at += WIDTH) {
      const weight = weights[i]!;
      if (weight === 0) continue;
      truePositives += weight * table[at]!;
      predictions += weight * table[at + 1]!;
      truths += weight * table[at + 2]!;
      errors += weight * table[at + 3]!;
      responses += weight * table[at + 4]!;
    }
    if (which === "countError") return errors / responses;
    // A part that is not among these images says nothing; neither does precision without predictions.
    if (truths + predictions === 0) return Number.NaN;
    if (which === "recall" && truths === 0) return Number.NaN;
    if (which === "precision" && predictions === 0) return Number.NaN;
    return precisionRecall([{ truePositives, predictions, truths }])[which];
  };
}

/** The order of dimensions and buckets is that of sliceResponses over all images; labels come last, where there are several. */
export function sliceStatistics(images: readonly EvaluatedImage[]): SliceStatistics[] {
  const parts = new Map<string, Part>();
  images.forEach((image, i) => {
    for (const slice of slicesOf(image)) {
      const { by, bucket } = slice;
      const key = `${by} ${bucket}`;
      let part = parts.get(key);
      if (part === undefined)
        parts.set(key, (part = { by, bucket, table: new Float64Array(WIDTH * images.length), truths: 0 }));
      const { counting } = slice;
      part.table.set(
        [
          slice.truePositives,
          slice.predictions ?? 0,
          slice.truths,
          counting === undefined ? 0 : counting.mae * counting.responses,
          counting?.responses ?? 0,
        ],
        WIDTH * i,
      );
      part.truths += slice.truths / Math.max(1, image.responses.length);
    }
  });
  const order = sliceResponses(
    images.flatMap(({ width, height, truth, responses }) =>
      responses.map(({ answer, matches }) => ({ width, height, truth, predictions: answer, matches })),
    ),
  ).map(({ by, bucket }) => `${by} ${bucket}`);
  return order.flatMap((key): SliceStatistics[] => {
    const part = parts.get(key);
    if (part === undefined) return [];
    const names: readonly SliceNumber[] =
      part.by === "visibility"
        ? ["recall"]
        : ["precision", "recall", "f1", ...(part.by === "objects" ? (["countError"] as const) : [])];
    return [
      {
        by: part.by,
        bucket: part.bucket,
        truths: part.truths,
        numbers: Object.fromEntries(names.map((name) => [name, statisticOf(part, name)])),
      },
    ];
  });
}
