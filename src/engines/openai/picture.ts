/**
 * @file A picture at the size it is sent. Brought here to a size that the model's own processor leaves as it is, so that
 * pixels mean the same on both sides, whatever the server does with its limits.
 */
import { InputError } from "../../base/errors.js";
import type { RgbImage } from "../../base/rgb-image.js";
import { resizeBicubic } from "../../qwen/resize.js";
import { smartResize } from "../../qwen/smart-resize.js";
import type { PictureBudget } from "../../response/dialects/index.js";

/**
 * How many times longer than wide a picture may be. Beyond, rounding the short side to whole tokens squeezes it visibly,
 * and what servers do differs: Qwen's processors refuse from 200 on, others tile or pad.
 */
export const MAX_ASPECT = 16;

/**
 * The size that a picture is sent at.
 * @param name What to call it in an error.
 * @throws InputError for a picture that is more than 16 times longer than wide.
 */
export function sentSize(
  { width, height }: { readonly width: number; readonly height: number },
  budget: PictureBudget | undefined,
  name = "a picture",
): { readonly width: number; readonly height: number } {
  if (Math.max(width, height) > MAX_ASPECT * Math.min(width, height)) {
    throw new InputError(
      `${name} of ${width} x ${height} pixels is more than ${MAX_ASPECT} times longer than wide: its boxes could not be trusted`,
      { hint: "Cut it into pieces that overlap, and leave the original out of the data." },
    );
  }
  if (budget === undefined) return { width, height };
  const { factor, minPixels, maxPixels } = budget;
  return smartResize({ width, height }, { patchSize: factor, mergeSize: 1, minPixels, maxPixels });
}

/** The picture as it is sent; the same object where nothing changes. @throws InputError as {@link sentSize} */
export function fitPicture(image: RgbImage, budget: PictureBudget | undefined, name?: string): RgbImage {
  const size = sentSize(image, budget, name);
  return size.width === image.width && size.height === image.height ? image : resizeBicubic(image, size);
}
