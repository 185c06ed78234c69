/**
 * @file Reads UAVDT: vehicles (no people) in drone videos, as single images. A sequence Mxxxx has `Mxxxx_gt_whole.txt`
 * (with category, occlusion, out-of-view), or `Mxxxx_gt.txt` (tracks only), and `Mxxxx_gt_ignore.txt`, whose boxes are
 * ignore regions. Frame k is `Mxxxx/img%06d.jpg`, counted from 1.
 */
import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { InputError } from "../base/errors.js";
import type { Box } from "../geometry/box.js";
import { BoxAudit, type BoxForm, type ImageSize } from "./box-audit.js";
import { checkFrame, readRow } from "./columns.js";
import { fieldError } from "./fields.js";
import { firstEnding, firstFolder } from "./image-folder.js";
import { openSizes } from "./image-sizes.js";
import { readLines } from "./lines.js";
import { AnnotationError, Problems } from "./problems.js";
import type { GroundTruthObject, Sample } from "./sample.js";

/** UAVDT's categories, numbered from 1. */
export const UAVDT_CATEGORIES = ["car", "truck", "bus"] as const;
/** One of {@link UAVDT_CATEGORIES}. */
export type UavdtCategory = (typeof UAVDT_CATEGORIES)[number];

/** Levels as the file numbers them from 1: of occlusion, and of being out of view. */
const OCCLUSION = ["none", "large", "medium", "small"] as const;
const OUT_OF_VIEW = ["none", "medium", "small"] as const;

/** How to read UAVDT. */
export interface UavdtOptions {
  /** Folder with a folder of frames for each sequence. @default `UAV-benchmark-M` beside the annotations or their folder */
  readonly images?: string;
  /** `whole` has categories and counts more boxes than `tracks` (gt.txt). @default whole where it is there */
  readonly truth?: "whole" | "tracks";
  /** Of a folder of sequences only these. @default all, in the order of their names */
  readonly sequences?: readonly string[];
  /** Vehicles that are objects; the others are left out. Only `whole` tells them apart. @default all */
  readonly categories?: readonly UavdtCategory[];
  /** Objects are labelled with their category's name instead of `label`. @default false */
  readonly perCategory?: boolean;
  /** Takes frames 1, 1 + every, 1 + 2 every, ... @default 1 */
  readonly every?: number;
  /** Form of the files' boxes. @default "xywh", and files that look otherwise are refused */
  readonly boxes?: BoxForm;
  /** Sizes of the pictures, by sequence or file name: see {@link openSizes}. @default the header of a sequence's picture */
  readonly sizes?: string;
  /** @default "vehicle" */
  readonly label?: string;
  /** @default stop at the first bad record */
  readonly problems?: Problems;
}

/** The files of one sequence. */
interface Sequence {
  readonly name: string;
  readonly truth: string;
  readonly whole: boolean;
  readonly ignore: string | undefined;
}

interface Row {
  readonly where: string;
  readonly frame: number;
  readonly target: number;
  readonly xywh: readonly number[];
  readonly rest: readonly number[];
}

/**
 * Streams the frames of one sequence or of a folder of sequences, from the first to the last annotated one; ids are
 * `<sequence>-<frame>`. Memory holds one sequence.
 * @param path a gt_whole.txt or gt.txt, or a folder of them
 * @throws InputError naming file, line and column
 */
export async function* readUavdt(path: string, options: UavdtOptions = {}): AsyncGenerator<Sample> {
  const problems = options.problems ?? new Problems();
  const sizes = await openSizes(options.sizes);
  const folder = options.images ?? defaultImages(path);
  const every = options.every ?? 1;
  for (const sequence of await uavdtSequences(path, options)) {
    const audit = new BoxAudit(sequence.truth, { native: "xywh", declared: options.boxes, problems });
    const truth = await readRows(sequence.truth, problems);
    const ignored =
      sequence.ignore === undefined ? new Map<number, Row[]>() : await readRows(sequence.ignore, problems);
    const last = Math.max(0, ...truth.keys(), ...ignored.keys());
    let size: ImageSize | undefined;
    for (let frame = 1; frame <= last; frame += every) {
      const picture = firstEnding(join(folder, sequence.name, `img${String(frame).padStart(6, "0")}`), [
        ".jpg",
        ".png",
      ]);
      size ??= await problems.attemptAsync(() =>
        sizes({ id: sequence.name, path: picture, where: sequence.truth }),
      );
      if (size === undefined) continue;
      const known = size;
      const objects: GroundTruthObject[] = [];
      const ignore: Box<"image">[] = [];
      for (const row of truth.get(frame) ?? []) {
        const object = problems.attempt(() => toObject(row, sequence.whole, { size: known, audit, options }));
        if (object !== undefined) objects.push(object);
      }
      for (const row of ignored.get(frame) ?? []) {
        const region = problems.attempt(() => audit.readIgnore(row.xywh, row.where, "box", known));
        if (region !== undefined) ignore.push(region);
      }
      yield {
        id: `${sequence.name}-${String(frame).padStart(6, "0")}`,
        image: { kind: "file", path: picture },
        ...known,
        objects,
        ignore,
      };
    }
    audit.finish();
  }
}

/** The annotation files that a spec's path stands for, in order: what a fingerprint covers. */
export async function uavdtFiles(path: string, options: UavdtOptions = {}): Promise<string[]> {
  const sequences = await uavdtSequences(path, options);
  return sequences.flatMap(({ truth, ignore }) => [truth, ...(ignore === undefined ? [] : [ignore])]);
}

