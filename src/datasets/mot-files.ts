/** @file The text files of a MOTChallenge sequence: seqinfo.ini and gt.txt in both layouts (10 columns, 9 columns). */
import { InputError } from "../base/errors.js";
import { box, type Box } from "../geometry/box.js";
import { readTextFile } from "./fields.js";

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
  /** 0..1, only where the file has the column. */
  readonly visibility?: number;
}

/** Pedestrian in MOT16 and later. */
const PEDESTRIAN = 1;
/** Person on vehicle, static person, distractor, reflection, crowd: the official evaluation does not count them. */
const NEUTRAL = new Set([2, 7, 8, 12, 13]);

/**
 * Reads gt.txt: `frame,id,left,top,width,height,flag,...`. With 10 columns (MOT15) the rest are world coordinates;
 * with 9 (MOT16, 17, 20) they are class and visibility. Flag 0 makes an ignore region of a person; so do the classes
 * that the official evaluation leaves out; vehicles and occluders are dropped.
 * @param origin what the file calls the first pixel, 0 or 1; boxes are given from 0.
 * @throws InputError naming file, line and column.
 */
export async function readMotRows(path: string, origin: 0 | 1 = 0): Promise<MotRow[]> {
  const rows: MotRow[] = [];
  const lines = (await readTextFile(path)).split(/\r?\n/);
  for (const [i, line] of lines.entries()) {
    if (line.trim() === "") continue;
    rows.push(parseRow(line, `${path}:${i + 1}`, origin));
  }
  return rows;
}

const COLUMNS = ["frame", "id", "left", "top", "width", "height", "flag", "class", "visibility"] as const;

function parseRow(line: string, where: string, origin: 0 | 1): MotRow {
  const cells = line.split(",").map((cell) => cell.trim());
  if (cells.at(-1) === "") cells.pop();
  if (cells.length !== 7 && cells.length !== 9 && cells.length !== 10) {
    throw new InputError(`${where}: has ${cells.length} columns`, {
      hint: "gt.txt has 9 columns (MOT16 and later: ...,flag,class,visibility) or 10 (MOT15: ...,flag,x,y,z), comma-separated.",
    });
  }
  const modern = cells.length === 9;
  const values = cells.slice(0, modern ? 9 : 7).map((cell, column) => {
    const value = cell === "" ? NaN : Number(cell);
    if (!Number.isFinite(value))
      throw new InputError(`${where}: ${COLUMNS[column]!} must be a number, got "${cell}"`);
    return value;
  });
  const [frame, track, left, top, width, height, flag] = values as [
    number,
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  if (!Number.isInteger(frame) || frame < 1) {
    throw new InputError(`${where}: frame must be a whole number of at least 1, got ${frame}`);
  }
  if (!(width > 0 && height > 0)) {
    throw new InputError(`${where}: the box has no area: width ${width}, height ${height}`);
  }
  const kind = modern ? values[7]! : PEDESTRIAN;
  const x = left - origin;
  const y = top - origin;
  return {
    frame,
    track,
    box: box<"image">(x, y, x + width, y + height),
    role: kind === PEDESTRIAN ? (flag === 0 ? "ignore" : "person") : NEUTRAL.has(kind) ? "ignore" : "other",
    ...(modern ? { visibility: Math.min(1, Math.max(0, values[8]!)) } : {}),
  };
}
