/** @file Opens a dataset spec: one face for generated scenes and files, with a fingerprint that goes into every result. */
import { existsSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { parse as parseYaml } from "yaml";
import type { z } from "zod";
import { InputError, toError } from "../base/errors.js";
import { fingerprintValue } from "../base/fingerprint.js";
import { deriveSeed } from "../base/rng.js";
import { checkPictures } from "./check-pictures.js";
import { readTextFile } from "./fields.js";
import {
  choicesOf,
  defaultName,
  fingerprintFiles,
  locateFiles,
  readFiles,
  readTruthFiles,
  type DatasetFile,
} from "./file-formats.js";
import { describeProblems, NO_PROBLEMS, Problems, type OnError, type ProblemReport } from "./problems.js";
import type { Sample, SampleTruth } from "./sample.js";
import { generateScene, resolveSceneOptions, SCENES_VERSION, type SceneOptions } from "./scenes/index.js";
import { select } from "./select.js";
import { parseSpecText } from "./spec-text.js";
import {
  datasetObjectSchema,
  type DatasetSpec,
  type DatasetSpecInput,
  type FileSpec,
  type ScenesSpec,
} from "./spec.js";

export type { DatasetFile };

/** Samples in a fixed order. Annotations are in memory, pixels are not: they are drawn or decoded when asked for. */
export interface Dataset<S extends SampleTruth = Sample> {
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
  /** What of the files was left out (onError: skip) or noted; {@link describeProblems} says it in words. */
  readonly problems: ProblemReport;
  readonly length: number;
  /** All samples in order; may be called again and again. */
  samples(): AsyncIterable<S>;
  /** The sample at 0..length - 1. @throws RangeError outside */
  at(index: number): Promise<S>;
}

/** Options of {@link openDataset}. */
export interface OpenOptions {
  /** What relative paths are relative to: the recipe's folder. @default the current folder */
  readonly baseDir?: string;
  /** Replaces the spec's own `onError`, as `--on-error` does. */
  readonly onError?: OnError;
}

/**
 * Opens a dataset from its spec, its short text, or the path of a .yaml file that holds a spec.
 * @throws InputError for a bad spec, and for bad annotations (all of them are read here; images are not).
 */
export async function openDataset(input: DatasetSpecInput, options: OpenOptions = {}): Promise<Dataset> {
  return openWith(input, options, readFiles);
}

/**
 * The same for who needs no pictures, like the rewards: lines of our own JSON Lines may lack `image`. Those that are named
 * are looked at as the spec's `checkImages` says.
 * @throws InputError as {@link openDataset} does
 */
export async function openAnnotations(
  input: DatasetSpecInput,
  options: OpenOptions = {},
): Promise<Dataset<SampleTruth>> {
  return openWith(input, options, readTruthFiles);
}

/** Reads the samples of a spec whose paths are absolute. */
type ReadFiles<S> = (spec: FileSpec, problems: Problems) => AsyncIterable<S>;

async function openWith<S extends SampleTruth>(
  input: DatasetSpecInput,
  options: OpenOptions,
  read: ReadFiles<S>,
): Promise<Dataset<S | Sample>> {
  const baseDir = resolve(options.baseDir ?? ".");
  if (typeof input === "string" && /\.ya?ml$/i.test(input)) {
    const path = resolve(baseDir, input);
    return openWith(await readSpecFile(path), { ...options, baseDir: dirname(path) }, read);
  }
  const spec = parseDatasetSpec(input);
  return spec.format === "scenes" ? openScenes(spec) : openFiles(spec, { ...options, baseDir }, read);
}

const FORMATS: readonly DatasetSpec["format"][] = datasetObjectSchema.options.map(
  ({ shape }) => shape.format.value,
);

/** Checks a spec and fills in defaults. @throws InputError naming the key. */
export function parseDatasetSpec(input: unknown, where = "dataset"): DatasetSpec {
  const parsed = datasetObjectSchema.safeParse(typeof input === "string" ? parseSpecText(input) : input);
  if (parsed.success) return parsed.data;
  throw new InputError(`${where}: ${parsed.error.issues.map(describeIssue).join("; ")}`, {
    hint:
      `A dataset is {format: ..., ...} with one of ${FORMATS.join(", ")}, or text like scenes:plaza?count=100 ` +
      "or crowdhuman:annotation_val.odgt?images=Images.",
  });
}

function describeIssue(issue: z.core.$ZodIssue): string {
  const key = issue.path.map(String).join(".");
  return key === "" ? issue.message : `${key}: ${issue.message}`;
}

async function readSpecFile(path: string): Promise<DatasetSpec> {
  const text = await readTextFile(path);
  let value: unknown;
  try {
    value = parseYaml(text);
  } catch (error) {
    throw new InputError(`${path}: is not YAML (${toError(error).message})`, { cause: error });
  }
  return parseDatasetSpec(value, path);
}

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
    problems: NO_PROBLEMS,
    length: count,
    async *samples() {
      for (let index = 0; index < count; index++) yield scene(index);
    },
    at: async (index) => scene(checked(index, count)),
  };
}

async function openFiles<S extends SampleTruth>(
  written: FileSpec,
  options: OpenOptions & { readonly baseDir: string },
  read: ReadFiles<S>,
): Promise<Dataset<S>> {
  const spec = options.onError === undefined ? written : { ...written, onError: options.onError };
  const here = (path: string) => resolve(options.baseDir, path);
  const located = locateFiles(spec, here);
  if (!existsSync(located.annotations)) {
    throw new InputError(`${located.annotations}: no such file`, {
      hint: "Paths in a recipe are relative to the recipe's folder, on the command line to the current folder.",
    });
  }
  const problems = new Problems(spec.onError);
  const all: S[] = [];
  for await (const sample of read(located, problems)) all.push(sample);
  const samples = await checkPictures(select(all, spec), {
    check: spec.checkImages,
    folder: located.images,
    problems,
  });
  const report = problems.report();
  if (samples.length === 0) {
    const left = report.leftOut > 0 ? ` (${describeProblems(report)})` : "";
    throw new InputError(
      `${located.annotations}: ${all.length === 0 ? "holds no image" : "no image is left"}${left}`,
      { hint: "Look at where, split, limit and frames, and at what was left out." },
    );
  }
  const files: DatasetFile[] = await fingerprintFiles(located);
  return {
    name: spec.name ?? defaultName(located),
    spec,
    fingerprint: fingerprintValue({
      chosen: choicesOf(spec),
      files: files.map((file) => file.sha256),
      // Without bad records "skip" reads what "error" does; what was left out makes it other data.
      leftOut: report.leftOut === 0 ? undefined : report.kinds,
    }),
    files,
    problems: report,
    length: samples.length,
    async *samples() {
      yield* samples;
    },
    at: async (index) => samples[checked(index, samples.length)]!,
  };
}

function checked(index: number, length: number): number {
  if (!Number.isInteger(index) || index < 0 || index >= length) {
    throw new RangeError(`sample ${index} of a dataset of ${length}`);
  }
  return index;
}
