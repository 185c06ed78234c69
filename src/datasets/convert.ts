/**
 * @file Turns any dataset into any form that has a writer. Samples stream from reader to writer; the new file or folder
 * appears when it is whole, under its name only then; what the form cannot hold is counted.
 */
import { constants, existsSync, statSync } from "node:fs";
import { copyFile, mkdir, open, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { basename, dirname, extname, join, relative, resolve, sep } from "node:path";
import { randomBytes } from "node:crypto";
import { TEMPORARY_PREFIX, writeFolderAtomic } from "../base/atomic-file.js";
import { DipError, InputError, toError } from "../base/errors.js";
import type { Dataset } from "./dataset.js";
import { encodePng, loadPixels } from "./image-file.js";
import type { Sample } from "./sample.js";
import type { FormOptions, FormWriter } from "./writers/form.js";
import { formNamed, type FormName } from "./writers/index.js";
import { lossTally, type Loss } from "./writers/losses.js";
import { createTextFile, type TextFile } from "./writers/text-file.js";

/** File in a converted folder that says what it is and where it comes from; only such folders are ever replaced. */
export const ABOUT_FILE = "dataset.json";

/** Options of {@link convertDataset}. */
export interface ConvertOptions extends FormOptions {
  /** The form to write. */
  readonly format: FormName;
  /** The file or folder to write (see {@link writesFolder}). */
  readonly out: string;
  /** Copies the pictures beside the annotations; the output is then a folder. @default false */
  readonly copyImages?: boolean;
  /** Refers to pictures that are not copied by absolute paths. @default false: relative to the new files */
  readonly absolutePaths?: boolean;
  /** Replaces what is at `out`. @default false */
  readonly force?: boolean;
  /** Called after each sample. */
  readonly onProgress?: (done: number, total: number) => void;
}

/** What {@link convertDataset} did. */
export interface ConvertReport {
  readonly format: FormName;
  /** Absolute. */
  readonly out: string;
  readonly images: number;
  readonly objects: number;
  readonly ignore: number;
  readonly losses: readonly Loss[];
}

/** Whether the output is a folder: for forms of several files, and wherever pictures are copied. */
export function writesFolder(format: FormName, copyImages = false): boolean {
  return copyImages || formNamed(format).layout === "folder";
}

/**
 * Converts a dataset.
 *
 * @example
 * const dataset = await openDataset("crowdhuman:annotation_val.odgt?images=Images");
 * const { losses } = await convertDataset(dataset, { format: "coco", out: "val.json" });
 *
 * @throws InputError where `out` is there already or cannot be written, where a picture is missing, or where the form
 *   cannot hold the dataset at all. Nothing is left behind then.
 */
export async function convertDataset(dataset: Dataset, options: ConvertOptions): Promise<ConvertReport> {
  const out = resolve(options.out);
  const folder = writesFolder(options.format, options.copyImages);
  const form = formNamed(options.format, out);
  try {
    await refuseOther(out, folder, options.force ?? false);
    if (!folder) return await intoFile(out, (target) => write(dataset, target, undefined, out, options));
    let report: ConvertReport | undefined;
    await writeFolderAtomic(out, async (temporary) => {
      const target = form.layout === "folder" ? temporary : join(temporary, form.fileName);
      report = await write(
        dataset,
        target,
        options.copyImages === true ? temporary : undefined,
        out,
        options,
      );
      const { name, spec, fingerprint } = dataset;
      const about = { name, format: options.format, images: report.images, from: spec, fingerprint };
      await writeFile(join(temporary, ABOUT_FILE), JSON.stringify(about, null, 2) + "\n");
    });
    return report!;
  } catch (error) {
    if (error instanceof DipError || (error as NodeJS.ErrnoException).code === undefined) throw error;
    throw new InputError(`${out}: cannot be written (${toError(error).message})`, {
      hint: "Nothing was left there. Look at the path, its permissions and the space on the disk.",
      cause: error,
    });
  }
}

async function intoFile<T>(out: string, fill: (temporary: string) => Promise<T>): Promise<T> {
  await mkdir(dirname(out), { recursive: true });
  const prefix = `${TEMPORARY_PREFIX}${basename(out)}-${randomBytes(6).toString("hex")}`;
  try {
    const temporary = join(dirname(out), prefix);
    const result = await fill(temporary);
    const handle = await open(temporary, "r+");
    await handle.sync().finally(() => handle.close());
    await rename(temporary, out);
    return result;
  } catch (error) {
    // Also what a form keeps beside its file while it writes.
    for (const name of await readdir(dirname(out)).catch(() => []))
      if (name.startsWith(prefix)) await rm(join(dirname(out), name), { force: true });
    throw error;
  }
}

async function write(
  dataset: Dataset,
  target: string,
  pictures: string | undefined,
  out: string,
  options: ConvertOptions,
): Promise<ConvertReport> {
  const form = formNamed(options.format, out);
  const losses = lossTally();
  const copied = options.copyImages ?? false;
  const folder = writesFolder(options.format, copied) ? out : dirname(out);
  const base = form.pictureBase?.(folder) ?? folder;
  const refer = (path: string) => {
    const there = options.absolutePaths === true ? resolve(path) : relative(base, resolve(path));
    return there.split(sep).join("/");
  };
  const files: TextFile[] = [];
  const create = async (path: string) => {
    const file = await createTextFile(path);
    files.push(file);
    return file;
  };
  try {
    const writer = await form.open({ target, dataset, losses, copied, refer, options, create });
    const counts = await pass(dataset, writer, { pictures, refer, onProgress: options.onProgress });
    return { format: options.format, out, ...counts, losses: losses.list() };
  } finally {
    for (const file of files) await file.close();
  }
}

interface PassOptions {
  /** The folder that pictures are copied into, where they are. */
  readonly pictures: string | undefined;
  readonly refer: (path: string) => string;
  readonly onProgress: ConvertOptions["onProgress"];
}

/** All samples through the writer. */
async function pass(dataset: Dataset, writer: FormWriter, { pictures, refer, onProgress }: PassOptions) {
  const counts = { images: 0, objects: 0, ignore: 0 };
  for await (const sample of dataset.samples()) {
    let picture: string;
    if (pictures !== undefined) {
      picture = writer.pictureName(sample, extensionOf(sample));
      await copyPicture(sample, join(pictures, picture));
    } else if (sample.image.kind === "file") picture = refer(sample.image.path);
    else
      throw new InputError(`${dataset.name}: sample "${sample.id}" has no picture file to refer to`, {
        hint: "Generated scenes are pictures in memory: write them out with --copy-images.",
      });
    await writer.add(sample, picture);
    counts.images++;
    counts.objects += sample.objects.length;
    counts.ignore += sample.ignore.length;
    onProgress?.(counts.images, dataset.length);
  }
  await writer.finish();
  return counts;
}

/** With its dot, in lower case. */
function extensionOf(sample: Sample): string {
  return sample.image.kind === "file" ? extname(sample.image.path).toLowerCase() : ".png";
}

async function copyPicture(sample: Sample, to: string): Promise<void> {
  await mkdir(dirname(to), { recursive: true });
  if (sample.image.kind === "pixels") {
    await writeFile(to, await encodePng(await loadPixels(sample)), { flag: "wx" });
    return;
  }
  const { path } = sample.image;
  const missing = await stat(path).then(
    (entry) => !entry.isFile(),
    () => true,
  );
  if (missing)
    throw new InputError(`${path}: no such image file`, {
      hint: "Check the folder that the dataset's image names are taken from (images).",
    });
  await copyFile(path, to, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
}

/** A wrong path must cost no one a folder: only what `data convert` or `data generate` wrote is replaced. */
async function refuseOther(out: string, folder: boolean, force: boolean): Promise<void> {
  if (!existsSync(out)) return;
  const isFolder = statSync(out).isDirectory();
  if (isFolder !== folder)
    throw new InputError(`${out}: is a ${isFolder ? "folder" : "file"}`, {
      hint: `What is asked for is a ${folder ? "folder" : "file"}: choose another path.`,
    });
  if (!force)
    throw new InputError(`${out}: is there already`, {
      hint: "Choose another path, or replace it with --force.",
    });
  if (!folder) return;
  const about = await readFile(join(out, ABOUT_FILE), "utf8").catch(() => "");
  if (!about.includes('"fingerprint"') && (await readdir(out)).length > 0)
    throw new InputError(`${out}: holds no dataset written by this program, so it is not replaced`, {
      hint: "Remove it yourself, or choose another path.",
    });
}
