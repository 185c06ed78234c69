/**
 * @file A picture at the size it is sent. Brought here to a size that the model's own processor leaves as it is, so that
 * pixels mean the same on both sides, whatever the server does with its limits.
 */
import type { RgbImage } from "../../base/rgb-image.js";
import { resizeBicubic } from "../../qwen/resize.js";
import { smartResize } from "../../qwen/smart-resize.js";
import type { PictureBudget } from "../../response/dialects/index.js";

/** The size that a picture is sent at. @throws InputError for a picture that is more than 200 times longer than wide */
export function sentSize(
  { width, height }: { readonly width: number; readonly height: number },
  budget: PictureBudget | undefined,
): { readonly width: number; readonly height: number } {
  if (budget === undefined) return { width, height };
  const { factor, minPixels, maxPixels } = budget;
  return smartResize({ width, height }, { patchSize: factor, mergeSize: 1, minPixels, maxPixels });
}

/** The picture as it is sent; the same object where nothing changes. */
export function fitPicture(image: RgbImage, budget: PictureBudget | undefined): RgbImage {
  const size = sentSize(image, budget);
  return size.width === image.width && size.height === image.height ? image : resizeBicubic(image, size);
}
