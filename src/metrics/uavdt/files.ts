/**
 * @file UAVDT's text files: SEQ_gt_whole.txt, SEQ_gt_ignore.txt and detections SEQ.txt, a box a line:
 * `frame,id,left,top,width,height,...`; a detection's seventh number is its score.
 */
import { existsSync, readdirSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { InputError } from "../../base/errors.js";
import { quoted } from "../../datasets/fields.js";
import { readLines, unreadable } from "../../datasets/lines.js";
import { officialFiles, type Xywh } from "../file-values.js";
import { plainFromXywh } from "../plain.js";
import type { UavdtImage } from "./ap.js";

/** The toolkit's test sequences, in its order. */
export const uavdtTestSequences: readonly string[] = (
  "M0203 M0205 M0208 M0209 M0403 M0601 M0602 M0606 M0701 M0801 " +
  "M0802 M1001 M1004 M1007 M1009 M1101 M1301 M1302 M1303 M1401"
).split(" ");

const TRUTH_END = "_gt_whole.txt";
const IGNORE_END = "_gt_ignore.txt";

/** Options of {@link readUavdtFiles}. */
export interface UavdtFileOptions {
  /** @default the twenty test sequences where the folder has all of them, else every sequence in it */
  readonly sequences?: readonly string[];
}

/** A set read from files. */
export interface UavdtFiles {
  /** Frames with anything in them, sequence by sequence. */
  readonly images: readonly UavdtImage[];
  readonly sequences: readonly string[];
  /** Sequences without a file of ignored areas. */
  readonly withoutIgnored: readonly string[];
}

/** A line. */
export interface UavdtRow {
  /** From 1. */
  readonly frame: number;
  readonly box: Xywh;
  readonly score: number;
}

/**
 * Reads the lines of one file; without `withScore` scores are 0.
 * @throws InputError naming file, line and column.
 */
export async function readUavdtRows(path: string, withScore: boolean): Promise<UavdtRow[]> {
  const wanted = withScore ? 7 : 6;
  const rows: UavdtRow[] = [];
  for await (const { line, text } of readLines(path, { problems: officialFiles() })) {
    const where = `${path}:${line}`;
    const cells = text.trim().split(/[\s,;]+/);
    if (cells.at(-1) === "") cells.pop();
    if (cells.length < wanted)
      throw new InputError(`${where}: ${cells.length} columns, at least ${wanted} are needed`, {
        hint: `A line is frame,id,left,top,width,height${withScore ? ",score" : ""},...; a last line may be cut off.`,
      });
    const numbers = cells.slice(0, wanted).map(Number);
    const bad = numbers.findIndex((value) => !Number.isFinite(value));
    if (bad >= 0)
      throw new InputError(`${where}: column ${bad + 1} must be a finite number, got ${quoted(cells[bad])}`);
    const [frame, , x, y, width, height, score = 0] = numbers as [
      number,
      number,
      number,
      number,
      number,
      number,
      number?,
    ];
    if (!Number.isInteger(frame) || frame < 1)
      throw new InputError(
        `${where}: column 1, the frame, must be a whole number of at least 1, got ${frame}`,
      );
    if (width < 0 || height < 0)
      throw new InputError(`${where}: a negative size: width ${width}, height ${height}`, {
        hint: "Boxes are left,top,width,height here.",
      });
    rows.push({ frame, box: [x, y, width, height], score });
  }
  return rows;
}

function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch (error) {
    throw unreadable(path, error);
  }
}

function sequencesOf(path: string, folder: boolean, options: UavdtFileOptions): readonly string[] {
  if (!folder) {
    if (!basename(path).endsWith(TRUTH_END))
      throw new InputError(`${path}: the name must end in ${TRUTH_END}`, {
        hint: "Give the folder of all sequences, or one sequence's _gt_whole.txt.",
      });
    return [basename(path).slice(0, -TRUTH_END.length)];
  }
  const present = readdirSync(path)
    .filter((name) => name.endsWith(TRUTH_END))
    .map((name) => name.slice(0, -TRUTH_END.length))
    .sort();
  if (present.length === 0) throw new InputError(`${path}: has no file SEQUENCE${TRUTH_END}`);
  if (options.sequences !== undefined) {
    const missing = options.sequences.filter((name) => !present.includes(name));
    if (missing.length > 0)
      throw new InputError(`${path}: has no ${missing.join(`${TRUTH_END}, `)}${TRUTH_END}`);
    return options.sequences;
  }
  return uavdtTestSequences.every((name) => present.includes(name)) ? uavdtTestSequences : present;
}

/**
 * Reads sequences. `truthPath` is the folder of ground truth or one sequence's _gt_whole.txt, `detectionPath` the folder of
 * detections or the one file of that sequence.
 * @throws InputError naming file, line and column; also where a sequence has no file of detections.
 */
export async function readUavdtFiles(
  truthPath: string,
  detectionPath: string,
  options: UavdtFileOptions = {},
): Promise<UavdtFiles> {
  const folder = isFolder(truthPath);
  const sequences = sequencesOf(truthPath, folder, options);
  const base = folder ? truthPath : dirname(truthPath);
  const detectionFolder = isFolder(detectionPath);
  if (!detectionFolder && sequences.length > 1)
    throw new InputError(`${detectionPath}: is one file, but there are ${sequences.length} sequences`, {
      hint: "Give a folder with one SEQUENCE.txt each, or choose one with --sequences.",
    });
  const images: UavdtImage[] = [];
  const withoutIgnored: string[] = [];
  for (const name of sequences) {
    const truths = await readUavdtRows(join(base, name + TRUTH_END), false);
    const ignorePath = join(base, name + IGNORE_END);
    const ignored = existsSync(ignorePath) ? await readUavdtRows(ignorePath, false) : [];
    if (!existsSync(ignorePath)) withoutIgnored.push(name);
    const detections = await readUavdtRows(
      detectionFolder ? join(detectionPath, `${name}.txt`) : detectionPath,
      true,
    );
    const byFrame = new Map<number, { truths: Xywh[]; ignored: Xywh[]; found: Xywh[]; scores: number[] }>();
    const at = (frame: number) => {
      let entry = byFrame.get(frame);
      if (entry === undefined)
        byFrame.set(frame, (entry = { truths: [], ignored: [], found: [], scores: [] }));
      return entry;
    };
    for (const { frame, box } of truths) at(frame).truths.push(box);
    for (const { frame, box } of ignored) at(frame).ignored.push(box);
    for (const { frame, box, score } of detections) {
      at(frame).found.push(box);
      at(frame).scores.push(score);
    }
    for (const [, entry] of [...byFrame].sort(([a], [b]) => a - b))
      images.push({
        truths: plainFromXywh(entry.truths),
        ignored: plainFromXywh(entry.ignored),
        detections: { ...plainFromXywh(entry.found), scores: Float64Array.from(entry.scores) },
      });
  }
  return { images, sequences, withoutIgnored };
}
