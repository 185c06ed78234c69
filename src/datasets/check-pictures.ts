/** @file Looks at a dataset's pictures when it is opened: a wrong folder or size shows before hours of work, not after. */
import { existsSync } from "node:fs";
import { InputError, toError } from "../base/errors.js";
import type { ImageSize } from "./box-audit.js";
import { imageSize } from "./image-file.js";
import { mapOrdered } from "./ordered.js";
import { AnnotationError, type Problems } from "./problems.js";
import type { SampleTruth } from "./sample.js";

/** Whether pictures are looked at: not at all, that they are there, or also that they have the annotated size. */
export type PictureCheck = "none" | "exist" | "size";

/** How to look. */
export interface PictureCheckOptions {
  readonly check: PictureCheck;
  /** The folder that the user named, if any. */
  readonly folder?: string;
  readonly problems: Problems;
}

/**
 * The samples whose pictures are as they should be; those that name none pass. Where no picture is there at all and no folder was named, the
 * annotations may be wanted alone: that is noted, not an error.
 * @throws AnnotationError at the first bad picture, under `onError: error`
 */
export async function checkPictures<S extends SampleTruth>(
  samples: readonly S[],
  { check, folder, problems }: PictureCheckOptions,
): Promise<readonly S[]> {
  if (check === "none") return samples;
  const there = samples.map(({ image }) => image?.kind !== "file" || existsSync(image.path));
  const named = samples.find(({ image }) => image !== undefined);
  if (
    named !== undefined &&
    folder === undefined &&
    !samples.some(({ image }, i) => image !== undefined && there[i])
  ) {
    const path = pathOf(named);
    problems.note("image-missing", `no picture is at hand: ${path} is not there, nor is any other`);
    return samples;
  }
  if (folder !== undefined && !existsSync(folder)) {
    throw new InputError(`${folder}: no such folder of pictures`, {
      hint: "It is what images names. checkImages=none reads the annotations alone.",
    });
  }
  const kept: S[] = [];
  const checked = mapOrdered(samples.entries(), async ([i, sample]) => {
    const { image } = sample;
    const good = await problems.attemptAsync(async () => {
      if (!there[i]) throw missing(sample);
      if (check === "size" && image?.kind === "file") compare(await sizeOf(image.path), sample, image.path);
      return sample;
    });
    return good;
  });
  for await (const sample of checked) if (sample !== undefined) kept.push(sample);
  return kept;
}

function pathOf({ image }: SampleTruth): string {
  return image?.kind === "file" ? image.path : "";
}

function missing(sample: SampleTruth): AnnotationError {
  const problem = `${pathOf(sample)}: no such image file (sample "${sample.id}")`;
  return new AnnotationError("image-missing", problem, {
    hint:
      "Check the folder that the dataset's image names are taken from (images), and that all pictures were " +
      "unpacked. checkImages=none reads the annotations alone.",
  });
}

async function sizeOf(path: string): Promise<ImageSize> {
  try {
    return await imageSize(path);
  } catch (error) {
    throw new AnnotationError("image-unreadable", toError(error).message, { cause: error });
  }
}

/** Two sizes are the same up to a rounding of the smaller one's sides. */
const ROUNDING = 1;

function compare(found: ImageSize, { id, width, height }: SampleTruth, path: string): void {
  if (found.width === width && found.height === height) return;
  throw new AnnotationError(
    "image-size",
    `${path}: is ${found.width}x${found.height}, but the annotations of sample "${id}" are for ${width}x${height}`,
    { hint: explain(found, { width, height }) },
  );
}

function explain(found: ImageSize, annotated: ImageSize): string {
  if (found.width === annotated.height && found.height === annotated.width) {
    return "Width and height are exchanged: the annotations were made without the EXIF orientation, or with it removed.";
  }
  const scale = found.width / annotated.width;
  if (Math.abs(annotated.height * scale - found.height) <= ROUNDING) {
    return (
      `The pictures were resized after they were annotated (by ${scale.toFixed(3)}): use the originals, or scale ` +
      "width, height and every box in the same way."
    );
  }
  return "It is another picture, or a part of it: its boxes would miss. Use the pictures that were annotated.";
}
