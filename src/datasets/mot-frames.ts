/**
 * @file Which frames of a MOTChallenge sequence are read, and where their pictures lie. Pictures that are at hand must be
 * there for every frame; where there are none at all, the annotations may be wanted alone, and paths are as
 * MOTChallenge numbers them.
 */
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { InputError } from "../base/errors.js";
import type { ImageSize } from "./box-audit.js";
import type { PictureCheck } from "./check-pictures.js";
import { openSizes } from "./image-sizes.js";
import type { SequenceInfo } from "./mot-files.js";
import { AnnotationError, type Problems } from "./problems.js";

/** A frame of gt.txt and its picture. */
export interface MotFrame {
  /** 1-based, as in gt.txt. */
  readonly number: number;
  readonly path: string;
}

/** The frames of a sequence. */
export interface MotFrames {
  /** Folder of the frames, whether or not it is there. */
  readonly folder: string;
  readonly frames: readonly MotFrame[];
  /** The first of them whose picture is at hand. */
  readonly firstPicture: string | undefined;
}

/** What {@link listMotFrames} and {@link motSize} need to know. */
export interface MotFrameOptions {
  /** The folder that the user named, if any: then every frame's picture must be in it. */
  readonly images?: string;
  /** Folder of the frames where none was named. */
  readonly defaultFolder: string;
  readonly info: SequenceInfo;
  /** The last frame that has a row in gt.txt: the end where neither `frames` nor seqinfo.ini says. */
  readonly lastRow: number;
  readonly every?: number;
  readonly frames?: { readonly from?: number; readonly to?: number };
  readonly firstFile?: number;
  readonly fileStep?: number;
  readonly checkImages?: PictureCheck;
  readonly problems: Problems;
}

const PICTURE = /^\D*(\d+)\.(jpe?g|png|webp|bmp|tiff?)$/i;

/**
 * Lists the frames. A frame without a picture is a bad record, unless no picture is at hand and no folder was named,
 * or `checkImages` is `none`.
 * @throws InputError where the folder that was named is not there
 */
export async function listMotFrames(options: MotFrameOptions): Promise<MotFrames> {
  const { info, problems } = options;
  const folder = options.images ?? options.defaultFolder;
  const files = await numberedPictures(folder, options);
  const alone = options.checkImages === "none" || (options.images === undefined && files.size === 0);
  const last = options.frames?.to ?? info.length ?? options.lastRow;
  const first = options.firstFile ?? 1;
  const step = options.fileStep ?? 1;
  const frames: MotFrame[] = [];
  let firstPicture: string | undefined;
  for (let number = 1; number <= last; number += options.every ?? 1) {
    if (number < (options.frames?.from ?? 1)) continue;
    const file = first + (number - 1) / step;
    const found = files.get(file);
    firstPicture ??= found;
    // Between the files of every N-th frame there is no picture to expect.
    const path = found ?? (alone && Number.isInteger(file) ? expectedPath(folder, file, info) : undefined);
    if (path !== undefined) frames.push({ number, path });
    else problems.leaveOut(noPicture(folder, number, file));
  }
  return { folder, frames, firstPicture };
}

async function numberedPictures(folder: string, options: MotFrameOptions): Promise<Map<number, string>> {
  const files = new Map<number, string>();
  let names: string[];
  try {
    names = await readdir(folder);
  } catch (error) {
    const absent = (error as NodeJS.ErrnoException).code === "ENOENT";
    if (options.checkImages === "none" || (options.images === undefined && absent)) return files;
    throw new InputError(`${folder}: no folder of frames`, {
      hint: `${saveFrames(folder)} or name their folder (images). checkImages=none reads the annotations alone.`,
      cause: error,
    });
  }
  for (const name of names) {
    const match = PICTURE.exec(name);
    if (match !== null) files.set(Number(match[1]), join(folder, name));
  }
  return files;
}

/** As MOTChallenge and ffmpeg number files. */
function expectedPath(folder: string, file: number, { extension }: SequenceInfo): string {
  return join(folder, `${String(file).padStart(6, "0")}${extension ?? ".jpg"}`);
}

function saveFrames(folder: string): string {
  return `Save the frames there (ffmpeg -i VIDEO '${join(folder, "%06d.jpg")}')`;
}

function noPicture(folder: string, number: number, file: number): AnnotationError {
  const problem = `${folder}: no picture of frame ${number} (number ${file} in the file's name)`;
  return new AnnotationError("image-missing", problem, {
    hint:
      "Take only the frames that were saved: every, frames. Files that start at 0: firstFile=0. " +
      "Every N-th frame saved as 1, 2, 3 ...: fileStep=N.",
  });
}

/**
 * The one size of a sequence: as seqinfo.ini says, else `sizes` (see {@link openSizes}, by the sequence's name or its first
 * file), else the header of the first picture.
 * @throws InputError where nothing tells it
 */
export async function motSize(
  { folder, frames, firstPicture }: MotFrames,
  { info, name, gt, sizes }: { info: SequenceInfo; name: string; gt: string; sizes?: string },
): Promise<ImageSize> {
  const { width, height } = info;
  if (width !== undefined && height !== undefined) return { width, height };
  const path = firstPicture ?? frames[0]?.path ?? folder;
  try {
    return await (
      await openSizes(sizes)
    )({ id: name, path, where: gt });
  } catch (error) {
    if (firstPicture !== undefined || !(error instanceof AnnotationError)) throw error;
    throw new InputError(`${folder}: no frames there, and the size of the sequence ${name} is not known`, {
      hint:
        `${saveFrames(folder)} or name their folder (images). To read the annotations alone, give the frames' size: ` +
        "imWidth and imHeight in seqinfo.ini, or sizes=768x576.",
      cause: error,
    });
  }
}
