/** @file COCO's ground truth and detection files (CityPersons' have the same form), read into a table. */
import { InputError } from "../../base/errors.js";
import {
  arrayField,
  asObject,
  fieldError,
  quoted,
  readJsonFile,
  type Fields,
} from "../../datasets/fields.js";
import { scoreValue, xywhValue } from "../file-values.js";
import { cocoTable, detectionRows, truthRows, type CocoTable } from "./table.js";

/** A set read from files, in the order in which pycocotools evaluates it. */
export interface CocoFiles {
  readonly table: CocoTable;
  /** Sorted. */
  readonly imageIds: readonly (number | string)[];
  readonly categories: readonly { readonly id: number | string; readonly name: string }[];
  readonly truths: number;
  readonly detections: number;
  /** Detections of categories that the ground truth does not have; left out, as pycocotools does. */
  readonly unknownCategory: number;
}

type Id = number | string;

/** Ids in pycocotools' order: sorted as numbers; text ids, which it would sort as text, by code units. */
function sortIds(ids: readonly Id[]): Id[] {
  const numeric = ids.every((id) => typeof id === "number");
  return numeric
    ? ids.toSorted((a, b) => (a as number) - (b as number))
    : ids.toSorted((a, b) => (String(a) < String(b) ? -1 : 1));
}

function idOf(fields: Fields, field: string, where: () => string): Id {
  const value = fields[field];
  if (typeof value === "number" && Number.isFinite(value)) return value;
  if (typeof value === "string" && value !== "") return value;
  throw fieldError(where(), field, `must be a number or text, got ${quoted(value)}`);
}

/** The other kind of id, where a file has "12" and the other 12. */
function idHint(id: Id, known: ReadonlyMap<Id, number>): string {
  const other = typeof id === "number" ? String(id) : Number(id);
  return known.has(other)
    ? `The ground truth has ${JSON.stringify(other)}: the same id in another type.`
    : "Detections must be of the same set and split as the ground truth.";
}

/** The images of a ground truth, sorted, and their places. */
export function readImageIds(file: Fields, path: string): { ids: Id[]; places: Map<Id, number> } {
  const seen = new Set<Id>();
  arrayField(file, "images", path).forEach((value, i) => {
    const where = () => `${path}: images[${i}]`;
    const id = idOf(asObject(value, where()), "id", where);
    if (seen.has(id)) throw new InputError(`${path}: two images have the id ${quoted(id)}`);
    seen.add(id);
  });
  if (seen.size === 0) throw new InputError(`${path}: has no images`);
  const ids = sortIds([...seen]);
  return { ids, places: new Map(ids.map((id, place) => [id, place])) };
}

/** The entries of a detection file. @throws InputError also where it is no list. */
export async function readDetectionList(path: string): Promise<readonly unknown[]> {
  const value = await readJsonFile(path);
  if (!Array.isArray(value))
    throw new InputError(`${path}: detections must be a list, got ${quoted(value)}`, {
      hint: 'The form is [{"image_id", "category_id", "bbox": [x, y, width, height], "score"}, ...].',
    });
  return value as readonly unknown[];
}

/** Where an entry stands, as errors say it. */
export const entryOf = (path: string, kind: string, i: number, fields?: Fields) => (): string =>
  `${path}: ${kind}[${i}]${fields?.["id"] === undefined ? "" : ` (id ${quoted(fields["id"])})`}`;

/** The place of an entry's image. @throws InputError where the ground truth does not have it. */
export function imagePlace(fields: Fields, places: ReadonlyMap<Id, number>, where: () => string): number {
  const id = idOf(fields, "image_id", where);
  const place = places.get(id);
  if (place === undefined)
    throw fieldError(
      where(),
      "image_id",
      `${quoted(id)} is not among the ground truth's images`,
      idHint(id, places),
    );
  return place;
}

