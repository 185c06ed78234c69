/**
 * @file The ground truth of a dataset as its benchmark's own evaluator reads it: by the same readers that `eval-detections`
 * uses, from the files that the dataset was opened from, so that the numbers are the same by construction.
 */
import { existsSync } from "node:fs";
import { basename } from "node:path";
import { arrayField, asObject, readJsonFile } from "../datasets/fields.js";
import type { Dataset, FileSpec } from "../datasets/index.js";
import {
  benchmarkNames,
  type BenchmarkName,
  type BenchmarkTruth,
  type CityPersonsBenchmarkTruth,
  type CocoBenchmarkTruth,
} from "./benchmark-truth.js";
import { readCityPersonsTruths } from "./citypersons/files.js";
import { entryOf, flagOf, imagePlace, readImageIds } from "./coco/files.js";
import { readCrowdHumanAnnotations } from "./crowdhuman/files.js";
import { xywhValue, type Xywh } from "./file-values.js";
import type { PlainBoxes } from "./plain.js";
import { readUavdtRows, type UavdtRow } from "./uavdt/files.js";
import { readWiderTruths } from "./widerpedestrian/files.js";

/** A benchmark's ground truth. */
export interface Benchmark {
  readonly name: BenchmarkName;
  /** Of an image by its sample's id; `undefined` where the benchmark's files do not have it. */
  truthOf(id: string): BenchmarkTruth | undefined;
  /** Images that the benchmark's files have; its own numbers are over all of them. */
  readonly images: number;
  /** COCO: the id of each label's category, for detection files. */
  readonly categoryIds?: ReadonlyMap<string, number | string>;
  /** What a reader of the numbers should know. */
  readonly notes: readonly string[];
}

/** Why a dataset has no numbers of a benchmark's own. */
export interface NoBenchmark {
  readonly name?: undefined;
  /** In words; `undefined` where its format belongs to no benchmark. */
  readonly reason?: string;
}

type SpecOf<F extends BenchmarkName> = Extract<FileSpec, { format: F }>;
/** An opened dataset's spec, and the absolute paths of its files. */
interface Source<F extends BenchmarkName> {
  readonly spec: SpecOf<F>;
  readonly paths: readonly string[];
  readonly labels: readonly string[];
}
type Found = Omit<Benchmark, "name">;

function xywhOf({ corners }: PlainBoxes): Xywh[] {
  const boxes: Xywh[] = [];
  for (let at = 0; at < corners.length; at += 4) {
    const [x, y] = [corners[at]!, corners[at + 1]!];
    boxes.push([x, y, corners[at + 2]! - x, corners[at + 3]! - y]);
  }
  return boxes;
}

const byId = (truths: ReadonlyMap<string, BenchmarkTruth>) => ({
  images: truths.size,
  truthOf: (id: string) => truths.get(id),
});

async function coco({ paths, labels }: Source<"coco">): Promise<Found> {
  const path = paths[0]!;
  const file = asObject(await readJsonFile(path), path, "the ground truth");
  const { ids, places } = readImageIds(file, path);
  const names = new Map<unknown, string>();
  const categoryIds = new Map<string, number | string>();
  for (const value of arrayField(file, "categories", path)) {
    const { id, name } = asObject(value, path, "a category");
    names.set(id, String(name));
    if (!categoryIds.has(String(name))) categoryIds.set(String(name), id as number | string);
  }
  const asked = labels.filter((label) => categoryIds.has(label));
  const truths = ids.map((imageId, place) => ({
    benchmark: "coco" as const,
    place,
    imageId,
    labels: asked,
    boxes: [] as Xywh[],
    categories: [] as string[],
    areas: [] as number[],
    crowd: [] as number[],
  }));
  arrayField(file, "annotations", path).forEach((value, i) => {
    const fields = asObject(value, `${path}: annotations[${i}]`);
    const where = entryOf(path, "annotations", i, fields);
    const truth = truths[imagePlace(fields, places, where)]!;
    const category = names.get(fields["category_id"]);
    if (category === undefined || !asked.includes(category)) return;
    const box = xywhValue(fields["bbox"], where, "bbox");
    truth.boxes.push(box);
    truth.categories.push(category);
    truth.areas.push(typeof fields["area"] === "number" ? fields["area"] : box[2] * box[3]);
    truth.crowd.push(flagOf(fields, "iscrowd", where));
  });
  // The dataset's reader takes an image's `sample_id`, where there is one.
  const sampleIds = new Map<number | string, string>();
  for (const value of arrayField(file, "images", path)) {
    const { id, sample_id: sampleId } = asObject(value, path, "an image");
    if (typeof sampleId === "string" || typeof sampleId === "number")
      sampleIds.set(id as number | string, String(sampleId));
  }
  const left = categoryIds.size - asked.length;
  return {
    ...byId(
      new Map(
        truths.map((truth): [string, CocoBenchmarkTruth] => [
          sampleIds.get(truth.imageId) ?? String(truth.imageId),
          truth,
        ]),
      ),
    ),
    categoryIds,
    notes:
      left === 0 ? [] : [`means are over the ${asked.length} categories asked for, of ${categoryIds.size}`],
  };
}

