/** @file Opens a dataset spec: one face for generated scenes and files, with a fingerprint that goes into every result. */
import { existsSync } from "node:fs";
import { basename, dirname, extname, resolve } from "node:path";
import { parse as parseYaml } from "yaml";
import type { z } from "zod";
import { InputError, toError } from "../base/errors.js";
import { fingerprintFile, fingerprintValue } from "../base/fingerprint.js";
import { deriveSeed } from "../base/rng.js";
import { readCoco } from "./coco.js";
import { readTextFile } from "./fields.js";
import { readJsonlSamples } from "./jsonl.js";
import { motSequenceInfo, motTruthFile, readMot } from "./mot.js";
import type { Sample } from "./sample.js";
import { generateScene, resolveSceneOptions, SCENES_VERSION, type SceneOptions } from "./scenes/index.js";
import { select } from "./select.js";
import { parseSpecText } from "./spec-text.js";
import { datasetObjectSchema, type DatasetSpec, type DatasetSpecInput } from "./spec.js";

/** An annotation file that was read. */
export interface DatasetFile {
  readonly path: string;
  readonly sha256: string;
}

/** Samples in a fixed order. Annotations are in memory, pixels are not: they are drawn or decoded when asked for. */
export interface Dataset {
  /** What results call it. */
  readonly name: string;
  /** Defaults filled in, paths as they were written. */
  readonly spec: DatasetSpec;
  /**
   * sha256 (hex) over the annotation files' contents and what was selected from them, or over the scenes' resolved
   * options and the generator's version. Moving or renaming files does not change it.
   */
  readonly fingerprint: string;
  /** The annotation files with their own sha256; none for scenes. */
  readonly files: readonly DatasetFile[];
  readonly length: number;
  /** All samples in order; may be called again and again. */
  samples(): AsyncIterable<Sample>;
  /** The sample at 0..length - 1. @throws RangeError outside */
  at(index: number): Promise<Sample>;
}

/** Options of {@link openDataset}. */
export interface OpenOptions {
  /** What relative paths are relative to: the recipe's folder. @default the current folder */
  readonly baseDir?: string;
}

/**
 * Opens a dataset from its spec, its short text, or the path of a .yaml file that holds a spec.
 * @throws InputError for a bad spec, and for bad annotations (all of them are read here; images are not).
 */
export async function openDataset(input: DatasetSpecInput, options: OpenOptions = {}): Promise<Dataset> {
  const baseDir = resolve(options.baseDir ?? ".");
  if (typeof input === "string" && /\.ya?ml$/i.test(input)) return openSpecFile(resolve(baseDir, input));
  const spec = parseDatasetSpec(input);
  return spec.format === "scenes" ? openScenes(spec) : openFiles(spec, baseDir);
}

/** Checks a spec and fills in defaults. @throws InputError naming the key. */
export function parseDatasetSpec(input: unknown, where = "dataset"): DatasetSpec {
  const parsed = datasetObjectSchema.safeParse(typeof input === "string" ? parseSpecText(input) : input);
  if (parsed.success) return parsed.data;
  throw new InputError(`${where}: ${parsed.error.issues.map(describeIssue).join("; ")}`, {
    hint: 'A dataset is {format: "scenes" | "coco" | "mot" | "jsonl", ...} or text like scenes:plaza?count=100.',
  });
}

function describeIssue(issue: z.core.$ZodIssue): string {
  const key = issue.path.map(String).join(".");
  return key === "" ? issue.message : `${key}: ${issue.message}`;
}

async function openSpecFile(path: string): Promise<Dataset> {
  const text = await readTextFile(path);
  let value: unknown;
  try {
    value = parseYaml(text);
  } catch (error) {
    throw new InputError(`${path}: is not YAML (${toError(error).message})`, { cause: error });
  }
  const spec = parseDatasetSpec(value, path);
  return openDataset(spec, { baseDir: dirname(path) });
}

type ScenesSpec = Extract<DatasetSpec, { format: "scenes" }>;
type FileSpec = Exclude<DatasetSpec, ScenesSpec>;

