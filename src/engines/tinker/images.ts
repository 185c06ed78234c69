/** @file Pictures as files for the wire: PNG, so that the model sees the very pixels that were prepared here. */
import type { RgbImage } from "../../base/rgb-image.js";

const encoded = new WeakMap<RgbImage, Promise<Uint8Array>>();

/** The picture as a PNG file; the responses of a group share their picture, and so its file. */
export function pngOf(image: RgbImage): Promise<Uint8Array> {
  const known = encoded.get(image);
  if (known !== undefined) return known;
  const made = (async () => {
    const { default: sharp } = await import("sharp");
    const { width, height, data } = image;
    return new Uint8Array(
      await sharp(data, { raw: { width, height, channels: 3 } })
        .png()
        .toBuffer(),
    );
  })();
  encoded.set(image, made);
  return made;
}
