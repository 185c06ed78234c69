/** @file Which size a picture has for the model: Qwen's smart_resize. */
import { InputError } from "../base/errors.js";
import type { FrameSize } from "../geometry/box.js";
import type { ImageProcessorConfig } from "./image-processor-config.js";
import { roundHalfEven } from "./stored-dtype.js";

/** A picture may be at most this many times longer than wide. */
const MAX_ASPECT = 200;

/**
 * The size at which the model sees a picture: sides rounded to multiples of one merged token (half to even, as
 * Python's `round`), then shrunk or enlarged into [minPixels, maxPixels] with the aspect ratio of the original.
 * @param size In pixels, at least 1 by 1.
 * @throws InputError when one side is more than 200 times the other, or a side is not a whole positive number.
 */
export function smartResize(
  { width, height }: { readonly width: number; readonly height: number },
  {
    patchSize,
    mergeSize,
    minPixels,
    maxPixels,
  }: Pick<ImageProcessorConfig, "patchSize" | "mergeSize" | "minPixels" | "maxPixels">,
): FrameSize<"model"> {
  for (const side of [width, height]) {
    if (!Number.isInteger(side) || side < 1)
      throw new InputError(`a picture of ${width} x ${height} pixels has no size`);
  }
  if (Math.max(width, height) / Math.min(width, height) > MAX_ASPECT) {
    throw new InputError(
      `a picture of ${width} x ${height} pixels is more than ${MAX_ASPECT} times longer than wide`,
      {
        hint: "Crop it.",
      },
    );
  }
  const factor = patchSize * mergeSize;
  const rounded = {
    width: roundHalfEven(width / factor) * factor,
    height: roundHalfEven(height / factor) * factor,
  };
  const pixels = rounded.width * rounded.height;
  // Both corrections start from the original sides, not from the rounded ones.
  if (pixels > maxPixels) {
    const beta = Math.sqrt((height * width) / maxPixels);
    const shrink = (side: number): number => Math.max(factor, Math.floor(side / beta / factor) * factor);
    return { width: shrink(width), height: shrink(height) };
  }
  if (pixels < minPixels) {
    const beta = Math.sqrt(minPixels / (height * width));
    const enlarge = (side: number): number => Math.ceil((side * beta) / factor) * factor;
    return { width: enlarge(width), height: enlarge(height) };
  }
  return rounded;
}
