/** @file Detections in the form that a benchmark's official tool reads, so that its own evaluator can be run on a model's boxes. */
import { join } from "node:path";
import { writeFileAtomic } from "../base/atomic-file.js";
import { InputError } from "../base/errors.js";
import { countedDetections, inOfficialOrder, type BenchmarkImage } from "./benchmark-truth.js";

/** Numbers keep all their digits: what is read back is what was written. */
function cocoEntries(
  images: readonly BenchmarkImage[],
  categoryOf: (label: string | undefined) => number | string | undefined,
): string {
  const entries = images.flatMap((image) =>
    countedDetections(image).flatMap(({ box, label, score }) => {
      const category = categoryOf(label);
      return category === undefined
        ? []
        : [JSON.stringify({ image_id: image.truth.imageId, category_id: category, bbox: box, score })];
    }),
  );
  return entries.length === 0 ? "[]\n" : `[\n${entries.join(",\n")}\n]\n`;
}

/** A line an image, with the truths that the toolkit's JI is computed from. */
function odgt(images: readonly BenchmarkImage[]): string {
  return images
    .map((image) => {
      const { truth, width, height } = image;
      if (truth.benchmark !== "crowdhuman") return "";
      const line = {
        ID: truth.imageId,
        width,
        height,
        dtboxes: countedDetections(image).map(({ box, score }) => ({ box, score, tag: 1 })),
        gtboxes: truth.boxes.map((box, i) => ({ box, tag: truth.ignore[i] === 1 ? -1 : 1 })),
      };
      return `${JSON.stringify(line)}\n`;
    })
    .join("");
}

/** UAVDT's columns: frame, id (none), left, top, width, height, score, and two that detections do not have. */
function uavdtFiles(images: readonly BenchmarkImage[]): Map<string, string> {
  const files = new Map<string, string>();
  for (const image of images) {
    const id = String(image.truth.imageId);
    const at = id.lastIndexOf("-");
    const [name, frame] = [id.slice(0, at), Number(id.slice(at + 1))];
    const lines = countedDetections(image).map(
      ({ box, score }) => `${[frame, -1, ...box, score, -1, -1].join(",")}\n`,
    );
    files.set(name, (files.get(name) ?? "") + lines.join(""));
  }
  return files;
}

const widerLines = (images: readonly BenchmarkImage[]): string =>
  images
    .flatMap((image) =>
      countedDetections(image).map(({ box, score }) => `${[image.truth.imageId, score, ...box].join(" ")}\n`),
    )
    .join("");

/**
 * Writes the boxes of these images, whole or not at all: for COCO and CityPersons a JSON list, for CrowdHuman an .odgt, for
 * WIDER Pedestrian a submission, for UAVDT a folder with a file a sequence.
 *
 * @param options.categoryIds COCO: the category of each label.
 * @returns the files written.
 * @throws InputError without images, or for COCO without categories.
 */
export async function writeBenchmarkDetections(
  path: string,
  images: readonly BenchmarkImage[],
  options: { readonly categoryIds?: ReadonlyMap<string, number | string> } = {},
): Promise<string[]> {
  const ordered = inOfficialOrder(images);
  const first = ordered[0]?.truth;
  if (first === undefined)
    throw new InputError(`${path}: there is no image whose detections could be written`);
  if (first.benchmark === "uavdt") {
    const written: string[] = [];
    for (const [name, text] of uavdtFiles(ordered)) {
      const file = join(path, `${name}.txt`);
      await writeFileAtomic(file, text);
      written.push(file);
    }
    return written;
  }
  await writeFileAtomic(path, textOf(path, ordered, options.categoryIds));
  return [path];
}

function textOf(
  path: string,
  images: readonly BenchmarkImage[],
  categoryIds: ReadonlyMap<string, number | string> | undefined,
): string {
  const { benchmark, labels } = images[0]!.truth;
  if (benchmark === "crowdhuman") return odgt(images);
  if (benchmark === "widerpedestrian") return widerLines(images);
  // CityPersons' only category is 1.
  if (benchmark === "citypersons") return cocoEntries(images, () => 1);
  if (categoryIds === undefined)
    throw new InputError(`${path}: COCO's detections need the ids of the categories`);
  const only = labels.length === 1 ? labels[0] : undefined;
  return cocoEntries(images, (label = only) => (label === undefined ? undefined : categoryIds.get(label)));
}
