/**
 * @file Reads CityPersons: the .mat annotations (`anno_train.mat`, `anno_val.mat`: a cell of structs with `cityname`,
 * `im_name` and rows of ten numbers) and the evaluator's `val_gt.json`. Pictures are those of Cityscapes, 2048 x 1024, in
 * folders by city. As the official evaluation has it, pedestrians count; riders, sitting people, other postures, groups and
 * ignore regions are ignore regions, unless `categories` says otherwise.
 */
import { existsSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { InputError } from "../base/errors.js";
import { boxArea } from "../geometry/overlap.js";
import type { Box } from "../geometry/box.js";
import { BoxAudit, type BoxForm } from "./box-audit.js";
import { readCoco } from "./coco.js";
import { duplicateError, fieldError, readWholeFile } from "./fields.js";
import { firstFolder } from "./image-folder.js";
import { openSizes, type SizeLookup } from "./image-sizes.js";
import { readMat5, type MatValue } from "./mat5.js";
import { AnnotationError, Problems } from "./problems.js";
import type { GroundTruthObject, Sample } from "./sample.js";

/** Class numbers of the .mat files, by their official names. */
export const CITYPERSONS_CATEGORIES = [
  "ignore region",
  "pedestrian",
  "rider",
  "sitting person",
  "other person",
  "people group",
] as const;

/** A category of CityPersons that can count as an object. */
export type CityPersonsCategory = (typeof CITYPERSONS_CATEGORIES)[number];

/** How to read CityPersons. */
export interface CityPersonsOptions {
  /** Folder of the pictures: leftImg8bit, or its train or val. @default `leftImg8bit` or `images` beside the file */
  readonly images?: string;
  /** Which categories are objects; the others are ignore regions. Only the .mat files tell them apart. @default pedestrian */
  readonly categories?: readonly CityPersonsCategory[];
  /** Objects are labelled with their category's name instead of `label`. @default false */
  readonly perCategory?: boolean;
  /** Form of the file's boxes. @default "xywh", and files that look otherwise are refused */
  readonly boxes?: BoxForm;
  /** Sizes of the pictures: see {@link openSizes}. @default 2048x1024, that of Cityscapes */
  readonly sizes?: string;
  /** @default "person" */
  readonly label?: string;
  /** @default stop at the first bad record */
  readonly problems?: Problems;
}

const COLUMNS = 10;

/** Streams the images of a CityPersons file in its order. @throws InputError naming file, image and row. */
export async function* readCityPersons(
  path: string,
  options: CityPersonsOptions = {},
): AsyncGenerator<Sample> {
  const beside = dirname(path);
  const folder = options.images ?? firstFolder([join(beside, "leftImg8bit"), join(beside, "images"), beside]);
  const problems = options.problems ?? new Problems();
  if (/\.json$/i.test(path)) {
    const label = options.label ?? "person";
    const findPicture = cityscapesPictures(folder, undefined);
    yield* readCoco(path, {
      findPicture: (name) => findPicture(name.split("_")[0]!, name),
      labelAll: label,
      boxes: options.boxes,
      problems,
    });
    return;
  }
  yield* readMatAnnotations(path, { ...options, problems }, folder);
}

async function* readMatAnnotations(
  path: string,
  options: CityPersonsOptions & { readonly problems: Problems },
  folder: string,
): AsyncGenerator<Sample> {
  const { problems } = options;
  const [variable, cells] = annotationCells(readMat5(await readWholeFile(path), path), path);
  const sizes = await openSizes(options.sizes ?? "2048x1024");
  const split = /_(train|val|test)/.exec(variable)?.[1];
  const context: MatContext = {
    audit: new BoxAudit(path, { native: "xywh", declared: options.boxes, problems }),
    sizes,
    findPicture: cityscapesPictures(folder, split),
    options,
  };
  const seen = new Map<string, number>();
  for (const [i, cell] of cells.entries()) {
    const where = `${path}: ${variable}{${i + 1}}`;
    const sample = await problems.attemptAsync(async () => {
      const entry = readEntry(cell, where);
      const before = seen.get(entry.name);
      if (before !== undefined) {
        throw duplicateError(where, "im_name", entry.name, `entry ${before}`, "Each image has one entry.");
      }
      seen.set(entry.name, i + 1);
      return toSample(entry, context);
    });
    if (sample !== undefined) yield sample;
  }
  context.audit.finish();
}

interface MatContext {
  readonly audit: BoxAudit;
  readonly sizes: SizeLookup;
  readonly findPicture: (city: string, name: string) => string;
  readonly options: CityPersonsOptions & { readonly problems: Problems };
}

interface Entry {
  readonly where: string;
  readonly city: string;
  readonly name: string;
  readonly rows: readonly (readonly number[])[];
}

/** The variable that holds a cell of structs with `im_name` and `bbs`. */
function annotationCells(
  variables: ReadonlyMap<string, MatValue>,
  path: string,
): [name: string, cells: readonly MatValue[]] {
  for (const [name, value] of variables) {
    if (value.kind !== "cell") continue;
    const first = value.cells.find((cell) => cell.kind === "struct");
    if (first?.kind === "struct" && first.elements[0]?.has("bbs") === true) return [name, value.cells];
  }
  const found = [...variables].map(([name, value]) => `${name} (${value.kind})`).join(", ");
  throw new InputError(
    `${path}: no cell of structs with im_name and bbs; it holds ${found === "" ? "nothing" : found}`,
    {
      hint: "CityPersons' files are anno_train.mat and anno_val.mat, with anno_train_aligned and anno_val_aligned.",
    },
  );
}

function readEntry(cell: MatValue, where: string): Entry {
  const fields = cell.kind === "struct" ? cell.elements[0] : undefined;
  if (fields === undefined)
    throw new AnnotationError("field", `${where}: must be a struct with im_name and bbs, got ${cell.kind}`);
  const name = textOf(fields, "im_name", where);
  if (name === undefined) throw fieldError(where, "im_name", "is missing");
  const bbs = fields.get("bbs");
  if (bbs?.kind !== "number")
    throw fieldError(where, "bbs", `must be rows of numbers, got ${bbs?.kind ?? "nothing"}`);
  const [rows, columns] = [bbs.dims[0]!, bbs.dims[1]!];
  if (bbs.data.length > 0 && columns !== COLUMNS) {
    throw fieldError(
      where,
      "bbs",
      `has ${columns} columns`,
      "A row is class, x, y, width, height, instance, and x, y, width, height of the visible part.",
      "columns",
    );
  }
  return {
    where: `${where} (${name})`,
    city: textOf(fields, "cityname", where) ?? name.split("_")[0]!,
    name,
    rows: Array.from({ length: bbs.data.length / COLUMNS }, (_, r) =>
      Array.from({ length: COLUMNS }, (_unused, c) => bbs.data[c * rows + r]!),
    ),
  };
}

function textOf(fields: ReadonlyMap<string, MatValue>, field: string, where: string): string | undefined {
  const value = fields.get(field);
  if (value === undefined) return undefined;
  if (value.kind !== "text" || value.rows.length !== 1 || value.rows[0] === "")
    throw fieldError(where, field, `must be text, got ${value.kind}`);
  return value.rows[0]!;
}

async function toSample({ where, city, name, rows }: Entry, context: MatContext): Promise<Sample> {
  const { audit, options } = context;
  const path = context.findPicture(city, name);
  const size = await context.sizes({ id: name, path, where });
  const counted = options.categories ?? ["pedestrian"];
  const objects: GroundTruthObject[] = [];
  const ignore: Box<"image">[] = [];
  const ignoreLabels: string[] = [];
  for (const [r, row] of rows.entries()) {
    const at = `${where}, row ${r + 1}`;
    options.problems.attempt(() => {
      const category = CITYPERSONS_CATEGORIES[row[0]!];
      if (category === undefined)
        throw fieldError(at, "class", `must be 0 to ${CITYPERSONS_CATEGORIES.length - 1}, got ${row[0]}`);
      if (!counted.includes(category)) {
        const region = audit.readIgnore(row.slice(1, 5), at, "box", size);
        if (region === undefined) return;
        ignore.push(region);
        ignoreLabels.push(category);
        return;
      }
      const box = audit.read(row.slice(1, 5), at, "box", size);
      const visible = audit.readDetail(row.slice(6, 10), at, "visible box");
      objects.push({
        box,
        ...(visible === undefined ? {} : { visible }),
        visibility: visible === undefined ? 0 : Math.min(1, boxArea(visible) / boxArea(box)),
        label: options.perCategory === true ? category : (options.label ?? "person"),
        // 0 is no instance's number.
        ...(row[5] === 0 ? {} : { id: String(row[5]) }),
        attributes: { category },
      });
    });
  }
  return { id: basename(name), image: { kind: "file", path }, ...size, objects, ignore, ignoreLabels };
}

/** Finds pictures by the layout that the first one has: flat, by city, or by split and city. */
function cityscapesPictures(
  folder: string,
  split: string | undefined,
): (city: string, name: string) => string {
  const splits = split === undefined ? ["val", "train", "test"] : [split];
  const layouts = [
    (city: string, name: string) => join(city, name),
    (_city: string, name: string) => name,
    ...splits.map((part) => (city: string, name: string) => join(part, city, name)),
    ...splits.map((part) => (city: string, name: string) => join("leftImg8bit", part, city, name)),
  ];
  let known = layouts[0]!;
  return (city, name) => {
    const usual = resolve(folder, known(city, name));
    if (existsSync(usual)) return usual;
    const found = layouts.find((layout) => existsSync(resolve(folder, layout(city, name))));
    if (found === undefined) return usual;
    known = found;
    return resolve(folder, known(city, name));
  };
}
