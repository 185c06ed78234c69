/** @file Writes a dataset as a folder of its own: PNG pictures, COCO json and JSON Lines, all or nothing. */
import { existsSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { writeFolderAtomic } from "../base/atomic-file.js";
import { InputError } from "../base/errors.js";
import type { Box } from "../geometry/box.js";
import type { Dataset } from "./dataset.js";
import { encodePng, loadPixels } from "./image-file.js";
import { toJsonlLine } from "./jsonl.js";
import type { GroundTruthObject, Sample } from "./sample.js";

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
    const names = new Set<string>();
    for await (const sample of dataset.samples()) {
      const name = fileNameOf(sample.id, names);
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

/** A file name from an id: letters that file systems disagree about are replaced; clashes are numbered. */
function fileNameOf(id: string, taken: Set<string>): string {
  const stem = id.replaceAll(/[^\w.-]+/g, "_").slice(0, 120) || "image";
  let name = `${stem}.png`;
  // Some file systems do not tell upper from lower case.
  for (let n = 2; taken.has(name.toLowerCase()); n++) name = `${stem}-${n}.png`;
  taken.add(name.toLowerCase());
  return name;
}

/** Collects the COCO form. Ids are numbers from 1, as pycocotools wants them. */
class CocoBuilder {
  private readonly images: object[] = [];
  private readonly annotations: object[] = [];
  private readonly categories = new Map<string, number>();
  private readonly dataset: Dataset;

  constructor(dataset: Dataset) {
    this.dataset = dataset;
  }

  add(sample: Sample, fileName: string): void {
    const id = this.images.length + 1;
    this.images.push({
      id,
      file_name: fileName,
      width: sample.width,
      height: sample.height,
      sample_id: sample.id,
    });
    for (const object of sample.objects) this.addBox(id, this.category(object.label), object.box, 0, object);
    // An ignore region belongs to no category of its own; COCO wants one.
    for (const region of sample.ignore)
      this.addBox(id, this.category(sample.objects[0]?.label ?? "person"), region, 1);
  }

  finish(): object {
    const { name, fingerprint } = this.dataset;
    return {
      info: { description: name, fingerprint },
      images: this.images,
      annotations: this.annotations,
      categories: [...this.categories].map(([label, id]) => ({ id, name: label })),
    };
  }

  private category(label: string): number {
    const id = this.categories.get(label) ?? this.categories.size + 1;
    this.categories.set(label, id);
    return id;
  }

  private addBox(
    image: number,
    category: number,
    full: Box<"image">,
    ignore: 0 | 1,
    object?: GroundTruthObject,
  ): void {
    const [x, y, width, height] = xywh(full);
    this.annotations.push({
      id: this.annotations.length + 1,
      image_id: image,
      category_id: category,
      bbox: [x, y, width, height],
      area: width * height,
      iscrowd: ignore,
      ignore,
      ...(object?.visible === undefined ? {} : { vis_bbox: xywh(object.visible) }),
      ...(object?.visibility === undefined ? {} : { vis_ratio: object.visibility }),
    });
  }
}

function xywh(b: Box<"image">): [number, number, number, number] {
  return [b.x1, b.y1, b.x2 - b.x1, b.y2 - b.y1];
}
