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

/** The truths of one image, as the file has them. */
export interface CityPersonsTruthRows {
  readonly boxes: Xywh[];
  readonly ignore: number[];
  readonly heights: number[];
  readonly visibility: number[];
}

/** A ground truth, images by id. */
export interface CityPersonsTruthFile {
  readonly ids: readonly (number | string)[];
  readonly places: ReadonlyMap<number | string, number>;
  readonly rows: readonly CityPersonsTruthRows[];
  readonly truths: number;
  readonly otherCategories: number;
}

/** Reads val_gt.json alone. @throws InputError naming file, entry and field. */
export async function readCityPersonsTruths(path: string): Promise<CityPersonsTruthFile> {
  const file = asObject(await readJsonFile(path), path, "the ground truth");
  const { ids, places } = readImageIds(file, path);
  const rows = ids.map((): CityPersonsTruthRows => ({ boxes: [], ignore: [], heights: [], visibility: [] }));
  let [truths, otherCategories] = [0, 0];
  arrayField(file, "annotations", path).forEach((value, i) => {
    const fields = asObject(value, `${path}: annotations[${i}]`);
    const where = entryOf(path, "annotations", i, fields);
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
  return { ids, places, rows, truths, otherCategories };
}

/** Reads ground truth and detections. @throws InputError naming file, entry and field. */
export async function readCityPersonsFiles(
  truthPath: string,
  detectionPath: string,
): Promise<CityPersonsFiles> {
  const { places, rows, truths, otherCategories: otherTruths } = await readCityPersonsTruths(truthPath);
  const found = rows.map(() => ({ boxes: [] as Xywh[], scores: [] as number[] }));
  let [detections, otherCategories] = [0, otherTruths];
  (await readDetectionList(detectionPath)).forEach((value, i) => {
    const where = entryOf(detectionPath, "detections", i);
    const fields = asObject(value, detectionPath, `detections[${i}]`);
    const row = found[imagePlace(fields, places, where)]!;
    const box = xywhValue(fields["bbox"], where, "bbox");
    const score = scoreValue(fields["score"], where);
    if (fields["category_id"] !== PEDESTRIAN) {
      otherCategories++;
      return;
    }
    row.boxes.push(box);
    row.scores.push(score);
    detections++;
  });
  return {
    images: rows.map((row, i) => ({
      truths: plainFromXywh(row.boxes),
      ignore: Uint8Array.from(row.ignore),
      heights: Float64Array.from(row.heights),
      visibility: Float64Array.from(row.visibility),
      detections: { ...plainFromXywh(found[i]!.boxes), scores: Float64Array.from(found[i]!.scores) },
      detectionHeights: Float64Array.from(found[i]!.boxes, (box) => box[3]),
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
