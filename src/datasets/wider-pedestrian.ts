/**
 * @file Reads WIDER Pedestrian: text files, one picture a line. 2019 (`train_bbox.txt`): `<picture> x y w h x y w h ...`;
 * 2018 (`train_annotations.txt`): `<picture> class x y w h class x y w h ...`, class 1 pedestrian, 2 cyclist. Which one a
 * file is shows in its numbers. Ignore regions are in a file of their own; pictures lie in several sub-folders.
 */
import { existsSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { Box } from "../geometry/box.js";
import { BoxAudit, type BoxForm, type ImageSize } from "./box-audit.js";
import { duplicateError, fieldError } from "./fields.js";
import { firstFolder, indexPictures, picturePath } from "./image-folder.js";
import { openSizes } from "./image-sizes.js";
import { readLines } from "./lines.js";
import { mapOrdered } from "./ordered.js";
import { AnnotationError, Problems } from "./problems.js";
import type { GroundTruthObject, Sample } from "./sample.js";

/** Classes of the 2018 files, numbered from 1. */
export const WIDER_CATEGORIES = ["pedestrian", "cyclist"] as const;
/** One of {@link WIDER_CATEGORIES}. */
export type WiderCategory = (typeof WIDER_CATEGORIES)[number];
/** The challenge whose layout a file has. */
export type WiderYear = 2018 | 2019;

/** How to read WIDER Pedestrian. */
export interface WiderPedestrianOptions {
  /** Folder of the pictures, which may lie in sub-folders. @default `Images` or `images` beside the file or one folder up */
  readonly images?: string;
  /** @default told by the numbers a line has */
  readonly year?: WiderYear;
  /** File of ignore regions. @default `X_ignore.txt` beside `X_bbox.txt` or `X_annotations.txt`, where there is one */
  readonly ignoreFile?: string;
  /** File that names all pictures, also those without a person. @default `X_list.txt` beside, where there is one */
  readonly list?: string;
  /** 2018: classes that are objects; the other one becomes ignore regions. @default both */
  readonly categories?: readonly WiderCategory[];
  /** 2018: objects are labelled with their class's name instead of `label`. @default false */
  readonly perCategory?: boolean;
  /** Sizes of the pictures: see {@link openSizes}. @default the pictures' headers */
  readonly sizes?: string;
  /** Form of the file's boxes. @default "xywh", and files that look otherwise are refused */
  readonly boxes?: BoxForm;
  /** @default "person" */
  readonly label?: string;
  /** @default MAX_LINE_BYTES */
  readonly maxLineBytes?: number;
  /** @default stop at the first bad record */
  readonly problems?: Problems;
}

/** The annotation file and what belongs to it. */
export interface WiderFiles {
  readonly ignoreFile?: string;
  readonly list?: string;
}

/** Files that belong to an annotation file by their names. */
export function widerFiles(path: string, options: WiderPedestrianOptions = {}): WiderFiles {
  const beside = (kind: string): string | undefined => {
    const other = path.replace(/_(bbox|annotations)\.txt$/, `_${kind}.txt`);
    return other !== path && existsSync(other) ? other : undefined;
  };
  const ignoreFile = options.ignoreFile ?? beside("ignore");
  const list = options.list ?? beside("list");
  return { ...(ignoreFile === undefined ? {} : { ignoreFile }), ...(list === undefined ? {} : { list }) };
}

/**
 * Streams the pictures in the file's order, then those that only the list names.
 * @throws InputError naming file, line and box
 */
export async function* readWiderPedestrian(
  path: string,
  options: WiderPedestrianOptions = {},
): AsyncGenerator<Sample> {
  const problems = options.problems ?? new Problems();
  const lines = { problems, maxLineBytes: options.maxLineBytes };
  const folder = options.images ?? defaultFolder(path);
  const index = await indexPictures(folder);
  const files = widerFiles(path, options);
  const year = options.year ?? (await detectYear(path, options.maxLineBytes));
  const ignored = new Map<string, Line>();
  if (files.ignoreFile !== undefined)
    for await (const line of widerLines(files.ignoreFile, lines)) ignored.set(line.name, line);
  const sizes = await openSizes(options.sizes);
  const context: Context = {
    options,
    year,
    problems,
    audit: new BoxAudit(path, { native: "xywh", declared: options.boxes, problems }),
    ignored,
  };
  const met = new Set<string>();
  const toSample = async (line: Line): Promise<Sample> => {
    met.add(line.name);
    const picture = picturePath(folder, line.name, index);
    const size = await sizes({ id: line.name, path: picture, where: line.where });
    return {
      id: line.name,
      image: { kind: "file", path: picture },
      ...size,
      ...truthOf(line, size, context),
    };
  };
  const samples = mapOrdered(withList(path, files.list, lines), (line) =>
    problems.attemptAsync(() => toSample(line)),
  );
  for await (const sample of samples) if (sample !== undefined) yield sample;
  for (const { name, numbers, where } of ignored.values())
    if (numbers.length > 0 && !met.has(name))
      problems.note(
        "unknown-id",
        `${where}: ignore regions of ${name}, which ${basename(path)} does not have`,
      );
  context.audit.finish();
}

/** Never a folder that merely holds the annotations: all that lies in the folder is looked through. */
function defaultFolder(path: string): string {
  const [beside, above] = [dirname(path), dirname(dirname(path))];
  return firstFolder([
    join(beside, "Images"),
    join(beside, "images"),
    join(above, "Images"),
    join(above, "images"),
  ]);
}

interface Line {
  readonly name: string;
  readonly numbers: readonly string[];
  readonly where: string;
}

interface LineRules {
  readonly problems: Problems;
  readonly maxLineBytes?: number;
}

async function* widerLines(path: string, rules: LineRules): AsyncGenerator<Line> {
  const seen = new Map<string, number>();
  for await (const { line, text } of readLines(path, rules)) {
    const [name, ...numbers] = text.trim().split(/\s+/);
    const where = `${path}:${line}`;
    const before = seen.get(name!);
    if (before === undefined) {
      seen.set(name!, line);
      yield { name: name!, numbers, where };
    } else {
      rules.problems.leaveOut(
        duplicateError(where, "picture", name, `line ${before}`, "Each picture has one line."),
      );
    }
  }
}

async function* withList(path: string, list: string | undefined, rules: LineRules): AsyncGenerator<Line> {
  const named = new Set<string>();
  for await (const line of widerLines(path, rules)) {
    named.add(line.name);
    yield line;
  }
  if (list === undefined) return;
  for await (const line of widerLines(list, rules)) if (!named.has(line.name)) yield { ...line, numbers: [] };
}

/** Lines that are looked at to tell the year; one with a number of numbers that fits only one layout is enough. */
const DETECTION_LINES = 2000;

async function detectYear(path: string, maxLineBytes?: number): Promise<WiderYear> {
  let undecided = 0;
  let read = 0;
  let classes = true;
  for await (const { numbers } of widerLines(path, { problems: new Problems("skip"), maxLineBytes })) {
    if (++read > DETECTION_LINES) break;
    if (numbers.length === 0) continue;
    const [by4, by5] = [numbers.length % 4 === 0, numbers.length % 5 === 0];
    if (by4 && !by5) return 2019;
    if (by5 && !by4) return 2018;
    if (!by4) continue;
    undecided++;
    for (let i = 0; i < numbers.length; i += 5) classes &&= numbers[i] === "1" || numbers[i] === "2";
  }
  // 20 numbers are 5 boxes or 4: with the layout of 2018 every fifth is a class.
  return undecided > 0 && classes ? 2018 : 2019;
}

interface Context {
  readonly options: WiderPedestrianOptions;
  readonly year: WiderYear;
  readonly problems: Problems;
  readonly audit: BoxAudit;
  readonly ignored: ReadonlyMap<string, Line>;
}

function truthOf(
  line: Line,
  size: ImageSize,
  context: Context,
): Required<Pick<Sample, "objects" | "ignore" | "ignoreLabels">> {
  const { problems, audit, options, year } = context;
  const objects: GroundTruthObject[] = [];
  const ignore: Box<"image">[] = [];
  const ignoreLabels: string[] = [];
  const addRegion = (values: readonly number[], where: string, word: string): void => {
    const region = audit.readIgnore(values, where, "box", size);
    if (region === undefined) return;
    ignore.push(region);
    ignoreLabels.push(word);
  };
  const counted = options.categories ?? WIDER_CATEGORIES;
  for (const [i, values] of boxesOf(line, year === 2018 ? 5 : 4, year).entries()) {
    problems.attempt(() => {
      const where = `${line.where}: box ${i + 1}`;
      const numbers = values.map((value) => Number(value));
      if (year === 2019) {
        objects.push({ box: audit.read(numbers, where, "box", size), label: options.label ?? "person" });
        return;
      }
      const category = WIDER_CATEGORIES[numbers[0]! - 1];
      if (category === undefined) {
        const hint =
          "Classes are 1 (pedestrian) and 2 (cyclist). A file without classes is read with year=2019.";
        throw fieldError(where, "class", `must be 1 or 2, got ${values[0]}`, hint);
      }
      const box = numbers.slice(1);
      if (counted.includes(category)) {
        objects.push({
          box: audit.read(box, where, "box", size),
          label: options.perCategory === true ? category : (options.label ?? "person"),
          attributes: { category },
        });
      } else addRegion(box, where, category);
    });
  }
  const regions = context.ignored.get(line.name);
  if (regions !== undefined)
    for (const [i, values] of boxesOf(regions, 4, 2019).entries())
      problems.attempt(() => addRegion(values.map(Number), `${regions.where}: box ${i + 1}`, "ignore"));
  return { objects, ignore, ignoreLabels };
}

function boxesOf({ numbers, where }: Line, width: 4 | 5, year: WiderYear): string[][] {
  if (numbers.length % width !== 0) {
    const other = year === 2018 ? 2019 : 2018;
    throw new AnnotationError(
      "columns",
      `${where}: has ${numbers.length} numbers after the picture's name, no multiple of ${width}`,
      {
        hint:
          `Read as the layout of ${year}: ${width} numbers a box. ` +
          (numbers.length % (9 - width) === 0
            ? `This line fits the layout of ${other}: year=${other}.`
            : "Was the line cut off?"),
      },
    );
  }
  return Array.from({ length: numbers.length / width }, (_, i) => numbers.slice(i * width, (i + 1) * width));
}
