/**
 * @file The same numbers over parts of the data: where objects crowd, by their height, by how much of them can be seen, by
 * label, and by how many there are in an image. A mean over all of it hides what a method for crowds is for.
 */
import { connectedGroups } from "../geometry/groups.js";
import { iou } from "../geometry/overlap.js";
import { overlappingPairs } from "../geometry/pairs.js";
import type { Box, Frame } from "../geometry/box.js";
import { countingErrors } from "./counting.js";
import { countedLabels, UNMATCHED, type MatchedBoxes } from "./precision-recall.js";

/** One response to an image, with the image's size in the frame of the boxes (pixels of the original). */
export interface SlicedResponse<F extends Frame = Frame> extends MatchedBoxes<F> {
  readonly width: number;
  readonly height: number;
}

/** What the data is cut by. */
export type SliceDimension = "crowding" | "height" | "heightShare" | "visibility" | "label" | "objects";

/** One part of the data. Objects and predictions are counted in every response. */
export interface Slice {
  readonly by: SliceDimension;
  readonly bucket: string;
  readonly truths: number;
  readonly truePositives: number;
  /**
   * Predictions of this part: those that matched one of its objects, and the false alarms that belong to it by their own
   * height or label, by the object they overlap most (crowding: IoU > 0.3, else they are alone), or by their image (objects).
   * Null for visibility: a false alarm has none.
   */
  readonly predictions: number | null;
  readonly precision: number | null;
  /** Null where there are no objects. */
  readonly recall: number | null;
  readonly f1: number | null;
  /** Mean IoU of the matched pairs, null where there is none. */
  readonly iou: number | null;
  /** Only by `objects`: responses, and their counting errors. */
  readonly counting?: { readonly responses: number; readonly mae: number; readonly bias: number };
}

/** Objects crowd where their boxes are joined, directly or through others, by an IoU above this. */
export const CROWDED_IOU = 0.3;

/** Buckets from limits: `[low, high)`. The last is open. */
interface Limits {
  readonly names: readonly string[];
  /** Lower end of every bucket but the first, rising. */
  readonly from: readonly number[];
}

const bucketOf = ({ names, from }: Limits, value: number): string => {
  let at = 0;
  while (at < from.length && value >= from[at]!) at++;
  return names[at]!;
};

/** Heights in pixels of the original: the sides of COCO's areas, 32 and 96. */
const heights: Limits = { names: ["small (<32 px)", "medium (32-96 px)", "large (>=96 px)"], from: [32, 96] };
/** Heights as shares of the image's. */
const heightShares: Limits = {
  names: ["small (<5%)", "medium (5-20%)", "large (>=20%)"],
  from: [0.05, 0.2],
};
/** CityPersons' bounds: heavily occluded 0.2 to 0.65, reasonable from 0.65; bare from 0.9. */
const visibilities: Limits = {
  names: ["hidden (<0.2)", "heavy (0.2-0.65)", "partial (0.65-0.9)", "bare (>=0.9)"],
  from: [0.2, 0.65, 0.9],
};
const objectCounts: Limits = {
  names: ["none", "1-4", "5-9", "10-19", "20-49", "50 or more"],
  from: [1, 5, 10, 20, 50],
};

/** In which part objects and false alarms of one response are; undefined: in none. */
interface Assignment {
  readonly truths: readonly (string | undefined)[];
  /** By prediction; read for false alarms only. */
  readonly alarms: readonly (string | undefined)[];
}

type Assign = (response: SlicedResponse) => Assignment;

const heightOf = ({ y1, y2 }: Box): number => y2 - y1;

function byCrowding({ predictions, truth }: SlicedResponse): Assignment {
  const boxes = truth.objects.map(({ box }) => box);
  const truths = boxes.map(() => "isolated");
  for (const group of connectedGroups(boxes, CROWDED_IOU))
    if (group.length > 1) for (const index of group) truths[index] = "crowded";
  const best = predictions.map(() => 0);
  const alarms = predictions.map(() => "isolated");
  const near = overlappingPairs(
    predictions.map(({ box }) => box),
    boxes,
    CROWDED_IOU,
  );
  near.rows.forEach((row, k) => {
    if (near.weights[k]! <= Math.max(CROWDED_IOU, best[row]!)) return;
    best[row] = near.weights[k]!;
    alarms[row] = truths[near.columns[k]!]!;
  });
  return { truths, alarms };
}

