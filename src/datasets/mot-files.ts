/** @file The text files of a MOTChallenge sequence: seqinfo.ini and gt.txt in both layouts (10 columns, 9 columns). */
import { InputError } from "../base/errors.js";
import { box, type Box } from "../geometry/box.js";
import type { BoxForm } from "./box-audit.js";
import { checkFrame, readRow } from "./columns.js";
import { boxFromCorners, boxFromXywh, fieldError, readTextFile } from "./fields.js";
import { readLines } from "./lines.js";
import { Problems } from "./problems.js";

/** What seqinfo.ini says; every entry may be missing. */
export interface SequenceInfo {
  readonly name?: string;
  /** Folder of the frames beside the file. */
  readonly imageFolder?: string;
  readonly length?: number;
  readonly width?: number;
  readonly height?: number;
  /** With the dot. */
  readonly extension?: string;
}

/** Reads a seqinfo.ini. @throws InputError naming the file and the key. */
export async function readSequenceInfo(path: string): Promise<SequenceInfo> {
  const values = new Map<string, string>();
  for (const line of (await readTextFile(path)).split(/\r?\n/)) {
    const at = line.indexOf("=");
    if (at > 0 && !/^\s*[;#[]/.test(line))
      values.set(line.slice(0, at).trim().toLowerCase(), line.slice(at + 1).trim());
  }
  const whole = (key: string): number | undefined => {
    const text = values.get(key.toLowerCase());
    if (text === undefined) return undefined;
    if (!/^[1-9]\d*$/.test(text)) {
      throw new InputError(`${path}: ${key} must be a whole number of at least 1, got "${text}"`);
    }
    return Number(text);
  };
  const text = (key: string): string | undefined => values.get(key.toLowerCase()) || undefined;
  return {
    ...defined("name", text("name")),
    ...defined("imageFolder", text("imDir")),
    ...defined("length", whole("seqLength")),
    ...defined("width", whole("imWidth")),
    ...defined("height", whole("imHeight")),
    ...defined("extension", text("imExt")),
  };
}

function defined<K extends string, V>(key: K, value: V | undefined): Partial<Record<K, V>> {
  return value === undefined ? {} : ({ [key]: value } as Record<K, V>);
}

/** How a row counts: a person to find, a region where nothing counts, or nothing that concerns people. */
export type MotRole = "person" | "ignore" | "other";

/** One row of gt.txt. */
export interface MotRow {
  /** 1-based. */
  readonly frame: number;
  readonly track: number;
  readonly box: Box<"image">;
  readonly role: MotRole;
  /** The class in words. */
  readonly category: string;
  /** 0..1, only where the file has the column. */
  readonly visibility?: number;
}

/** Classes of MOT16 and later by number; a file of MOT15 knows pedestrians only. */
const CLASSES: Readonly<Record<number, string>> = {
  1: "person",
  2: "person on vehicle",
  3: "car",
  4: "bicycle",
  5: "motorbike",
  6: "non-motorised vehicle",
  7: "static person",
  8: "distractor",
  9: "occluder",
  10: "occluder on the ground",
  11: "full occluder",
  12: "reflection",
  13: "crowd",
};
const PEDESTRIAN = 1;
/** Person on vehicle, static person, distractor, reflection, crowd: the official evaluation does not count them. */
const NEUTRAL = new Set([2, 7, 8, 12, 13]);
/** What files of detections give for a track. */
const NO_TRACK = -1;

/** How to read rows of gt.txt. */
export interface MotRowOptions {
  /** What the file calls the first pixel; boxes are given from 0. @default 0 */
  readonly origin?: 0 | 1;
  /** Form of the file's boxes. @default "xywh" */
  readonly boxes?: BoxForm;
  /** @default stop at the first bad row */
  readonly problems?: Problems;
}

/**
 * Streams gt.txt: `frame,id,left,top,width,height,flag,...`. With 10 columns (MOT15) the rest are world coordinates;
 * with 9 (MOT16, 17, 20) they are class and visibility. Flag 0 makes an ignore region of a person; so do the classes
 * that the official evaluation leaves out; vehicles and occluders are dropped.
 * @throws InputError naming file, line and column.
 */
export async function* readMotRows(path: string, options: MotRowOptions = {}): AsyncGenerator<MotRow> {
  const problems = options.problems ?? new Problems();
  const seen = new Map<string, number>();
  for await (const { line, text } of readLines(path, { problems })) {
    const where = `${path}:${line}`;
    const row = problems.attempt(() => {
      const found = parseRow(text, where, options);
      const key = `${found.frame},${found.track}`;
      const before = seen.get(key);
      if (before !== undefined && found.track !== NO_TRACK) {
        const problem = `${found.track} has a box in frame ${found.frame} already, in line ${before}`;
        throw fieldError(where, "id", problem, undefined, "duplicate-id");
      }
      seen.set(key, line);
      return found;
    });
    if (row !== undefined) yield row;
  }
}

const SHAPE = {
  names: ["frame", "id", "left", "top", "width", "height", "flag", "class", "visibility"],
  counts: [7, 9, 10],
  // The world coordinates of MOT15 are of no use here.
  read: (columns: number) => (columns === 9 ? 9 : 7),
  hint: "gt.txt has 9 columns (MOT16 and later: ...,flag,class,visibility) or 10 (MOT15: ...,flag,x,y,z), comma-separated.",
} as const;

function parseRow(text: string, where: string, options: MotRowOptions): MotRow {
  const values = readRow(text, where, SHAPE);
  const [frame, track, , , , , flag, kind = PEDESTRIAN, visibility] = values as [
    number,
    number,
    number,
    number,
    number,
    number,
    number,
    number?,
    number?,
  ];
  checkFrame(frame, where);
  const numbers = values.slice(2, 6);
  const found =
    options.boxes === "xyxy"
      ? boxFromCorners(numbers, where, "the box")
      : boxFromXywh(numbers, where, "the box");
  const origin = options.origin ?? 0;
  return {
    frame,
    track,
    box: box<"image">(found.x1 - origin, found.y1 - origin, found.x2 - origin, found.y2 - origin),
    role: kind === PEDESTRIAN ? (flag === 0 ? "ignore" : "person") : NEUTRAL.has(kind) ? "ignore" : "other",
    category: CLASSES[kind] ?? `class ${kind}`,
    ...(visibility === undefined ? {} : { visibility: Math.min(1, Math.max(0, visibility)) }),
  };
}
