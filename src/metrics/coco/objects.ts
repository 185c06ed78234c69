/** @file Tables from boxes in memory, as `eval` and the study have them. */
import type { Box, Frame } from "../../geometry/box.js";
import { cocoTable, detectionRows, truthRows, type CocoTable } from "./table.js";

/** One annotated instance. */
export interface CocoTruth<F extends Frame = Frame> {
  readonly box: Box<F>;
  readonly label: string;
  /** A region of many: matches any number of detections by the share of each that it covers, and none of them counts. @default false */
  readonly crowd?: boolean;
  /** Takes part in matching one to one, but neither it nor its detection counts. @default false */
  readonly ignore?: boolean;
  /** For the area ranges, square pixels. @default the box's area */
  readonly area?: number;
}

/** One detection. */
export interface ScoredBox<F extends Frame = Frame> {
  readonly box: Box<F>;
  readonly label: string;
  /** Any monotone confidence. */
  readonly score: number;
}

/** One image: what is there and what was found. */
export interface CocoImage<F extends Frame = Frame> {
  readonly truths: readonly CocoTruth<F>[];
  readonly detections: readonly ScoredBox<F>[];
}

const areaOf = (box: Box): number => (box.x2 - box.x1) * (box.y2 - box.y1);

function writeCorners(corners: Float64Array, row: number, { x1, y1, x2, y2 }: Box): void {
  corners[4 * row] = x1;
  corners[4 * row + 1] = y1;
  corners[4 * row + 2] = x2;
  corners[4 * row + 3] = y2;
}

/**
 * A table of these images. Labels are those of the truths; detections of others are left out, as nothing could match them.
 * @param known Labels that the table has in any case.
 */
export function tableOfImages(images: readonly CocoImage[], known: readonly string[] = []): CocoTable {
  const labels = new Map(known.map((label, index) => [label, index]));
  let truthCount = 0;
  for (const { truths } of images) {
    truthCount += truths.length;
    for (const { label } of truths) if (!labels.has(label)) labels.set(label, labels.size);
  }
  let detectionCount = 0;
  for (const { detections } of images)
    for (const { label } of detections) if (labels.has(label)) detectionCount++;
  const truths = truthRows(truthCount);
  const detections = detectionRows(detectionCount);
  let [t, d] = [0, 0];
  images.forEach((image, i) => {
    for (const truth of image.truths) {
      truths.groups[t] = labels.get(truth.label)! * images.length + i;
      writeCorners(truths.columns.corners, t, truth.box);
      truths.columns.areas[t] = areaOf(truth.box);
      truths.columns.rangeAreas[t] = truth.area ?? areaOf(truth.box);
      truths.columns.crowd[t] = truth.crowd === true ? 1 : 0;
      truths.columns.ignore[t] = truth.ignore === true ? 1 : 0;
      t++;
    }
    for (const { box, label, score } of image.detections) {
      const index = labels.get(label);
      if (index === undefined) continue;
      detections.groups[d] = index * images.length + i;
      writeCorners(detections.columns.corners, d, box);
      detections.columns.areas[d] = areaOf(box);
      detections.columns.scores[d] = score;
      d++;
    }
  });
  return cocoTable(labels.size, images.length, truths, detections);
}
