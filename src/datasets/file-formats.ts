/** @file One entry a format of annotation files: how it is read, which files a fingerprint covers, what results call it. */
import { existsSync } from "node:fs";
import { basename, dirname, extname } from "node:path";
import { fingerprintFile, fingerprintPath } from "../base/fingerprint.js";
import { readChatJsonl } from "./chat-jsonl.js";
import { readCityPersons } from "./citypersons.js";
import { readCoco } from "./coco.js";
import { readCrowdHuman } from "./crowdhuman.js";
import { parseSizeText } from "./image-sizes.js";
import { readJsonlSamples, readJsonlTruth } from "./jsonl.js";
import { motSequenceInfo, motTruthFile, readMot } from "./mot.js";
import type { Problems } from "./problems.js";
import type { Sample, SampleTruth } from "./sample.js";
import type { FileFormat, FileSpec } from "./spec.js";
import { readUavdt, uavdtFiles } from "./uavdt.js";
import { readVisDrone } from "./visdrone.js";
import { readWiderPedestrian, widerFiles } from "./wider-pedestrian.js";

/** An annotation file that was read; a folder where the format has a file for each picture. */
export interface DatasetFile {
  readonly path: string;
  readonly sha256: string;
}

type SpecOf<F extends FileFormat> = Extract<FileSpec, { format: F }>;

interface FileFormatEntry<F extends FileFormat> {
  /** The samples of a spec whose paths are absolute. */
  readonly read: (spec: SpecOf<F>, problems: Problems) => AsyncIterable<Sample>;
  /** The same where records need not name a picture. @default every record must */
  readonly readTruth?: (spec: SpecOf<F>, problems: Problems) => AsyncIterable<SampleTruth>;
  /** Files that are read beside the annotations, and folders. @default none, and the annotations are one file */
  readonly files?: (spec: SpecOf<F>) => readonly string[] | Promise<readonly string[]>;
}

const present = (paths: readonly (string | undefined)[]): string[] =>
  paths.filter((path) => path !== undefined);

const FORMATS: { readonly [F in FileFormat]: FileFormatEntry<F> } = {
  coco: { read: (spec, problems) => readCoco(spec.annotations, { ...spec, problems }) },
  jsonl: {
    read: (spec, problems) => readJsonlSamples(spec.annotations, { ...spec, problems }),
    readTruth: (spec, problems) => readJsonlTruth(spec.annotations, { ...spec, problems }),
  },
  trl: { read: (spec, problems) => readChatJsonl(spec.annotations, "trl", { ...spec, problems }) },
  "ms-swift": {
    read: (spec, problems) => readChatJsonl(spec.annotations, "ms-swift", { ...spec, problems }),
  },
  "vlm-r1": { read: (spec, problems) => readChatJsonl(spec.annotations, "vlm-r1", { ...spec, problems }) },
  crowdhuman: { read: (spec, problems) => readCrowdHuman(spec.annotations, { ...spec, problems }) },
  citypersons: { read: (spec, problems) => readCityPersons(spec.annotations, { ...spec, problems }) },
  mot: {
    read: (spec, problems) => readMot(spec.annotations, { ...spec, problems }),
    files: (spec) => present([spec.annotations, spec.seqinfo, spec.extraIgnore]),
  },
  uavdt: {
    read: (spec, problems) => readUavdt(spec.annotations, { ...spec, problems }),
    files: (spec) => uavdtFiles(spec.annotations, spec),
  },
  visdrone: { read: (spec, problems) => readVisDrone(spec.annotations, { ...spec, problems }) },
  widerpedestrian: {
    read: (spec, problems) => readWiderPedestrian(spec.annotations, { ...spec, problems }),
    files(spec) {
      const { ignoreFile, list } = widerFiles(spec.annotations, spec);
      return present([spec.annotations, ignoreFile, list]);
    },
  },
};

function entryOf(spec: FileSpec): FileFormatEntry<FileFormat> {
  // Each entry takes the specs of its own format: the key is the proof that the compiler cannot see.
  return FORMATS[spec.format] as unknown as FileFormatEntry<FileFormat>;
}

/** Keys that hold paths, beside `annotations`. */
const PATHS = ["images", "seqinfo", "extraIgnore", "ignoreFile", "list", "sizes"] as const;

/** The spec with every path absolute. @param here makes it so */
export function locateFiles(spec: FileSpec, here: (path: string) => string): FileSpec {
  const located: Record<string, unknown> = { ...spec, annotations: here(spec.annotations) };
  for (const key of PATHS) {
    const value = located[key];
    if (typeof value === "string" && !(key === "sizes" && parseSizeText(value))) located[key] = here(value);
  }
  const found = located as unknown as FileSpec;
  if (found.format !== "mot") return found;
  const annotations = motTruthFile(found.annotations);
  const seqinfo = found.seqinfo ?? motSequenceInfo(annotations);
  return { ...found, annotations, ...(seqinfo === undefined ? {} : { seqinfo }) };
}

/** The samples of a spec whose paths are absolute. */
export function readFiles(spec: FileSpec, problems: Problems): AsyncIterable<Sample> {
  return entryOf(spec).read(spec, problems);
}

/** Like {@link readFiles}, also of records that name no picture, in the formats that know such. */
export function readTruthFiles(spec: FileSpec, problems: Problems): AsyncIterable<SampleTruth> {
  const { read, readTruth = read } = entryOf(spec);
  return readTruth(spec, problems);
}

/** The files that a spec's samples come from, with their sha256. */
export async function fingerprintFiles(spec: FileSpec): Promise<DatasetFile[]> {
  const paths = [...((await entryOf(spec).files?.(spec)) ?? [spec.annotations])];
  if ("sizes" in spec && spec.sizes !== undefined && existsSync(spec.sizes)) paths.push(spec.sizes);
  const isAnnotation = (name: string) => name.endsWith(".txt");
  return Promise.all(
    paths.map(async (path) => ({
      path,
      sha256:
        spec.format === "visdrone" && path === spec.annotations
          ? await fingerprintPath(path, isAnnotation)
          : await fingerprintFile(path),
    })),
  );
}

/** What a spec selects: all of it but names, places, and how bad records are met. */
export function choicesOf(spec: FileSpec): Record<string, unknown> {
  const choices: Record<string, unknown> = { ...spec };
  for (const key of ["name", "annotations", "onError", "checkImages", ...PATHS]) delete choices[key];
  if ("sizes" in spec && spec.sizes !== undefined && parseSizeText(spec.sizes)) choices["sizes"] = spec.sizes;
  return choices;
}

/** `pets/train.json` is `pets/train`: file names alone repeat from dataset to dataset. */
export function defaultName(spec: FileSpec): string {
  const folder = dirname(spec.annotations);
  if (spec.format === "mot") return basename(basename(folder) === "gt" ? dirname(folder) : folder);
  const name = basename(spec.annotations, extname(spec.annotations));
  const parent = basename(folder);
  return parent === "" ? name : `${parent}/${name}`;
}
