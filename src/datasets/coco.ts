/**
 * @file Reads COCO json (and CityPersons' val_gt.json, which has the same form with `im_name`, `vis_bbox` and
 * `vis_ratio`). Boxes are [x, y, width, height] in pixels. `iscrowd: 1` and `ignore: 1` become ignore regions. What COCO
 * has no field for is read from `head_bbox`, `track_id`, `attributes`, `ignore_label` and an image's `sample_id`.
 */
import { existsSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import type { Box } from "../geometry/box.js";
import { BoxAudit, type BoxForm, type ImageSize } from "./box-audit.js";
import {
  arrayField,
  asObject,
  attributesField,
  fieldError,
  flagField,
  idField,
  numberField,
  quoted,
  readJsonFile,
  sizeField,
  textField,
  type Fields,
} from "./fields.js";
import { openSizes } from "./image-sizes.js";
import { mapOrdered } from "./ordered.js";
import { AnnotationError, Problems } from "./problems.js";
import type { GroundTruthObject, Sample } from "./sample.js";

/** How to read a COCO file. */
export interface CocoOptions {
  /** Folder of the pictures. @default `images` beside the annotation file where it exists, else the file's folder */
  readonly images?: string;
  /** Annotation field that holds the visible share, 0..1. @default "vis_ratio" */
  readonly visibilityField?: string;
  /** Form of the file's boxes. @default "xywh", and files that look otherwise are refused */
  readonly boxes?: BoxForm;
  /** Where sizes come from that the file does not give: see {@link openSizes}. @default the pictures' headers */
  readonly sizes?: string;
  /** Label of every object where the file has no `categories`. @default "person" */
  readonly label?: string;
  /** Label of every object, whatever its category. */
  readonly labelAll?: string;
  /** Path of a picture by the name that the file gives it, where `images` does not say enough. */
  readonly findPicture?: (name: string) => string;
  /** @default stop at the first bad record */
  readonly problems?: Problems;
}

interface ImageEntry {
  readonly id: string;
  readonly path: string;
  readonly where: string;
  readonly size: ImageSize | undefined;
  readonly annotations: { readonly fields: Fields; readonly where: string }[];
}

interface Context {
  readonly path: string;
  readonly options: CocoOptions;
  readonly problems: Problems;
  readonly audit: BoxAudit;
  readonly labels: ReadonlyMap<string, string> | undefined;
}

/**
 * Streams the images of a COCO file in the file's order. Sizes that the file does not give are read from the pictures.
 * @throws InputError naming file, annotation id and field.
 */
export async function* readCoco(path: string, options: CocoOptions = {}): AsyncGenerator<Sample> {
  const file = asObject(await readJsonFile(path), path, "the file");
  const problems = options.problems ?? new Problems();
  const context: Context = {
    path,
    options,
    problems,
    audit: new BoxAudit(path, { native: "xywh", declared: options.boxes, problems }),
    labels: readCategories(file, path),
  };
  const images = readImages(file, context);
  shareOut(arrayField(file, "annotations", path), images, context);
  const sizes = await openSizes(options.sizes);
  const samples = mapOrdered(images.values(), (entry) =>
    problems.attemptAsync(async () => toSample(entry, entry.size ?? (await sizes(entry)), context)),
  );
  for await (const sample of samples) if (sample !== undefined) yield sample;
  context.audit.finish();
}

/** Gives each image its annotations. */
function shareOut(
  annotations: readonly unknown[],
  images: ReadonlyMap<string, ImageEntry>,
  { path, problems }: Context,
): void {
  const seen = new Set<string>();
  for (const [i, value] of annotations.entries()) {
    problems.attempt(() => {
      const fields = asObject(value, `${path}: annotations[${i}]`);
      const where = `${path}: annotation ${fields["id"] === undefined ? `[${i}]` : quoted(fields["id"])}`;
      if (fields["id"] !== undefined) {
        const id = idField(fields, "id", where);
        if (seen.has(id)) {
          const hint = "COCO's own tools keep the last one and lose the others: number the annotations anew.";
          throw fieldError(where, "id", `was used before (annotations[${i}])`, hint, "duplicate-id");
        }
        seen.add(id);
      }
      const imageId = idField(fields, "image_id", where);
      const image = images.get(imageId);
      if (image === undefined) {
        const hint = "Image ids of annotations must be ids of images; is the file a part of a larger one?";
        throw fieldError(where, "image_id", `${imageId} is not among the file's images`, hint, "unknown-id");
      }
      image.annotations.push({ fields, where });
    });
  }
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

function readImages(file: Fields, { path, options, problems }: Context): Map<string, ImageEntry> {
  const beside = join(dirname(path), "images");
  const folder = options.images ?? (existsSync(beside) ? beside : dirname(path));
  const images = new Map<string, ImageEntry>();
  const ids = new Set<string>();
  for (const [i, value] of arrayField(file, "images", path).entries()) {
    problems.attempt(() => {
      const fields = asObject(value, `${path}: images[${i}]`);
      const key = idField(fields, "id", `${path}: images[${i}]`);
      const where = `${path}: image ${key}`;
      const name = textField(fields, "file_name", where) ?? textField(fields, "im_name", where);
      if (name === undefined) throw fieldError(where, "file_name", "is missing");
      const id = fields["sample_id"] === undefined ? key : idField(fields, "sample_id", where);
      if (images.has(key) || ids.has(id)) {
        const double = images.has(key) ? key : id;
        throw new AnnotationError("duplicate-id", `${path}: two images have the id ${double}`, {
          hint: "Ids must be unique; files that were joined need new numbers.",
        });
      }
      const width = sizeField(fields, "width", where);
      const height = sizeField(fields, "height", where);
      ids.add(id);
      images.set(key, {
        id,
        path: options.findPicture?.(name) ?? resolve(folder, name),
        where,
        size: width !== undefined && height !== undefined ? { width, height } : undefined,
        annotations: [],
      });
    });
  }
  return images;
}

function toSample(entry: ImageEntry, size: ImageSize, context: Context): Sample {
  const objects: GroundTruthObject[] = [];
  const ignore: Box<"image">[] = [];
  const ignoreLabels: string[] = [];
  for (const { fields, where } of entry.annotations) {
    context.problems.attempt(() => {
      if (flagField(fields, "iscrowd", where) || flagField(fields, "ignore", where)) {
        const region = context.audit.readIgnore(fields["bbox"], where, "bbox", size);
        if (region === undefined) return;
        ignore.push(region);
        ignoreLabels.push(textField(fields, "ignore_label", where) ?? "");
      } else objects.push(toObject(fields, where, size, context));
    });
  }
  return {
    id: entry.id,
    image: { kind: "file", path: entry.path },
    ...size,
    objects,
    ignore,
    ...(ignoreLabels.some((label) => label !== "") ? { ignoreLabels } : {}),
  };
}

function toObject(fields: Fields, where: string, size: ImageSize, context: Context): GroundTruthObject {
  const { audit, options, labels } = context;
  const full = audit.read(fields["bbox"], where, "bbox", size);
  const visibility = numberField(fields, options.visibilityField ?? "vis_ratio", where, 0);
  const visible = audit.readDetail(fields["vis_bbox"], where, "vis_bbox");
  const head = audit.readDetail(fields["head_bbox"], where, "head_bbox");
  const track = fields["track_id"] ?? undefined;
  const attributes = attributesField(fields, "attributes");
  return {
    box: full,
    ...(visible === undefined ? {} : { visible }),
    ...(head === undefined ? {} : { head }),
    ...(visibility === undefined ? {} : { visibility: Math.min(1, visibility) }),
    label: options.labelAll ?? labelOf(fields, where, labels, options),
    ...(track === undefined ? {} : { id: idField(fields, "track_id", where) }),
    ...(attributes === undefined ? {} : { attributes }),
  };
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
  if (label === undefined) {
    const hint = `The file's categories are ${[...labels.keys()].slice(0, 8).join(", ")}.`;
    throw fieldError(where, "category_id", `${id} is not among the file's categories`, hint, "unknown-id");
  }
  return label;
}
