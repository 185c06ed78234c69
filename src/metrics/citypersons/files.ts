/** @file CityPersons' evaluation files: val_gt.json (COCO's form with `height`, `vis_ratio` and `ignore`) and detections as COCO's. */
import { asObject, arrayField, fieldError, numberField, readJsonFile } from "../../datasets/fields.js";
import { entryOf, flagOf, imagePlace, readDetectionList, readImageIds } from "../coco/files.js";
import { scoreValue, xywhValue, type Xywh } from "../file-values.js";
import { plainFromXywh } from "../plain.js";
import type { CityPersonsImage } from "./miss-rate.js";

/** The evaluator looks at this category alone. */
const PEDESTRIAN = 1;

/** A set read from files, images by id. */
export interface CityPersonsFiles {
  readonly images: readonly CityPersonsImage[];
  readonly truths: number;
  readonly detections: number;
  /** Annotations and detections of other categories; left out, as the evaluator does. */
  readonly otherCategories: number;
}

interface Rows {
  readonly boxes: Xywh[];
  readonly ignore: number[];
  readonly heights: number[];
  readonly visibility: number[];
  readonly found: Xywh[];
  readonly scores: number[];
}

/** Reads ground truth and detections. @throws InputError naming file, entry and field. */
export async function readCityPersonsFiles(
  truthPath: string,
  detectionPath: string,
): Promise<CityPersonsFiles> {
  const file = asObject(await readJsonFile(truthPath), truthPath, "the ground truth");
  const { ids, places } = readImageIds(file, truthPath);
  const rows = ids.map((): Rows => ({
    boxes: [],
    ignore: [],
    heights: [],
    visibility: [],
    found: [],
    scores: [],
  }));
  let [truths, detections, otherCategories] = [0, 0, 0];
  arrayField(file, "annotations", truthPath).forEach((value, i) => {
    const fields = asObject(value, `${truthPath}: annotations[${i}]`);
    const where = entryOf(truthPath, "annotations", i, fields);
    const row = rows[imagePlace(fields, places, where)]!;
    const box = xywhValue(fields["bbox"], where, "bbox");
    if (fields["category_id"] !== PEDESTRIAN) {
      otherCategories++;
      return;
    }
    const visible =
      numberField(fields, "vis_ratio", where(), 0) ?? visibleShare(fields["vis_bbox"], box, where);
    row.boxes.push(box);
    row.ignore.push(flagOf(fields, "ignore", where));
    row.heights.push(numberField(fields, "height", where(), 0) ?? box[3]);
    row.visibility.push(visible);
    truths++;
  });
  (await readDetectionList(detectionPath)).forEach((value, i) => {
    const where = entryOf(detectionPath, "detections", i);
    const fields = asObject(value, detectionPath, `detections[${i}]`);
    const row = rows[imagePlace(fields, places, where)]!;
    const box = xywhValue(fields["bbox"], where, "bbox");
    const score = scoreValue(fields["score"], where);
    if (fields["category_id"] !== PEDESTRIAN) {
      otherCategories++;
      return;
    }
    row.found.push(box);
    row.scores.push(score);
    detections++;
  });
  return {
    images: rows.map((row) => ({
      truths: plainFromXywh(row.boxes),
      ignore: Uint8Array.from(row.ignore),
      heights: Float64Array.from(row.heights),
      visibility: Float64Array.from(row.visibility),
      detections: { ...plainFromXywh(row.found), scores: Float64Array.from(row.scores) },
      detectionHeights: Float64Array.from(row.found, (box) => box[3]),
    })),
    truths,
    detections,
    otherCategories,
  };
}

function visibleShare(visible: unknown, box: Xywh, where: () => string): number {
  if (visible === undefined || visible === null)
    throw fieldError(
      where(),
      "vis_ratio",
      "is missing",
      "Subsets are chosen by it: visible area / whole area.",
    );
  const [, , width, height] = xywhValue(visible, where, "vis_bbox");
  return box[2] * box[3] > 0 ? (width * height) / (box[2] * box[3]) : 0;
}