/** 0 or 1; absent is 0. */
export function flagOf(fields: Fields, field: string, where: () => string): 0 | 1 {
  const value = fields[field];
  if (value === undefined || value === null || value === 0 || value === false) return 0;
  if (value === 1 || value === true) return 1;
  throw fieldError(where(), field, `must be 0 or 1, got ${quoted(value)}`);
}

/**
 * Reads ground truth and detections. As in pycocotools, `ignore` flags of annotations are overwritten by `iscrowd`, and
 * images that no detection names count.
 * @throws InputError naming file, entry and field.
 */
export async function readCocoFiles(truthPath: string, detectionPath: string): Promise<CocoFiles> {
  const file = asObject(await readJsonFile(truthPath), truthPath, "the ground truth");
  const { ids, places } = readImageIds(file, truthPath);
  const categories = arrayField(file, "categories", truthPath).map((value, i) => {
    const where = entryOf(truthPath, "categories", i);
    const fields = asObject(value, where());
    const id = idOf(fields, "id", where);
    return { id, name: typeof fields["name"] === "string" ? fields["name"] : String(id) };
  });
  const labels = new Map(categories.map(({ id }, label) => [id, label]));
  if (labels.size < categories.length)
    throw new InputError(`${truthPath}: two categories have the same id`, {
      hint: "Each category needs an id of its own.",
    });
  const annotations = arrayField(file, "annotations", truthPath);
  const truths = truthRows(annotations.length);
  for (let i = 0; i < annotations.length; i++) {
    const fields = asObject(annotations[i], `${truthPath}: annotations[${i}]`);
    const where = entryOf(truthPath, "annotations", i, fields);
    const place = imagePlace(fields, places, where);
    const label = labels.get(fields["category_id"] as Id);
    if (label === undefined)
      throw fieldError(
        where(),
        "category_id",
        `${quoted(fields["category_id"])} is not among the categories`,
      );
    const [x, y, width, height] = xywhValue(fields["bbox"], where, "bbox");
    const area = fields["area"];
    if (area !== undefined && area !== null && !(typeof area === "number" && area >= 0 && area < Infinity))
      throw fieldError(where(), "area", `must be a number of at least 0, got ${quoted(area)}`);
    truths.groups[i] = label * ids.length + place;
    writeRow(truths.columns, i, x, y, width, height);
    truths.columns.rangeAreas[i] = typeof area === "number" ? area : width * height;
    truths.columns.crowd[i] = flagOf(fields, "iscrowd", where);
  }
  const entries = await readDetectionList(detectionPath);
  const detections = detectionRows(entries.length);
  let count = 0;
  for (let i = 0; i < entries.length; i++) {
    const where = entryOf(detectionPath, "detections", i);
    const fields = asObject(entries[i], detectionPath, `detections[${i}]`);
    const place = imagePlace(fields, places, where);
    const [x, y, width, height] = xywhValue(fields["bbox"], where, "bbox");
    const score = scoreValue(fields["score"], where);
    const label = labels.get(idOf(fields, "category_id", where));
    if (label === undefined) continue;
    detections.groups[count] = label * ids.length + place;
    writeRow(detections.columns, count, x, y, width, height);
    detections.columns.scores[count++] = score;
  }
  return {
    table: cocoTable(labels.size, ids.length, truths, {
      groups: detections.groups.subarray(0, count),
      columns: detections.columns,
    }),
    imageIds: ids,
    categories,
    truths: annotations.length,
    detections: count,
    unknownCategory: entries.length - count,
  };
}

function writeRow(
  columns: { readonly corners: Float64Array; readonly areas: Float64Array },
  row: number,
  x: number,
  y: number,
  width: number,
  height: number,
): void {
  columns.corners[4 * row] = x;
  columns.corners[4 * row + 1] = y;
  columns.corners[4 * row + 2] = x + width;
  columns.corners[4 * row + 3] = y + height;
  columns.areas[row] = width * height;
}