const NAME = /^(.+?)_gt(_whole|_ignore)?\.txt$/;

async function uavdtSequences(path: string, options: UavdtOptions): Promise<Sequence[]> {
  const direct = NAME.exec(basename(path));
  if (path.endsWith(".txt")) {
    const [, name, kind] = direct ?? [];
    if (name === undefined || kind === "_ignore") {
      throw new InputError(`${path}: is no file of UAVDT boxes`, {
        hint: "Give Mxxxx_gt_whole.txt or Mxxxx_gt.txt, or the folder that they are in.",
      });
    }
    return [sequenceOf(dirname(path), name, kind === "_whole" ? "whole" : "tracks")];
  }
  const names = new Set<string>();
  for (const file of await readdir(path)) {
    const [, name, kind] = NAME.exec(file) ?? [];
    if (name !== undefined && kind !== "_ignore") names.add(name);
  }
  const strange = options.sequences?.find((name) => !names.has(name));
  if (names.size === 0 || strange !== undefined) {
    throw new InputError(
      strange === undefined
        ? `${path}: holds no Mxxxx_gt_whole.txt and no Mxxxx_gt.txt`
        : `${path}: there is no sequence ${strange}`,
      { hint: "UAVDT's annotations come as UAV-benchmark-MOTD_v1.0/GT, three files a sequence." },
    );
  }
  const wanted = (options.sequences ?? [...names]).toSorted();
  return wanted.map((name) => sequenceOf(path, name, options.truth));
}

function sequenceOf(folder: string, name: string, wanted: "whole" | "tracks" | undefined): Sequence {
  const whole = join(folder, `${name}_gt_whole.txt`);
  const tracks = join(folder, `${name}_gt.txt`);
  const ignore = join(folder, `${name}_gt_ignore.txt`);
  const takesWhole = wanted === undefined ? existsSync(whole) : wanted === "whole";
  const truth = takesWhole ? whole : tracks;
  if (!existsSync(truth))
    throw new InputError(`${truth}: no such file`, { hint: "Choose of truth: whole, tracks." });
  return { name, truth, whole: takesWhole, ignore: existsSync(ignore) ? ignore : undefined };
}

function defaultImages(path: string): string {
  const folder = path.endsWith(".txt") ? dirname(path) : path;
  return firstFolder([
    join(folder, "UAV-benchmark-M"),
    join(dirname(folder), "UAV-benchmark-M"),
    join(dirname(dirname(folder)), "UAV-benchmark-M"),
    join(folder, "images"),
  ]);
}

const SHAPE = {
  names: ["frame", "target id", "left", "top", "width", "height", "out of view", "occlusion", "category"],
  counts: [9],
  hint: "A row of UAVDT has 9 columns: frame,id,left,top,width,height and three more.",
} as const;

async function readRows(path: string, problems: Problems): Promise<Map<number, Row[]>> {
  const byFrame = new Map<number, Row[]>();
  const seen = new Map<string, number>();
  for await (const { line, text } of readLines(path, { problems })) {
    const where = `${path}:${line}`;
    problems.attempt(() => {
      const values = readRow(text, where, SHAPE);
      const [frame, target] = [values[0]!, values[1]!];
      checkFrame(frame, where);
      const before = seen.get(`${frame},${target}`);
      if (before !== undefined) {
        const problem = `${target} has a box in frame ${frame} already, in line ${before}`;
        throw fieldError(where, "target id", problem, undefined, "duplicate-id");
      }
      seen.set(`${frame},${target}`, line);
      const row = { where, frame, target, xywh: values.slice(2, 6), rest: values.slice(6) };
      const list = byFrame.get(frame);
      if (list === undefined) byFrame.set(frame, [row]);
      else list.push(row);
    });
  }
  return byFrame;
}

interface RowContext {
  readonly size: ImageSize;
  readonly audit: BoxAudit;
  readonly options: UavdtOptions;
}

/** `undefined` for a vehicle of a category that does not count. */
function toObject(
  { where, target, xywh, rest }: Row,
  whole: boolean,
  { size, audit, options }: RowContext,
): GroundTruthObject | undefined {
  const box = audit.read(xywh, where, "box", size);
  const label = options.label ?? "vehicle";
  if (!whole) return { box, label, id: String(target) };
  const outOfView = levelOf(OUT_OF_VIEW, rest[0]!, where, "out of view");
  const occlusion = levelOf(OCCLUSION, rest[1]!, where, "occlusion");
  const category = levelOf(UAVDT_CATEGORIES, rest[2]!, where, "category");
  if (options.categories !== undefined && !options.categories.includes(category)) return undefined;
  return {
    box,
    // The file tells levels, not shares: only "none" is a number.
    ...(occlusion === "none" && outOfView === "none" ? { visibility: 1 } : {}),
    label: options.perCategory === true ? category : label,
    id: String(target),
    attributes: { category, occlusion, outOfView },
  };
}

function levelOf<T extends string>(levels: readonly T[], value: number, where: string, field: string): T {
  const level = levels[value - 1];
  if (level !== undefined) return level;
  const wanted = levels.map((name, i) => `${i + 1} (${name})`).join(", ");
  throw new AnnotationError("field", `${where}: ${field} must be one of ${wanted}, got ${value}`, {
    hint: "Files of tracks (Mxxxx_gt.txt) have 1,1,-1 there: read those with truth=tracks.",
  });
}
