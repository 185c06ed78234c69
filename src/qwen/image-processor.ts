/**
 * @file From a picture to the vision tower's input, as transformers' Qwen2VLImageProcessor (torchvision backend) does
 * it, bit for bit: smart-resize, normalise in fp32, cut into patches.
 */
import { InputError } from "../base/errors.js";
import type { RgbImage } from "../base/rgb-image.js";
import type { ImageProcessorConfig } from "./image-processor-config.js";
import { resizeBicubic } from "./resize.js";
import { smartResize } from "./smart-resize.js";

export type { ImageProcessorConfig };

/** Frames, rows and columns of patches. */
export type GridThw = readonly [frames: number, rows: number, columns: number];

/** Patches, ready for the vision tower. */
export interface PatchedImage {
  /**
   * [patches, 3 * temporalPatchSize * patchSize^2]: rows run over merge blocks row by row and inside a block row by
   * row; columns over channel, frame, y, x.
   */
  readonly pixelValues: Float32Array;
  readonly gridThw: GridThw;
}

/** A picture and what became of it. */
export interface PreprocessedImage extends PatchedImage {
  /** At the size the model sees. */
  readonly resized: RgbImage;
}

/** The picture at the size the model sees. @throws InputError for a picture that is too long and thin, or data of another length than its size. */
export function resizeToModel(image: RgbImage, config: ImageProcessorConfig): RgbImage {
  if (image.data.length !== image.width * image.height * 3) {
    throw new InputError(
      `a picture of ${image.width} x ${image.height} pixels needs ${image.width * image.height * 3} bytes of RGB, it has ${image.data.length}`,
    );
  }
  return resizeBicubic(image, smartResize(image, config));
}

/** The grid of patches of a resized picture. @throws InputError when a side is not a multiple of a merged token's. */
export function imageGrid(
  { width, height }: { readonly width: number; readonly height: number },
  { patchSize, mergeSize }: Pick<ImageProcessorConfig, "patchSize" | "mergeSize">,
): GridThw {
  const factor = patchSize * mergeSize;
  if (width % factor !== 0 || height % factor !== 0 || width === 0 || height === 0) {
    throw new InputError(
      `a picture of ${width} x ${height} pixels cannot be cut into tokens of ${factor} x ${factor}`,
      {
        hint: "Resize it with resizeToModel first.",
      },
    );
  }
  return [1, height / patchSize, width / patchSize];
}

/** How many tokens a grid takes in the prompt. */
export function imageTokens([frames, rows, columns]: GridThw, mergeSize: number): number {
  return (frames * rows * columns) / mergeSize ** 2;
}

/**
 * Normalised patches of a resized picture.
 * @throws InputError when a side is not a multiple of a merged token's.
 */
export function patchify(resized: RgbImage, config: ImageProcessorConfig): PatchedImage {
  const { patchSize, mergeSize, temporalPatchSize } = config;
  const gridThw = imageGrid(resized, config);
  const [, rows, columns] = gridThw;
  const table = normalisation(config);
  const area = patchSize * patchSize;
  const { data, width } = resized;
  const pixelValues = new Float32Array(rows * columns * 3 * temporalPatchSize * area);
  let to = 0;
  for (let blockY = 0; blockY < rows; blockY += mergeSize) {
    for (let blockX = 0; blockX < columns; blockX += mergeSize) {
      for (let inner = 0; inner < mergeSize * mergeSize; inner++) {
        const top = (blockY + Math.floor(inner / mergeSize)) * patchSize;
        const left = (blockX + (inner % mergeSize)) * patchSize;
        for (let channel = 0; channel < 3; channel++) {
          const plane = to;
          for (let y = 0; y < patchSize; y++) {
            let from = ((top + y) * width + left) * 3 + channel;
            for (let x = 0; x < patchSize; x++) {
              pixelValues[to++] = table[channel * 256 + data[from]!]!;
              from += 3;
            }
          }
          // A still picture fills its temporal patch with copies of itself.
          for (let frame = 1; frame < temporalPatchSize; frame++) {
            pixelValues.copyWithin(to, plane, plane + area);
            to += area;
          }
        }
      }
    }
  }
  return { pixelValues, gridThw };
}

/** Resize and cut: a picture of any size to the vision tower's input. @throws InputError as {@link resizeToModel}. */
export function preprocess(image: RgbImage, config: ImageProcessorConfig): PreprocessedImage {
  const resized = resizeToModel(image, config);
  return { resized, ...patchify(resized, config) };
}

/**
 * The normalised value of each channel's 256 levels, [3, 256]: (x - 255 mean) / (255 std), each step rounded to fp32
 * in this order, which is not the same as x / 255 first.
 */
function normalisation({ mean, std }: ImageProcessorConfig): Float32Array {
  const table = new Float32Array(3 * 256);
  for (let channel = 0; channel < 3; channel++) {
    const shift = Math.fround(255 * Math.fround(mean[channel]!));
    const scale = Math.fround(255 * Math.fround(std[channel]!));
    for (let level = 0; level < 256; level++) {
      table[channel * 256 + level] = Math.fround(level - shift) / scale;
    }
  }
  return table;
}
