/** @file Writes a dataset as a folder of its own: PNG pictures, COCO json and JSON Lines, all or nothing. */
import { existsSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { writeFolderAtomic } from "../base/atomic-file.js";
import { InputError } from "../base/errors.js";
import type { Dataset } from "./dataset.js";
import { encodePng, loadPixels } from "./image-file.js";
import { toJsonlLine } from "./jsonl.js";
import type { Sample } from "./sample.js";
import { Categories, cocoAnnotations, type CocoAnnotation } from "./writers/coco-records.js";
import { pictureNames } from "./writers/picture-names.js";

/** Names inside a dataset folder. */
export const DATASET_FILES = {
  coco: "annotations.json",
  jsonl: "samples.jsonl",
  images: "images",
  about: "dataset.json",
} as const;

/** Options of {@link writeDataset}. */
export interface WriteDatasetOptions {
  /** Replaces a dataset folder that is there. @default false */
  readonly overwrite?: boolean;
  /** Called after each picture. */
  readonly onProgress?: (done: number, total: number) => void;
}

/**
 * Writes `images/*.png`, `annotations.json` (COCO; visibility as `vis_ratio` and `vis_bbox`), `samples.jsonl` and
 * `dataset.json` (name, spec, fingerprint). The folder appears when all of it is written.
 * @throws InputError where the folder is there and is not to be replaced, or is no dataset folder.
 */
export async function writeDataset(
  dataset: Dataset,
  folder: string,
  options: WriteDatasetOptions = {},
): Promise<void> {
  const target = resolve(folder);
  await refuseOther(target, options.overwrite ?? false);
  await writeFolderAtomic(target, async (temporary) => {
    await mkdir(join(temporary, DATASET_FILES.images));
    const coco = new CocoBuilder(dataset);
    const lines: string[] = [];
    const nameOf = pictureNames("");
    for await (const sample of dataset.samples()) {
      const name = nameOf(sample.id, ".png");
      await writeFile(join(temporary, DATASET_FILES.images, name), await encodePng(await loadPixels(sample)));
      coco.add(sample, name);
      lines.push(toJsonlLine(sample, `${DATASET_FILES.images}/${name}`));
      options.onProgress?.(lines.length, dataset.length);
    }
    await writeFile(join(temporary, DATASET_FILES.coco), JSON.stringify(coco.finish()) + "\n");
    await writeFile(join(temporary, DATASET_FILES.jsonl), lines.map((line) => line + "\n").join(""));
    const { name, spec, fingerprint } = dataset;
    await writeFile(
      join(temporary, DATASET_FILES.about),
      JSON.stringify({ name, images: lines.length, spec, fingerprint }, null, 2) + "\n",
    );
  });
}

/** Only what this function wrote before is ever replaced: a wrong path must not cost anyone a folder. */
async function refuseOther(target: string, overwrite: boolean): Promise<void> {
  if (!existsSync(target)) return;
  if (!overwrite) {
    throw new InputError(`${target}: is there already`, {
      hint: "Choose another folder, or ask to overwrite.",
    });
  }
  const about = await readFile(join(target, DATASET_FILES.about), "utf8").catch(() => "");
  if (!about.includes('"fingerprint"')) {
    throw new InputError(`${target}: holds no dataset written by this program, so it is not overwritten`, {
      hint: "Remove it yourself, or choose another folder.",
    });
  }
}

/** Collects the COCO form. Ids are numbers from 1, as pycocotools wants them. */
class CocoBuilder {
  private readonly images: object[] = [];
  private readonly annotations: CocoAnnotation[] = [];
  private readonly categories = new Categories();
  private boxes = 0;
  private readonly dataset: Dataset;

  constructor(dataset: Dataset) {
    this.dataset = dataset;
  }

  add(sample: Sample, fileName: string): void {
    const id = this.images.length + 1;
    const { width, height } = sample;
    this.images.push({ id, file_name: fileName, width, height, sample_id: sample.id });
    for (const annotation of cocoAnnotations(sample, id, this.categories, () => ++this.boxes))
      this.annotations.push(annotation);
  }

  finish(): object {
    const { name, fingerprint } = this.dataset;
    return {
      info: { description: name, fingerprint },
      images: this.images,
      annotations: this.annotations,
      categories: this.categories.list(),
    };
  }
}
