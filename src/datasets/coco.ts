/**
 * @file Reads COCO json (and CityPersons' val_gt.json, which has the same form with `im_name`, `vis_bbox` and
 * `vis_ratio`). Boxes are [x, y, width, height] in pixels. `iscrowd: 1` and `ignore: 1` become ignore regions.
 */
import { existsSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { InputError } from "../base/errors.js";
import type { Box } from "../geometry/box.js";
import {
  arrayField,
  asObject,
  boxFromXywh,
  fieldError,
  idField,
  numberField,
  quoted,
  readJsonFile,
  sizeField,
  textField,
  type Fields,
} from "./fields.js";
import { imageSize } from "./image-file.js";
import type { GroundTruthObject, Sample } from "./sample.js";

/** How to read a COCO file. */
export interface CocoOptions {
  /** Folder of the pictures. @default `images` beside the annotation file where it exists, else the file's folder */
  readonly images?: string;
  /** What a box that is not four numbers with an area does. @default "error" */
  readonly badBoxes?: "error" | "skip";
  /** Annotation field that holds the visible share, 0..1. @default "vis_ratio" */
  readonly visibilityField?: string;
  /** Label of every object where the file has no `categories`. @default "person" */
  readonly label?: string;
}

interface ImageEntry {
  readonly path: string;
  readonly where: string;
  readonly width: number | undefined;
  readonly height: number | undefined;
  readonly objects: GroundTruthObject[];
  readonly ignore: Box<"image">[];
}

/**
 * Streams the images of a COCO file in the file's order. Sizes that the file does not give are read from the pictures.
 * @throws InputError naming file, annotation id and field.
 */
export async function* readCoco(path: string, options: CocoOptions = {}): AsyncGenerator<Sample> {
  const images = await readEntries(path, options);
  for (const [id, entry] of images) {
    const { width, height } =
      entry.width !== undefined && entry.height !== undefined
        ? { width: entry.width, height: entry.height }
        : await imageSize(entry.path);
    yield {
      id,
      image: { kind: "file", path: entry.path },
      width,
      height,
      objects: entry.objects,
      ignore: entry.ignore,
    };
  }
}

async function readEntries(path: string, options: CocoOptions): Promise<Map<string, ImageEntry>> {
  const file = asObject(await readJsonFile(path), path, "the file");
  const labels = readCategories(file, path);
  const images = readImages(file, path, options);
  const annotations = arrayField(file, "annotations", path);
  for (let i = 0; i < annotations.length; i++) {
    const fields = asObject(annotations[i], `${path}: annotations[${i}]`);
    const where = `${path}: annotation ${fields["id"] === undefined ? `[${i}]` : quoted(fields["id"])}`;
    const imageId = idField(fields, "image_id", where);
    const image = images.get(imageId);
    if (image === undefined) throw fieldError(where, "image_id", `${imageId} is not among the file's images`);
    addAnnotation(image, fields, where, labels, options);
  }
  return images;
}

function readCategories(file: Fields, path: string): Map<string, string> | undefined {
  if (file["categories"] === undefined) return undefined;
  const labels = new Map<string, string>();
  for (const [i, value] of arrayField(file, "categories", path).entries()) {
    const where = `${path}: categories[${i}]`;
    const fields = asObject(value, where);
    const name = textField(fields, "name", where);
    if (name === undefined) throw fieldError(where, "name", "is missing");
    labels.set(idField(fields, "id", where), name);
  }
  return labels;
}

function readImages(file: Fields, path: string, options: CocoOptions): Map<string, ImageEntry> {
  const beside = join(dirname(path), "images");
  const folder = options.images ?? (existsSync(beside) ? beside : dirname(path));
  const images = new Map<string, ImageEntry>();
  for (const [i, value] of arrayField(file, "images", path).entries()) {
    const fields = asObject(value, `${path}: images[${i}]`);
    const id = idField(fields, "id", `${path}: images[${i}]`);
    const where = `${path}: image ${id}`;
    const name = textField(fields, "file_name", where) ?? textField(fields, "im_name", where);
    if (name === undefined) throw fieldError(where, "file_name", "is missing");
    if (images.has(id)) throw new InputError(`${path}: two images have the id ${id}`);
    images.set(id, {
      path: resolve(folder, name),
      where,
      width: sizeField(fields, "width", where),
      height: sizeField(fields, "height", where),
      objects: [],
      ignore: [],
    });
  }
  return images;
}

function addAnnotation(
  image: ImageEntry,
  fields: Fields,
  where: string,
  labels: ReadonlyMap<string, string> | undefined,
  options: CocoOptions,
): void {
  let full: Box<"image">;
  try {
    full = boxFromXywh(fields["bbox"], where, "bbox");
  } catch (error) {
    if (options.badBoxes === "skip" && error instanceof InputError) return;
    throw error;
  }
  if (isSet(fields, "iscrowd", where) || isSet(fields, "ignore", where)) {
    image.ignore.push(full);
    return;
  }
  const visibility = numberField(fields, options.visibilityField ?? "vis_ratio", where, 0);
  image.objects.push({
    box: full,
    ...(fields["vis_bbox"] === undefined
      ? {}
      : { visible: boxFromXywh(fields["vis_bbox"], where, "vis_bbox") }),
    ...(visibility === undefined ? {} : { visibility: Math.min(1, visibility) }),
    label: labelOf(fields, where, labels, options),
  });
}

function labelOf(
  fields: Fields,
  where: string,
  labels: ReadonlyMap<string, string> | undefined,
  options: CocoOptions,
): string {
  if (labels === undefined) return options.label ?? "person";
  const id = idField(fields, "category_id", where);
  const label = labels.get(id);
  if (label === undefined) throw fieldError(where, "category_id", `${id} is not among the file's categories`);
  return label;
}

function isSet(fields: Fields, field: string, where: string): boolean {
  const value = fields[field];
  if (value === undefined || value === null || value === 0 || value === false) return false;
  if (value === 1 || value === true) return true;
  throw fieldError(where, field, `must be 0 or 1, got ${quoted(value)}`);
}