function openScenes(spec: ScenesSpec): Dataset {
  const optionsAt = (index: number): SceneOptions => {
    const { format: _format, name: _name, count: _count, start, sizes, ...rest } = spec;
    const at = start + index;
    if (sizes === undefined) return { ...rest, index: at };
    const [width, height] = sizes[(deriveSeed(spec.seed, "size", at) >>> 0) % sizes.length]!;
    return { ...rest, width, height, index: at };
  };
  const scene = (index: number) => generateScene(optionsAt(index));
  // Defaults resolved: a default that changes is a fingerprint that changes.
  const { index: _index, ...resolved } = resolveSceneOptions(optionsAt(0));
  const { count, start, sizes } = spec;
  const size = sizes === undefined ? {} : { width: undefined, height: undefined, sizes };
  return {
    name: spec.name ?? (spec.dense ? `${spec.look}-dense` : spec.look),
    spec,
    fingerprint: fingerprintValue({
      version: SCENES_VERSION,
      scenes: { ...resolved, ...size },
      count,
      start,
    }),
    files: [],
    length: count,
    async *samples() {
      for (let index = 0; index < count; index++) yield scene(index);
    },
    at: async (index) => scene(checked(index, count)),
  };
}

async function openFiles(spec: FileSpec, baseDir: string): Promise<Dataset> {
  const here = (path: string) => resolve(baseDir, path);
  const located = locate(spec, here);
  const all: Sample[] = [];
  for await (const sample of read(located)) all.push(sample);
  const samples = select(all, spec);
  if (samples.length === 0) {
    throw new InputError(
      `${located.annotations}: ${all.length === 0 ? "holds no image" : "no image is left"}`,
      {
        hint: "Look at where, split, limit and frames.",
      },
    );
  }
  const files: DatasetFile[] = [];
  for (const path of annotationFiles(located)) files.push({ path, sha256: await fingerprintFile(path) });
  const { name, annotations: _a, images: _i, ...choices } = spec;
  const {
    seqinfo: _s,
    extraIgnore: _e,
    ...chosen
  } = { seqinfo: undefined, extraIgnore: undefined, ...choices };
  return {
    name: name ?? defaultName(located),
    spec,
    fingerprint: fingerprintValue({ chosen, files: files.map((file) => file.sha256) }),
    files,
    length: samples.length,
    async *samples() {
      yield* samples;
    },
    at: async (index) => samples[checked(index, samples.length)]!,
  };
}

/** The spec with every path absolute. */
function locate(spec: FileSpec, here: (path: string) => string): FileSpec {
  const images = spec.images === undefined ? {} : { images: here(spec.images) };
  const annotations = here(spec.annotations);
  if (spec.format !== "mot") return { ...spec, annotations, ...images };
  const gt = motTruthFile(annotations);
  const seqinfo = spec.seqinfo === undefined ? motSequenceInfo(gt) : here(spec.seqinfo);
  return {
    ...spec,
    annotations: gt,
    ...images,
    ...(seqinfo === undefined ? {} : { seqinfo }),
    ...(spec.extraIgnore === undefined ? {} : { extraIgnore: here(spec.extraIgnore) }),
  };
}

function read(spec: FileSpec): AsyncIterable<Sample> {
  if (!existsSync(spec.annotations)) {
    throw new InputError(`${spec.annotations}: no such file`, {
      hint: "Paths in a recipe are relative to the recipe's folder, on the command line to the current folder.",
    });
  }
  if (spec.format === "coco") return readCoco(spec.annotations, spec);
  if (spec.format === "mot") return readMot(spec.annotations, spec);
  return readJsonlSamples(spec.annotations, spec);
}

function annotationFiles(spec: FileSpec): string[] {
  if (spec.format !== "mot") return [spec.annotations];
  return [spec.annotations, spec.seqinfo, spec.extraIgnore].filter((path) => path !== undefined);
}

/** `pets/train.json` is `pets/train`: file names alone repeat from dataset to dataset. */
function defaultName(spec: FileSpec): string {
  const folder = dirname(spec.annotations);
  if (spec.format === "mot") return basename(basename(folder) === "gt" ? dirname(folder) : folder);
  const name = basename(spec.annotations, extname(spec.annotations));
  const parent = basename(folder);
  return parent === "" ? name : `${parent}/${name}`;
}

function checked(index: number, length: number): number {
  if (!Number.isInteger(index) || index < 0 || index >= length) {
    throw new RangeError(`sample ${index} of a dataset of ${length}`);
  }
  return index;
}
