/** @file The picture that a model is asked about: a file of the reader's, or one of a run's samples. */
import type { DetectRequest } from "../../../src/server/studio/api.js";
import type { Picture } from "../overlay/paint.js";

/** A picture that was chosen. */
export interface ChosenPicture {
  readonly name: string;
  /** For the request. */
  readonly image: DetectRequest["image"];
  /** Nothing where this browser cannot show it; the server may still read it. */
  readonly picture: Picture;
  readonly width: number;
  readonly height: number;
}

/** Files beyond this are refused before they are sent; the server takes some 48 MB of base64. */
const MOST_BYTES = 34 * 2 ** 20;

/** Kinds that the server reads. */
export const ACCEPTED = "image/png,image/jpeg,image/webp,image/avif,image/tiff,image/gif";

function base64Of(file: Blob): Promise<string> {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => {
      const url = String(reader.result);
      resolve(url.slice(url.indexOf(",") + 1));
    };
    reader.onerror = () => reject(new Error(`The file could not be read: ${reader.error?.message ?? ""}`));
    reader.readAsDataURL(file);
  });
}

/**
 * Reads a file that was dropped, pasted or chosen.
 * @throws Error in words for what is no picture, is empty, or is too large.
 */
export async function pictureOfFile(file: File): Promise<ChosenPicture> {
  const name = file.name === "" ? "pasted picture" : file.name;
  if (file.size === 0) throw new Error(`${name} is empty.`);
  if (file.size > MOST_BYTES)
    throw new Error(
      `${name} has ${Math.round(file.size / 2 ** 20)} MB; up to ${MOST_BYTES / 2 ** 20} MB can be sent. Save it smaller, or as JPEG.`,
    );
  if (file.type !== "" && !file.type.startsWith("image/"))
    throw new Error(`${name} is no picture (${file.type}). Give a PNG, JPEG, WebP, AVIF, TIFF or GIF file.`);
  const image = { base64: await base64Of(file) };
  try {
    const picture = await createImageBitmap(file);
    return { name, image, picture, width: picture.width, height: picture.height };
  } catch {
    // TIFF, most of all: the server reads what the browser cannot show. Its answer tells the size.
    if (file.type !== "image/tiff" && !/\.tiff?$/i.test(name))
      throw new Error(`${name} cannot be read as a picture. Give a PNG, JPEG, WebP, AVIF, TIFF or GIF file.`);
    return { name, image, picture: undefined, width: 4, height: 3 };
  }
}

/** The first picture among what was dropped or pasted. */
export function fileOf(data: DataTransfer | null): File | undefined {
  const files = [...(data?.files ?? [])];
  return files.find((file) => file.type.startsWith("image/")) ?? files[0];
}
