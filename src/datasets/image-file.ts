/**
 * @file Picture files to pixels and back (sharp). Choices that change pixels, made once for the whole project:
 * EXIF orientation is applied (a picture is what a person sees); transparency is laid over white; grey, 16-bit and
 * CMYK become 8-bit sRGB; embedded colour profiles are not applied to RGB files, as in the field's Python pipelines.
 */
import { existsSync } from "node:fs";
import sharp from "sharp";
import { writeFileAtomic } from "../base/atomic-file.js";
import { InputError, toError } from "../base/errors.js";
import type { RgbImage } from "../base/rgb-image.js";
import { plainJpegSize } from "./jpeg-size.js";
import type { Sample } from "./sample.js";

/** What lies behind transparent pixels. */
export type Background = "white" | "black";

/** How to decode. */
export interface DecodeOptions {
  /** @default "white" */
  readonly background?: Background;
  /** Name used in errors when decoding from memory. @default "the image" */
  readonly name?: string;
}

/**
 * Decodes a PNG, JPEG, WebP, AVIF, TIFF or GIF (its first frame) from a path or from bytes.
 * @throws InputError naming the file where it is missing, is no picture or is cut off.
 */
export async function decodeImage(
  source: string | Uint8Array,
  options: DecodeOptions = {},
): Promise<RgbImage> {
  const name = typeof source === "string" ? source : (options.name ?? "the image");
  try {
    // A profile is needed to make RGB of CMYK; elsewhere it would shift colours that models were trained without.
    const { space } = await sharp(source).metadata();
    const { data, info } = await sharp(source, { failOn: "error", ignoreIcc: space !== "cmyk" })
      .autoOrient()
      .toColourspace("srgb")
      .flatten({ background: options.background ?? "white" })
      .raw({ depth: "uchar" })
      .toBuffer({ resolveWithObject: true });
    return {
      width: info.width,
      height: info.height,
      data: toRgb(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), info.channels),
    };
  } catch (error) {
    throw unreadable(name, error);
  }
}

/** sharp may leave a grey picture with one channel. */
function toRgb(data: Uint8Array, channels: number): Uint8Array {
  if (channels === 3) return data;
  const pixels = data.length / channels;
  const rgb = new Uint8Array(pixels * 3);
  for (let p = 0; p < pixels; p++) {
    for (let c = 0; c < 3; c++) rgb[p * 3 + c] = data[p * channels + (channels >= 3 ? c : 0)]!;
  }
  return rgb;
}

/** Width and height of a picture file as {@link decodeImage} would give them, from its header alone. */
export async function imageSize(path: string): Promise<{ readonly width: number; readonly height: number }> {
  try {
    const plain = existsSync(path) ? plainJpegSize(path) : undefined;
    if (plain !== undefined) return plain;
    const { autoOrient } = await sharp(path).metadata();
    return { width: autoOrient.width, height: autoOrient.height };
  } catch (error) {
    throw unreadable(path, error);
  }
}

function unreadable(name: string, error: unknown): InputError {
  const { message } = toError(error);
  return /missing/i.test(message)
    ? new InputError(`${name}: no such image file`, {
        hint: "Check the path, and the folder that the dataset's image names are taken from (images).",
        cause: error,
      })
    : new InputError(`${name}: cannot be read as an image (${message})`, {
        hint: "PNG, JPEG, WebP, AVIF, TIFF and GIF are read; a file that was cut off must be fetched again.",
        cause: error,
      });
}

/**
 * The pixels of a sample.
 * @throws InputError where the file cannot be read, or has another size than the annotations were made for.
 */
export async function loadPixels(sample: Sample, options: DecodeOptions = {}): Promise<RgbImage> {
  if (sample.image.kind === "pixels") return sample.image.image;
  const image = await decodeImage(sample.image.path, options);
  if (image.width !== sample.width || image.height !== sample.height) {
    throw new InputError(
      `${sample.image.path}: is ${image.width}x${image.height}, but the annotations of sample "${sample.id}" ` +
        `are for ${sample.width}x${sample.height}`,
      {
        hint: "Its boxes would miss. Use the original picture; EXIF orientation is applied when files are read.",
      },
    );
  }
  return image;
}

/** PNG bytes of a picture; lossless, the same bytes every time. */
export async function encodePng(image: RgbImage): Promise<Uint8Array> {
  return sharp(image.data, { raw: { width: image.width, height: image.height, channels: 3 } })
    .png({ compressionLevel: 9 })
    .toBuffer();
}

/** Writes a PNG file, atomically. */
export async function writePng(path: string, image: RgbImage): Promise<void> {
  await writeFileAtomic(path, await encodePng(image));
}
