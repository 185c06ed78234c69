/** @file Sizes of images for formats that hold none: from a file of sizes, one size for all, or the pictures' headers. */
import { existsSync } from "node:fs";
import { basename, dirname, extname } from "node:path";
import { InputError, toError } from "../base/errors.js";
import type { ImageSize } from "./box-audit.js";
import { arrayField, asObject, fieldError, quoted, readJsonFile, sizeField } from "./fields.js";
import { imageSize } from "./image-file.js";
import { AnnotationError } from "./problems.js";

/** What is known of an image whose size is wanted. */
export interface SizeRequest {
  /** Its id in the dataset. */
  readonly id: string;
  /** Its picture, whether or not it is there. */
  readonly path: string;
  /** Where its record stands, for errors. */
  readonly where: string;
}

/** Gives the size of an image. @throws AnnotationError where nothing tells it */
export type SizeLookup = (request: SizeRequest) => Promise<ImageSize>;

/** Text like `1024x540`: one size for all. */
export function parseSizeText(text: string): ImageSize | undefined {
  const match = /^([1-9]\d*)x([1-9]\d*)$/.exec(text);
  return match === null ? undefined : { width: Number(match[1]), height: Number(match[2]) };
}

/**
 * Makes a lookup. @param sizes `WIDTHxHEIGHT` for all, or the path of a JSON file `{"ID": [height, width]}` (mmdetection's
 * id_hw form) or `{"ID": {"width": W, "height": H}}`; an id may also be the picture's file name with or without ending.
 * Images that it does not tell are asked themselves.
 * @throws InputError for a bad file of sizes
 */
export async function openSizes(sizes: string | undefined): Promise<SizeLookup> {
  const all = sizes === undefined ? undefined : parseSizeText(sizes);
  if (all !== undefined) return async () => all;
  const table = sizes === undefined ? undefined : await readSizes(sizes);
  return async ({ id, path, where }) => {
    const name = basename(path);
    const known = table?.get(id) ?? table?.get(name) ?? table?.get(basename(name, extname(name)));
    return known ?? headerSize(path, id, where, sizes);
  };
}

async function headerSize(path: string, id: string, where: string, sizes?: string): Promise<ImageSize> {
  if (existsSync(path)) {
    try {
      return await imageSize(path);
    } catch (error) {
      const { message, hint } = toError(error) as InputError;
      throw new AnnotationError("image-unreadable", message, {
        ...(hint === undefined ? {} : { hint }),
        cause: error,
      });
    }
  }
  if (existsSync(dirname(path))) {
    throw new AnnotationError("image-missing", `${path}: no such image file (${where})`, {
      hint: "Check the folder that image names are taken from (images), and that all pictures were unpacked.",
    });
  }
  throw new AnnotationError(
    "size-unknown",
    `${where}: the size of image ${quoted(id)} is not known` +
      (sizes === undefined ? "" : `, nor to ${sizes}`),
    {
      hint:
        `The annotations do not tell, and there is no folder ${dirname(path)}. Name the pictures' folder ` +
        '(images=FOLDER), a JSON file {"ID": [height, width]} (sizes=FILE), or one size for all (sizes=1024x540).',
    },
  );
}

async function readSizes(path: string): Promise<Map<string, ImageSize>> {
  const file = asObject(await readJsonFile(path), path, "the file of sizes");
  const sizes = new Map<string, ImageSize>();
  for (const [id, value] of Object.entries(file)) {
    const where = `${path}: size of ${quoted(id)}`;
    if (Array.isArray(value)) {
      const [height, width, ...more] = arrayField({ value }, "value", where);
      if (more.length > 0) throw fieldError(where, "value", `must be [height, width], got ${quoted(value)}`);
      sizes.set(id, sizeOf({ width, height }, where));
    } else sizes.set(id, sizeOf(asObject(value, where, "the value"), where));
  }
  return sizes;
}

function sizeOf(fields: Readonly<Record<string, unknown>>, where: string): ImageSize {
  const width = sizeField(fields, "width", where);
  const height = sizeField(fields, "height", where);
  if (width === undefined) throw fieldError(where, "width", "is missing");
  if (height === undefined) throw fieldError(where, "height", "is missing");
  return { width, height };
}
