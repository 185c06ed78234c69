/**
 * @file The project's own form, one image a line:
 * `{"id","image","width","height","objects":[{"bbox":[x1,y1,x2,y2],"label","visibility"?,"visible"?}],"ignore":[[...]]}`.
 * Boxes are corners in pixels of the original image. The same form without `image` is what `score` takes.
 */
import { createReadStream } from "node:fs";
import { dirname, resolve } from "node:path";
import { createInterface } from "node:readline";
import { InputError, toError } from "../base/errors.js";
import type { Box } from "../geometry/box.js";
import {
  arrayField,
  asObject,
  boxFromCorners,
  fieldError,
  idField,
  numberField,
  quoted,
  sizeField,
  textField,
  type Fields,
} from "./fields.js";
import { imageSize } from "./image-file.js";
import type { GroundTruthObject, ImageSource, Sample } from "./sample.js";

/** What is known of an image whose pixels may not be at hand. */
export type SampleTruth = Omit<Sample, "image"> & { readonly image?: ImageSource };

/** How to read the project's JSON Lines. */
export interface JsonlOptions {
  /** Folder that image paths are relative to. @default the file's folder */
  readonly images?: string;
  /** Label of objects that name none. @default "person" */
  readonly label?: string;
}

/**
 * Streams the lines of a file; `image` may be missing where `width` and `height` are given.
 * @throws InputError naming file, line and field.
 */
export async function* readJsonlTruth(path: string, options: JsonlOptions = {}): AsyncGenerator<SampleTruth> {
  const seen = new Map<string, number>();
  for await (const { line, value } of readLines(path)) {
    const where = `${path}:${line}`;
    const sample = await toTruth(asObject(value, where, "the line"), where, path, options);
    const before = seen.get(sample.id);
    if (before !== undefined) {
      throw fieldError(
        where,
        "id",
        `${quoted(sample.id)} was used before, in line ${before}`,
        "Ids must be unique.",
      );
    }
    seen.set(sample.id, line);
    yield sample;
  }
}

/** Like {@link readJsonlTruth}, but every line must have an image. */
export async function* readJsonlSamples(path: string, options: JsonlOptions = {}): AsyncGenerator<Sample> {
  for await (const truth of readJsonlTruth(path, options)) {
    const { image } = truth;
    if (image === undefined) {
      throw new InputError(`${path}: sample ${quoted(truth.id)} has no image`, {
        hint: 'Give each line an "image" path, relative to the file.',
      });
    }
    yield { ...truth, image };
  }
}

async function* readLines(path: string): AsyncGenerator<{ line: number; value: unknown }> {
  const stream = createReadStream(path, "utf8");
  let line = 0;
  try {
    for await (const raw of createInterface({ input: stream, crlfDelay: Infinity })) {
      line++;
      const text = line === 1 ? raw.replace(/^\uFEFF/, "") : raw;
      if (text.trim() === "") continue;
      yield { line, value: parseLine(text, `${path}:${line}`) };
    }
  } catch (error) {
    if (error instanceof InputError) throw error;
    throw new InputError(`${path}: cannot be read (${toError(error).message})`, {
      hint: "Give the path of a JSON Lines file: one JSON object a line.",
      cause: error,
    });
  } finally {
    stream.destroy();
  }
}

function parseLine(text: string, where: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw new InputError(`${where}: is not JSON (${toError(error).message})`, {
      hint: "Each line must be one whole JSON object; a pretty-printed file or a JSON array is not JSON Lines.",
      cause: error,
    });
  }
}

async function toTruth(
  fields: Fields,
  where: string,
  path: string,
  options: JsonlOptions,
): Promise<SampleTruth> {
  const id = idField(fields, "id", where);
  const name = textField(fields, "image", where);
  const file = name === undefined ? undefined : resolve(options.images ?? dirname(path), name);
  let width = sizeField(fields, "width", where);
  let height = sizeField(fields, "height", where);
  if (width === undefined || height === undefined) {
    if (file === undefined) {
      throw fieldError(
        where,
        width === undefined ? "width" : "height",
        "is missing, and there is no image to ask",
      );
    }
    ({ width, height } = await imageSize(file));
  }
  return {
    id,
    ...(file === undefined ? {} : { image: { kind: "file", path: file } as const }),
    width,
    height,
    objects: arrayField(fields, "objects", where).map((value, i) => toObject(value, where, i, options)),
    ignore: (fields["ignore"] === undefined ? [] : arrayField(fields, "ignore", where)).map((value, i) =>
      boxFromCorners(value, where, `ignore[${i}]`),
    ),
  };
}

function toObject(value: unknown, where: string, index: number, options: JsonlOptions): GroundTruthObject {
  const at = `objects[${index}]`;
  const fields = asObject(value, where, at);
  const inside = `${where}: ${at}`;
  const visibility = numberField(fields, "visibility", inside, 0);
  if (visibility !== undefined && visibility > 1) {
    throw fieldError(inside, "visibility", `must be within 0..1, got ${visibility}`);
  }
  return {
    box: boxFromCorners(fields["bbox"], where, `${at}.bbox`),
    ...(fields["visible"] === undefined
      ? {}
      : { visible: boxFromCorners(fields["visible"], where, `${at}.visible`) }),
    ...(visibility === undefined ? {} : { visibility }),
    label: textField(fields, "label", inside) ?? options.label ?? "person",
  };
}

/** A line of the file, without the line break. `image` is the path to write; absent where there is none. */
export function toJsonlLine(sample: SampleTruth, image?: string): string {
  const corners = (b: Box<"image">) => [b.x1, b.y1, b.x2, b.y2];
  return JSON.stringify({
    id: sample.id,
    image,
    width: sample.width,
    height: sample.height,
    objects: sample.objects.map((o) => ({
      bbox: corners(o.box),
      label: o.label,
      visibility: o.visibility,
      visible: o.visible === undefined ? undefined : corners(o.visible),
    })),
    ignore: sample.ignore.map(corners),
  });
}
