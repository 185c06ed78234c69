/**
 * @file WIDER Pedestrian's text files, an image a line: `name x y width height ...` (2019) or `name class x y width height ...`
 * (2018), ignored areas `name x y width height ...`; a submission has a detection a line, `name score x y width height`.
 */
import { existsSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { InputError } from "../../base/errors.js";
import { quoted } from "../../datasets/fields.js";
import { readLines } from "../../datasets/lines.js";
import { officialFiles, type Xywh } from "../file-values.js";
import { plainFromXywh } from "../plain.js";
import type { WiderImage } from "./ap.js";

/** Options of {@link readWiderFiles}. */
export interface WiderFileOptions {
  /** File of ignored areas. @default the one beside the ground truth that is named as the challenge names it, where it exists */
  readonly ignorePath?: string;
  /** @default told from the columns: 4 numbers a box (2019) or 5 (2018) */
  readonly year?: 2018 | 2019;
}

/** A set read from files, images by name. */
export interface WiderFiles {
  readonly images: readonly WiderImage[];
  readonly year: 2018 | 2019;
  /** Whether neither the columns nor the options told the year. */
  readonly yearGuessed: boolean;
  readonly ignorePath: string | undefined;
}

interface Line {
  readonly where: string;
  readonly name: string;
  readonly numbers: readonly number[];
}

async function* readNumberLines(path: string): AsyncGenerator<Line> {
  for await (const { line, text } of readLines(path, { problems: officialFiles() })) {
    const where = `${path}:${line}`;
    const [name, ...cells] = text.trim().split(/\s+/) as [string, ...string[]];
    const numbers = cells.map(Number);
    const bad = numbers.findIndex((value) => !Number.isFinite(value));
    if (bad >= 0)
      throw new InputError(`${where}: column ${bad + 2} must be a finite number, got ${quoted(cells[bad])}`, {
        hint: "Columns are separated by blanks; names of images have none.",
      });
    yield { where, name, numbers };
  }
}

function boxAt(line: Line, at: number): Xywh {
  const [x, y, width, height] = line.numbers.slice(at, at + 4) as [number, number, number, number];
  if (width < 0 || height < 0)
    throw new InputError(
      `${line.where}: the box at column ${at + 2} has a negative size: width ${width}, height ${height}`,
      { hint: "Boxes are x y width height here; a wrong year reads the columns wrongly." },
    );
  return [x, y, width, height];
}

function boxesOf(line: Line, columns: 4 | 5): Xywh[] {
  if (line.numbers.length % columns !== 0)
    throw new InputError(`${line.where}: ${line.numbers.length} numbers are no whole boxes of ${columns}`, {
      hint: "The line may be cut off, or the file of the other year (--year).",
    });
  const boxes: Xywh[] = [];
  for (let at = 0; at < line.numbers.length; at += columns) boxes.push(boxAt(line, at + columns - 4));
  return boxes;
}

async function readByName(path: string): Promise<Map<string, Line>> {
  const lines = new Map<string, Line>();
  for await (const line of readNumberLines(path)) {
    if (lines.has(line.name)) throw new InputError(`${line.where}: a second line for the image ${line.name}`);
    lines.set(line.name, line);
  }
  if (lines.size === 0) throw new InputError(`${path}: has no images`);
  return lines;
}

/** The year that the columns tell; undefined where they fit both. */
function yearOf(lines: Iterable<Line>): 2018 | 2019 | undefined {
  let [four, five] = [true, true];
  for (const { numbers } of lines) {
    four &&= numbers.length % 4 === 0;
    // Classes are 1 (pedestrian) and 2 (cyclist).
    five &&=
      numbers.length % 5 === 0 && numbers.every((value, i) => i % 5 !== 0 || value === 1 || value === 2);
  }
  return four === five ? undefined : four ? 2019 : 2018;
}

/** The file of ignored areas beside a ground truth: val_bbox.txt has val_ignore.txt, val_annotations.txt pedestrian_ignore_part_val.txt. */
function ignoreBeside(path: string): string | undefined {
  const name = basename(path);
  const candidates = [
    name.replace("bbox", "ignore"),
    name.replace(/^(.*)_annotations\.txt$/, "pedestrian_ignore_part_$1.txt"),
  ];
  return candidates
    .filter((candidate) => candidate !== name)
    .map((candidate) => join(dirname(path), candidate))
    .find((candidate) => existsSync(candidate));
}

/** A ground truth and its ignored areas, by name of the image. */
export interface WiderTruthFiles {
  /** In the devkit's order: by name. */
  readonly names: readonly string[];
  readonly truths: ReadonlyMap<string, readonly Xywh[]>;
  readonly ignored: ReadonlyMap<string, readonly Xywh[]>;
  readonly year: 2018 | 2019;
  /** Whether neither the columns nor the options told the year. */
  readonly yearGuessed: boolean;
  readonly ignorePath: string | undefined;
}

/** Reads ground truth and ignored areas. @throws InputError naming file, line and column. */
export async function readWiderTruths(
  truthPath: string,
  options: WiderFileOptions = {},
): Promise<WiderTruthFiles> {
  const lines = await readByName(truthPath);
  const told = options.year ?? yearOf(lines.values());
  const year = told ?? 2019;
  const ignorePath = options.ignorePath ?? ignoreBeside(truthPath);
  const areas = ignorePath === undefined ? new Map<string, Line>() : await readByName(ignorePath);
  const boxes = (of: ReadonlyMap<string, Line>, columns: 4 | 5) =>
    new Map([...of].map(([name, line]) => [name, boxesOf(line, columns)]));
  return {
    names: [...lines.keys()].sort(),
    truths: boxes(lines, year === 2018 ? 5 : 4),
    ignored: boxes(areas, 4),
    year,
    yearGuessed: told === undefined,
    ignorePath,
  };
}

/**
 * Reads ground truth, ignored areas and a submission.
 * @throws InputError naming file, line and column; also for a detection in an image that the ground truth does not have.
 */
export async function readWiderFiles(
  truthPath: string,
  detectionPath: string,
  options: WiderFileOptions = {},
): Promise<WiderFiles> {
  const { names, truths, ignored, year, yearGuessed, ignorePath } = await readWiderTruths(truthPath, options);
  const found = new Map<string, { boxes: Xywh[]; scores: number[] }>();
  for await (const line of readNumberLines(detectionPath)) {
    if (!truths.has(line.name))
      throw new InputError(`${line.where}: the image ${line.name} is not in the ground truth`, {
        hint: "Detections must be of the same set and split; a line is: name score x y width height.",
      });
    if (line.numbers.length !== 5)
      throw new InputError(`${line.where}: ${line.numbers.length + 1} columns instead of 6`, {
        hint: "A line is: name score x y width height. A last line may be cut off.",
      });
    let entry = found.get(line.name);
    if (entry === undefined) found.set(line.name, (entry = { boxes: [], scores: [] }));
    entry.boxes.push(boxAt(line, 1));
    entry.scores.push(line.numbers[0]!);
  }
  const images = names.map((name): WiderImage => {
    const detections = found.get(name);
    return {
      truths: plainFromXywh(truths.get(name)!),
      ignored: plainFromXywh(ignored.get(name) ?? []),
      detections: {
        ...plainFromXywh(detections?.boxes ?? []),
        scores: Float64Array.from(detections?.scores ?? []),
      },
    };
  });
  return { images, year, yearGuessed, ignorePath };
}