async function crowdhuman({ spec, paths, labels }: Source<"crowdhuman">): Promise<Found> {
  const annotated = await readCrowdHumanAnnotations(paths[0]!, spec.box);
  return {
    ...byId(
      new Map(
        [...annotated].map(([imageId, { boxes, ignore }], place) => [
          imageId,
          {
            benchmark: "crowdhuman" as const,
            place,
            imageId,
            labels,
            part: spec.box,
            boxes: xywhOf(boxes),
            ignore: [...ignore],
          },
        ]),
      ),
    ),
    notes: [],
  };
}

async function citypersons({ paths, labels }: Source<"citypersons">): Promise<Found> {
  const path = paths[0]!;
  const common = { benchmark: "citypersons" as const, labels };
  if (!/\.mat$/i.test(path)) {
    const { ids, rows } = await readCityPersonsTruths(path);
    const truths = ids.map((imageId, place): [string, CityPersonsBenchmarkTruth] => [
      String(imageId),
      { ...common, place, imageId, ...rows[place]! },
    ]);
    return { ...byId(new Map(truths)), notes: [] };
  }
  // val_gt.json was made from the .mat file: its images are numbered from 1, all but pedestrians are ignored.
  const truths = new Map<string, CityPersonsBenchmarkTruth>();
  // Only where it is needed: it can read pictures, and this layer loads no native library.
  const { readCityPersons } = await import("../datasets/citypersons.js");
  for await (const { id, objects, ignore } of readCityPersons(path)) {
    const place = truths.size;
    const boxes = [...objects.map(({ box }) => box), ...ignore].map(({ x1, y1, x2, y2 }): Xywh => [
      x1,
      y1,
      x2 - x1,
      y2 - y1,
    ]);
    truths.set(id, {
      ...common,
      place,
      imageId: place + 1,
      boxes,
      ignore: boxes.map((_, i) => (i < objects.length ? 0 : 1)),
      heights: boxes.map(([, , , height]) => height),
      visibility: boxes.map((_, i) => objects[i]?.visibility ?? 1),
    });
  }
  return { ...byId(truths), notes: [] };
}

/** Frames of a sequence stand between its number times this and the next one's. */
const SEQUENCE = 1e7;

async function uavdt({ paths, labels }: Source<"uavdt">): Promise<Found | NoBenchmark> {
  const truthPaths = paths.filter((path) => !path.endsWith("_gt_ignore.txt"));
  const other = truthPaths.find((path) => !path.endsWith("_gt_whole.txt"));
  if (other !== undefined)
    return { reason: `the toolkit reads _gt_whole.txt, and the dataset was read from ${other}` };
  const byFrame = (rows: readonly UavdtRow[]) => {
    const frames = new Map<number, Xywh[]>();
    for (const { frame, box } of rows) {
      const list = frames.get(frame);
      if (list === undefined) frames.set(frame, [box]);
      else list.push(box);
    }
    return frames;
  };
  const sequences = new Map<
    string,
    { place: number; boxes: Map<number, Xywh[]>; ignored: Map<number, Xywh[]> }
  >();
  const without: string[] = [];
  let frames = 0;
  for (const path of truthPaths) {
    const ignorePath = path.replace(/_gt_whole\.txt$/, "_gt_ignore.txt");
    const name = basename(path).replace(/_gt_whole\.txt$/, "");
    const has = existsSync(ignorePath);
    if (!has) without.push(name);
    const boxes = byFrame(await readUavdtRows(path, false));
    const ignored = byFrame(has ? await readUavdtRows(ignorePath, false) : []);
    sequences.set(name, { place: sequences.size * SEQUENCE, boxes, ignored });
    frames += Math.max(0, ...boxes.keys(), ...ignored.keys());
  }
  return {
    images: frames,
    truthOf(id) {
      const at = id.lastIndexOf("-");
      const sequence = sequences.get(id.slice(0, at));
      const frame = Number(id.slice(at + 1));
      if (sequence === undefined || !Number.isInteger(frame)) return undefined;
      return {
        benchmark: "uavdt",
        place: sequence.place + frame,
        imageId: id,
        labels,
        boxes: sequence.boxes.get(frame) ?? [],
        ignored: sequence.ignored.get(frame) ?? [],
      };
    },
    notes: without.length === 0 ? [] : [`no file of ignored areas: ${without.join(", ")}`],
  };
}