function byHeight(limits: Limits, share: boolean): Assign {
  return ({ predictions, truth, height }) => {
    const bucket = ({ box }: { readonly box: Box }) =>
      bucketOf(limits, share ? heightOf(box) / height : heightOf(box));
    return { truths: truth.objects.map(bucket), alarms: predictions.map(bucket) };
  };
}

const assignments: Record<Exclude<SliceDimension, "objects">, Assign> = {
  crowding: byCrowding,
  height: byHeight(heights, false),
  heightShare: byHeight(heightShares, true),
  visibility: ({ predictions, truth }) => ({
    truths: truth.objects.map(({ visibility }) =>
      visibility === undefined ? undefined : bucketOf(visibilities, visibility),
    ),
    alarms: predictions.map(() => undefined),
  }),
  label: ({ predictions, truth }) => ({
    truths: truth.objects.map(({ label }) => label),
    alarms: countedLabels(predictions, truth),
  }),
};

/** Order of buckets; labels come as they are met. */
const orders: Record<SliceDimension, readonly string[]> = {
  crowding: ["isolated", "crowded"],
  height: heights.names,
  heightShare: heightShares.names,
  visibility: visibilities.names,
  label: [],
  objects: objectCounts.names,
};

class Counts {
  truths = 0;
  truePositives = 0;
  falseAlarms = 0;
  iouSum = 0;
  readonly counted: { predicted: number; actual: number }[] = [];
}

function countInto(of: (bucket: string) => Counts, response: SlicedResponse, { truths, alarms }: Assignment) {
  for (const bucket of truths) if (bucket !== undefined) of(bucket).truths++;
  for (const [i, match] of response.matches.entries()) {
    const bucket = match >= 0 ? truths[match] : match === UNMATCHED ? alarms[i] : undefined;
    if (bucket === undefined) continue;
    const counts = of(bucket);
    if (match >= 0) {
      counts.truePositives++;
      counts.iouSum += iou(response.predictions[i]!.box, response.truth.objects[match]!.box);
    } else counts.falseAlarms++;
  }
}

function sliceOf(by: SliceDimension, bucket: string, counts: Counts): Slice {
  const { truths, truePositives, falseAlarms, iouSum, counted } = counts;
  const predictions = by === "visibility" ? null : truePositives + falseAlarms;
  const { mae, bias } = countingErrors(counted);
  return {
    by,
    bucket,
    truths,
    truePositives,
    predictions,
    precision: predictions === null || predictions === 0 ? null : truePositives / predictions,
    recall: truths === 0 ? null : truePositives / truths,
    f1:
      predictions === null || predictions + truths === 0
        ? null
        : (2 * truePositives) / (predictions + truths),
    iou: truePositives === 0 ? null : iouSum / truePositives,
    ...(by === "objects" && { counting: { responses: counted.length, mae, bias } }),
  };
}

/** Numbers of every part that has anything in it; by label only where there are several. */
export function sliceResponses(responses: readonly SlicedResponse[]): Slice[] {
  return (Object.keys(orders) as SliceDimension[]).flatMap((by) => {
    const buckets = new Map<string, Counts>(orders[by].map((name) => [name, new Counts()]));
    const of = (bucket: string): Counts => {
      let counts = buckets.get(bucket);
      if (counts === undefined) buckets.set(bucket, (counts = new Counts()));
      return counts;
    };
    for (const response of responses) {
      if (by !== "objects") {
        countInto(of, response, assignments[by](response));
        continue;
      }
      const bucket = bucketOf(objectCounts, response.truth.objects.length);
      const all = {
        truths: response.truth.objects.map(() => bucket),
        alarms: response.predictions.map(() => bucket),
      };
      countInto(of, response, all);
      of(bucket).counted.push({
        predicted: response.matches.filter((match) => match >= UNMATCHED).length,
        actual: response.truth.objects.length,
      });
    }
    const filled = [...buckets].filter(
      ([, { truths, falseAlarms, counted }]) => truths + falseAlarms + counted.length > 0,
    );
    if (by === "label" && filled.length < 2) return [];
    return filled.map(([bucket, counts]) => sliceOf(by, bucket, counts));
  });
}
