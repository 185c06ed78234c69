/**
 * @file Truths and detections of a whole set as flat arrays, in groups of one label and one image: what COCO's matching
 * walks over. Millions of boxes cost their numbers and no objects.
 */
import { InputError } from "../../base/errors.js";

/** Column arrays of boxes that {@link CocoTable} groups. Corners are [count, 4]: x1 y1 x2 y2. */
export interface CocoTruthColumns {
  readonly corners: Float64Array;
  /** For the IoU: width x height. */
  readonly areas: Float64Array;
  /** For the area ranges: the annotation's area, which of a segmented object is smaller than its box's. */
  readonly rangeAreas: Float64Array;
  /** 1 = a region of many, see {@link CocoTruth.crowd}. */
  readonly crowd: Uint8Array;
  /** 1 = takes part but does not count. */
  readonly ignore: Uint8Array;
}

/** Columns of detections. */
export interface CocoDetectionColumns {
  readonly corners: Float64Array;
  readonly areas: Float64Array;
  readonly scores: Float64Array;
}

/** Boxes of a set, grouped: group = label * images + image; a group's boxes keep the order in which they were given. */
export interface CocoTable {
  readonly labels: number;
  readonly images: number;
  readonly truths: CocoTruthColumns;
  /** [groups + 1]: a group's truths are from its number to the next. */
  readonly truthStarts: Int32Array;
  readonly detections: CocoDetectionColumns;
  readonly detectionStarts: Int32Array;
}

/** Makes columns of truths row by row. */
export interface CocoTruthRows {
  readonly groups: Int32Array;
  readonly columns: CocoTruthColumns;
}

/** Makes columns of detections row by row. */
export interface CocoDetectionRows {
  readonly groups: Int32Array;
  readonly columns: CocoDetectionColumns;
}

/** Empty columns for so many truths. */
export function truthRows(count: number): CocoTruthRows {
  return {
    groups: new Int32Array(count),
    columns: {
      corners: new Float64Array(4 * count),
      areas: new Float64Array(count),
      rangeAreas: new Float64Array(count),
      crowd: new Uint8Array(count),
      ignore: new Uint8Array(count),
    },
  };
}

/** Empty columns for so many detections. */
export function detectionRows(count: number): CocoDetectionRows {
  return {
    groups: new Int32Array(count),
    columns: {
      corners: new Float64Array(4 * count),
      areas: new Float64Array(count),
      scores: new Float64Array(count),
    },
  };
}

/** Where each group begins, and each row's place (a stable counting sort). */
function placesOf(groups: Int32Array, count: number): { starts: Int32Array; places: Int32Array } {
  const starts = new Int32Array(count + 1);
  for (let i = 0; i < groups.length; i++) starts[groups[i]! + 1] = starts[groups[i]! + 1]! + 1;
  for (let g = 0; g < count; g++) starts[g + 1] = starts[g + 1]! + starts[g]!;
  const next = starts.slice();
  const places = new Int32Array(groups.length);
  for (let i = 0; i < groups.length; i++) {
    const group = groups[i]!;
    places[i] = next[group]!;
    next[group] = places[i]! + 1;
  }
  return { starts, places };
}

function placed<A extends Float64Array | Uint8Array>(values: A, places: Int32Array, width = 1): A {
  const out = values.slice() as A;
  for (let i = 0; i < places.length; i++) {
    const to = width * places[i]!;
    for (let k = 0; k < width; k++) out[to + k] = values[width * i + k]!;
  }
  return out;
}

/** Groups rows by label and image. @throws InputError where labels x images is more than memory should hold. */
export function cocoTable(
  labels: number,
  images: number,
  truths: CocoTruthRows,
  detections: CocoDetectionRows,
): CocoTable {
  const groups = labels * images;
  if (groups > 2 ** 28) {
    throw new InputError(`${labels} categories x ${images} images are more than one evaluation can hold`, {
      hint: "Evaluate fewer categories at a time.",
    });
  }
  const ofTruths = placesOf(truths.groups, groups);
  const ofDetections = placesOf(detections.groups, groups);
  return {
    labels,
    images,
    truths: {
      corners: placed(truths.columns.corners, ofTruths.places, 4),
      areas: placed(truths.columns.areas, ofTruths.places),
      rangeAreas: placed(truths.columns.rangeAreas, ofTruths.places),
      crowd: placed(truths.columns.crowd, ofTruths.places),
      ignore: placed(truths.columns.ignore, ofTruths.places),
    },
    truthStarts: ofTruths.starts,
    detections: {
      corners: placed(detections.columns.corners, ofDetections.places, 4),
      areas: placed(detections.columns.areas, ofDetections.places),
      scores: placed(detections.columns.scores, ofDetections.places),
    },
    detectionStarts: ofDetections.starts,
  };
}
