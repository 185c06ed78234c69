/**
 * @file Reads a MOTChallenge sequence as single images: gt.txt with a folder of frames. This is also how PETS09-S2L1
 * comes: MOT15's public gt.txt, and the frames of the video `vtest.avi` (frame k of gt.txt is frame k-1 of the video).
 */
import { existsSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { InputError } from "../base/errors.js";
import { boxArea, clipBox } from "../geometry/overlap.js";
import { box, type Box } from "../geometry/box.js";
import { BoxAudit, type BoxForm, type ImageSize } from "./box-audit.js";
import type { PictureCheck } from "./check-pictures.js";
import { asObject, boxFromXywh, readJsonFile } from "./fields.js";
import { readMotRows, readSequenceInfo, type MotRow } from "./mot-files.js";
import { listMotFrames, motSize } from "./mot-frames.js";
import { Problems } from "./problems.js";
import type { GroundTruthObject, Sample } from "./sample.js";
import { estimateVisibility } from "./visibility-estimate.js";

/** How to read a sequence. */
export interface MotOptions {
  /** Folder of the frames. @default seqinfo's imDir (or `img1`) in the sequence's folder */
  readonly images?: string;
  /** @default seqinfo.ini in the sequence's folder, where it exists */
  readonly seqinfo?: string;
  /** Size of the frames where seqinfo.ini does not say, by the sequence's name (image-sizes.ts). @default the first picture's header */
  readonly sizes?: string;
  /** `none`: frames are read whether or not they have a picture. @default where some are there, or a folder was named, all must be */
  readonly checkImages?: PictureCheck;
  /** Takes frames 1, 1 + every, 1 + 2 every, ... of gt.txt. @default 1 */
  readonly every?: number;
  /** First and last frame of gt.txt, both included. @default the whole sequence */
  readonly frames?: { readonly from?: number; readonly to?: number };
  /** Number in the file name of frame 1: 1 as MOTChallenge and ffmpeg count, 0 where files carry the video's own index. @default 1 */
  readonly firstFile?: number;
  /** Frames of gt.txt from one file to the next: 5 where every 5th frame was saved and numbered 1, 2, 3 ... @default 1 */
  readonly fileStep?: number;
  /** Cuts boxes at the picture's edge. @default true */
  readonly clip?: boolean;
  /** With `clip`: a person of whom less than this share of the box is inside becomes an ignore region. @default 0.25 */
  readonly minInside?: number;
  /** What gt.txt calls the first pixel. @default 0 */
  readonly origin?: 0 | 1;
  /** Guesses visibility from the boxes where the file has no such column. @default false */
  readonly estimateVisibility?: boolean;
  /** A JSON file `{"frame": [[x, y, width, height], ...]}` of further ignore regions. */
  readonly extraIgnore?: string;
  /** Form of the file's boxes. @default "xywh", and files that look otherwise are refused */
  readonly boxes?: BoxForm;
  /** @default "person" */
  readonly label?: string;
  /** @default stop at the first bad record */
  readonly problems?: Problems;
}

/**
 * Streams the frames of a sequence in time order; ids are `<sequence>-<frame>`. Where no picture is at hand and no folder
 * was named, the annotations are read alone, if the size is known.
 * @param path gt.txt, or the sequence's folder (with gt/gt.txt or gt.txt in it).
 * @throws InputError naming file, line and column; also where a frame that was asked for has no picture and
 *   others have, and where no picture is there and nothing tells the size.
 */
export async function* readMot(path: string, options: MotOptions = {}): AsyncGenerator<Sample> {
  const gt = motTruthFile(path);
  const seqinfo = options.seqinfo ?? motSequenceInfo(gt);
  const info = seqinfo === undefined ? {} : await readSequenceInfo(seqinfo);
  const problems = options.problems ?? new Problems();
  const audit = new BoxAudit(gt, { native: "xywh", declared: options.boxes, problems });
  const byFrame = new Map<number, MotRow[]>();
  for await (const row of readMotRows(gt, { ...options, problems })) {
    const list = byFrame.get(row.frame);
    if (list === undefined) byFrame.set(row.frame, [row]);
    else list.push(row);
  }
  const extra = options.extraIgnore === undefined ? undefined : await readExtraIgnore(options.extraIgnore);
  const name = info.name ?? basename(sequenceFolder(gt));
  const list = await listMotFrames({
    ...options,
    defaultFolder: join(sequenceFolder(gt), info.imageFolder ?? "img1"),
    info,
    lastRow: Math.max(0, ...byFrame.keys()),
    problems,
  });
  let size: ImageSize | undefined;
  for (const frame of list.frames) {
    size ??= await motSize(list, { info, name, gt, sizes: options.sizes });
    const rows = byFrame.get(frame.number) ?? [];
    for (const row of rows) audit.observe(row.box, size);
    yield {
      id: `${name}-${String(frame.number).padStart(6, "0")}`,
      image: { kind: "file", path: frame.path },
      ...size,
      ...truthOf(rows, extra?.get(frame.number) ?? [], size, { ...options, problems }),
    };
  }
  audit.finish();
}

/** gt.txt of what may be a sequence's folder. */
export function motTruthFile(path: string): string {
  for (const candidate of [join(path, "gt", "gt.txt"), join(path, "gt.txt")])
    if (existsSync(candidate)) return candidate;
  return path;
}

/** The seqinfo.ini that belongs to a gt.txt, where there is one. */
export function motSequenceInfo(gt: string): string | undefined {
  const path = join(sequenceFolder(gt), "seqinfo.ini");
  return existsSync(path) ? path : undefined;
}

function sequenceFolder(gt: string): string {
  const folder = dirname(resolve(gt));
  return basename(folder) === "gt" ? dirname(folder) : folder;
}

function truthOf(
  rows: readonly MotRow[],
  extra: readonly Box<"image">[],
  size: { readonly width: number; readonly height: number },
  options: MotOptions & { readonly problems: Problems },
): Required<Pick<Sample, "objects" | "ignore" | "ignoreLabels">> {
  const clip = options.clip ?? true;
  const objects: GroundTruthObject[] = [];
  const ignore: Box<"image">[] = [];
  const ignoreLabels: string[] = [];
  const people = rows.filter((row) => row.role !== "other");
  const guesses =
    options.estimateVisibility === true ? estimateVisibility(people.map((row) => row.box)) : undefined;
  for (const [i, row] of people.entries()) {
    const inside = clip ? clipBox(row.box, size) : row.box;
    if (inside === undefined) {
      options.problems.note(
        "box-outside",
        `frame ${row.frame}: the box of ${row.track} lies outside the image of ${size.width}x${size.height}`,
      );
      continue;
    }
    if (row.role === "ignore" || boxArea(inside) < (options.minInside ?? 0.25) * boxArea(row.box)) {
      ignore.push(inside);
      ignoreLabels.push(row.category);
      continue;
    }
    const visibility = row.visibility ?? guesses?.[i];
    objects.push({
      box: inside,
      ...(visibility === undefined ? {} : { visibility }),
      label: options.label ?? "person",
      ...(row.track < 0 ? {} : { id: String(row.track) }),
    });
  }
  for (const region of extra) {
    const inside = clipBox(region, size);
    if (inside === undefined) continue;
    ignore.push(box<"image">(inside.x1, inside.y1, inside.x2, inside.y2));
    ignoreLabels.push("");
  }
  return { objects, ignore, ignoreLabels };
}

async function readExtraIgnore(path: string): Promise<Map<number, Box<"image">[]>> {
  const byFrame = new Map<number, Box<"image">[]>();
  for (const [key, value] of Object.entries(asObject(await readJsonFile(path), path, "the file"))) {
    const where = `${path}: frame ${key}`;
    if (!Number.isInteger(Number(key))) throw new InputError(`${where}: is not a frame number`);
    if (!Array.isArray(value)) throw new InputError(`${where}: must be a list of boxes`);
    byFrame.set(
      Number(key),
      value.map((entry, i) => boxFromXywh(entry, where, `[${i}]`)),
    );
  }
  return byFrame;
}