async function widerpedestrian({ spec, paths, labels }: Source<"widerpedestrian">): Promise<Found> {
  const { names, truths, ignored, year, yearGuessed, ignorePath } = await readWiderTruths(paths[0]!, {
    ...(spec.year !== undefined && { year: spec.year }),
    // The dataset's own, where the spec names one: it was read after the annotations.
    ...(spec.ignoreFile !== undefined && paths[1] !== undefined && { ignorePath: paths[1] }),
  });
  return {
    ...byId(
      new Map(
        names.map((name, place) => [
          name,
          {
            benchmark: "widerpedestrian" as const,
            place,
            imageId: name,
            labels,
            year,
            boxes: truths.get(name)!,
            ignored: ignored.get(name) ?? [],
          },
        ]),
      ),
    ),
    notes: [
      ...(ignorePath === undefined ? ["no file of ignored areas: nothing is ignored"] : []),
      ...(yearGuessed ? ["the columns fit both years: read as 2019"] : []),
    ],
  };
}

const openers: { readonly [B in BenchmarkName]: (source: Source<B>) => Promise<Found | NoBenchmark> } = {
  coco,
  crowdhuman,
  citypersons,
  uavdt,
  widerpedestrian,
};

/** What the dataset's objects are called. */
function ownLabels(spec: SpecOf<BenchmarkName>): readonly string[] | undefined {
  if (spec.format === "coco") return undefined;
  if (spec.format === "crowdhuman") return [spec.label ?? (spec.box === "head" ? "head" : "person")];
  if (!spec.perCategory) return [spec.label];
  return spec.format === "citypersons"
    ? ["pedestrian"]
    : spec.format === "uavdt"
      ? ["car", "truck", "bus"]
      : ["pedestrian", "cyclist"];
}

/**
 * Reads the benchmark's ground truth of an opened dataset.
 *
 * @param options.labels What the model is asked for.
 * @returns the reason where the dataset is of no benchmark, or read in a way that its evaluator does not know.
 * @throws InputError naming file and place of what the official readers do not take.
 */
export async function openBenchmark(
  dataset: Pick<Dataset, "spec" | "files">,
  options: { readonly labels: readonly string[] },
): Promise<Benchmark | NoBenchmark> {
  const { spec } = dataset;
  const name = benchmarkNames.find((one) => one === spec.format);
  if (name === undefined) return {};
  const file = spec as SpecOf<BenchmarkName>;
  if ("boxes" in file && file.boxes === "xyxy")
    return { reason: "its boxes are not in the benchmark's own form (boxes=xyxy)" };
  const own = ownLabels(file);
  const labels = own === undefined ? options.labels : own.filter((label) => options.labels.includes(label));
  if (labels.length === 0)
    return {
      reason: `the model is asked for ${options.labels.join(", ")}, and its objects are called ${own!.join(", ")}`,
    };
  const paths = dataset.files.map(({ path }) => path);
  // Each opener takes the specs of its own format: the key is the proof that the compiler cannot see.
  const open = openers[name] as (source: {
    spec: FileSpec;
    paths: readonly string[];
    labels: readonly string[];
  }) => Promise<Found | NoBenchmark>;
  const found = await open({ spec: file, paths, labels });
  if (!("truthOf" in found)) return found;
  return {
    name,
    ...found,
    notes: [
      ...found.notes,
      ...(file.where === undefined
        ? []
        : ["the benchmark's numbers are over all its objects: `where` moves none of them"]),
    ],
  };
}
