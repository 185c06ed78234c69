/** @file What a run works with, opened from its recipe: engine, text, samples, and the fingerprints of all of it. */
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { cpus } from "node:os";
import { resolve } from "node:path";
import { codeFingerprint, deriveSeed, fingerprintPath, InputError } from "../base/index.js";
import {
  describeProblems,
  openDataset,
  type Dataset,
  type DatasetFile,
  type ProblemReport,
  type Sample,
} from "../datasets/index.js";
import type { Engine } from "../engines/contract.js";
import type { CoordinateProfile } from "../geometry/profiles.js";
import { openBenchmark, type Benchmark, type BenchmarkTruth, type NoBenchmark } from "../metrics/index.js";
import {
  qwenCodec,
  qwenEncoder,
  qwenTeacher,
  shuffledSource,
  type BatchSource,
  type EncodedSample,
  type GrpoConfig,
  type SampleEncoder,
  type TextCodec,
} from "../rl/index.js";
import { readModelTask, writeModelTask } from "./model-task.js";
import type { LoadedRecipe } from "./recipe.js";
import type { Recipe } from "./recipe-schema.js";

/** What every part of a run needs to know of a sample. */
export type RunSample = Pick<Sample, "id" | "width" | "height">;

/** A set to judge on. */
export interface EvaluationSet<S extends RunSample> {
  readonly name: string;
  readonly domain: "in" | "out";
  /** In a fixed order; may be read again and again. */
  samples(): AsyncIterable<S>;
  readonly length: number;
  /** The data behind it, for result records. */
  readonly data?: DatasetFacts;
  /** The benchmark's own ground truth of an image, where the data is a benchmark's. */
  readonly benchmark?: (id: string) => BenchmarkTruth | undefined;
}

/** What a result says of the data that it was had on. */
export interface DatasetFacts {
  readonly fingerprint: string;
  /** The annotation files, each with its own sha256. */
  readonly files: readonly DatasetFile[];
  /** What of them was left out or noted. */
  readonly problems: ProblemReport;
}

/** The facts of an opened dataset. */
export function datasetFacts({ fingerprint, files, problems }: Dataset): DatasetFacts {
  return { fingerprint, files, problems };
}

/** Where a run's numbers come from, for its manifest. */
export interface Provenance {
  /** Fingerprint of each dataset, by its place in the recipe. */
  readonly data: Readonly<Record<string, string>>;
  readonly model: string;
  readonly code: { readonly version: string; readonly sha256: string };
  readonly versions: Readonly<Record<string, string>>;
}

/** Everything a run works with. */
export interface RunParts<S extends RunSample = Sample> {
  readonly engine: Engine;
  readonly codec: TextCodec;
  readonly encode: SampleEncoder<S>;
  /** Teacher text, for SFT. */
  readonly teach: (sample: S, encoded: EncodedSample) => string;
  readonly source: BatchSource<S>;
  readonly sets: readonly EvaluationSet<S>[];
  /** Which numbers the model speaks. @default "absolute" */
  readonly profile?: CoordinateProfile;
  readonly provenance: Provenance;
  /** What of the data was left out or is odd, for the log. */
  readonly warnings?: readonly string[];
  /** Writes the weights of now as a Hugging Face folder, where the engine can. */
  readonly exportModel?: (path: string) => Promise<void>;
  /** A recipe's choices as the engine can have them; `warnings` say what differs. */
  readonly fitGrpo?: <C extends Pick<GrpoConfig, "kl">>(config: C) => C;
  /** A word on the engine at the end of a run, for the log (how many graphs it built). */
  readonly summary?: () => string;
}

/** A recipe's data, opened. */
export interface OpenedData {
  readonly source: (seed: number) => BatchSource<Sample>;
  readonly sets: readonly EvaluationSet<Sample>[];
  /** By place in the recipe. */
  readonly fingerprints: Readonly<Record<string, string>>;
  readonly warnings: readonly string[];
  readonly versions: Readonly<Record<string, string>>;
}

/** Versions of what numbers may depend on beside our own code. */
export async function environmentVersions(): Promise<Record<string, string>> {
  const require = createRequire(import.meta.url);
  const runtime = JSON.parse(await readFile(require.resolve("onnxruntime-node/package.json"), "utf8")) as {
    version: string;
  };
  return {
    node: process.version,
    "onnxruntime-node": runtime.version,
    platform: `${process.platform}-${process.arch}`,
    processor: `${cpus().length} x ${cpus()[0]?.model.trim() ?? "unknown"}`,
  };
}

/** The model folder a recipe names. @throws InputError where there is none. */
export function modelFolder({ recipe, folder, path }: LoadedRecipe): string {
  const directory = resolve(folder, recipe.engine.model);
  if (!existsSync(directory))
    throw new InputError(`${path}: "engine.model": there is no folder ${directory}`, {
      hint: "Paths in a recipe are relative to the recipe's folder.",
    });
  return directory;
}

/** A dataset in random order, epoch after epoch; the order depends on the seed alone. */
export function datasetSource(dataset: Dataset, seed: number): BatchSource<Sample> {
  const order = shuffledSource(
    Array.from({ length: dataset.length }, (_, index) => index),
    seed,
  );
  return {
    async take(cursor, count) {
      return Promise.all((await order.take(cursor, count)).map((index) => dataset.at(index)));
    },
  };
}

function isInDomain(recipe: Recipe, name: string): boolean {
  const names = recipe.data.inDomain ?? Object.keys(recipe.data.eval).slice(0, 1);
  return names.includes(name);
}

/** What of these datasets was left out or is odd, in words; each file once. */
function warningsOf(datasets: readonly Dataset[]): string[] {
  const words = datasets.map(({ name, problems }) => {
    const found = describeProblems(problems);
    return found === undefined ? undefined : `${name}: ${found}`;
  });
  return [...new Set(words.filter((text) => text !== undefined))];
}

/**
 * The benchmark's ground truth of a dataset, or why there is none: what its own readers do not take is no reason not to
 * judge the model otherwise.
 */
export async function benchmarkOf(
  dataset: Dataset,
  labels: readonly string[],
): Promise<Benchmark | NoBenchmark> {
  try {
    return await openBenchmark(dataset, { labels });
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return { reason: error.message };
  }
}

/** The sets of a recipe's `data.eval`, with the fingerprint of each. */
export async function openEvaluationSets({ recipe, folder, path }: LoadedRecipe): Promise<{
  sets: EvaluationSet<Sample>[];
  fingerprints: Record<string, string>;
  warnings: readonly string[];
}> {
  const strange = recipe.data.inDomain?.find((name) => !Object.hasOwn(recipe.data.eval, name));
  if (strange !== undefined)
    throw new InputError(`${path}: "data.inDomain": there is no set named "${strange}" in data.eval`);
  const opened = await Promise.all(
    Object.entries(recipe.data.eval).map(async ([name, spec]) => ({
      name,
      dataset: await openDataset(spec, { baseDir: folder }),
    })),
  );
  const benchmarks = await Promise.all(opened.map(({ dataset }) => benchmarkOf(dataset, recipe.data.labels)));
  return {
    sets: opened.map(({ name, dataset }, i) => {
      const benchmark = benchmarks[i]!;
      return {
        name,
        domain: isInDomain(recipe, name) ? "in" : "out",
        length: dataset.length,
        samples: () => dataset.samples(),
        data: datasetFacts(dataset),
        ...("truthOf" in benchmark && { benchmark: (id: string) => benchmark.truthOf(id) }),
      };
    }),
    fingerprints: Object.fromEntries(
      opened.map(({ name, dataset }) => [`eval.${name}`, dataset.fingerprint]),
    ),
    warnings: [
      ...warningsOf(opened.map(({ dataset }) => dataset)),
      ...opened.flatMap(({ name }, i) => {
        const benchmark = benchmarks[i]!;
        return "reason" in benchmark && benchmark.reason !== undefined
          ? [`${name}: without the benchmark's own numbers: ${benchmark.reason}`]
          : [];
      }),
    ],
  };
}

/**
 * Opens everything a recipe names.
 * @throws InputError for data or models that are not there; UnavailableError for a device that is not.
 */
export async function openParts(loaded: LoadedRecipe): Promise<RunParts> {
  const { recipe, folder } = loaded;
  const modelDir = modelFolder(loaded);
  // Data first: a wrong path shows before the minutes a large model takes to load.
  const [train, { sets, fingerprints, warnings }] = await Promise.all([
    openDataset(recipe.data.train, { baseDir: folder }),
    openEvaluationSets(loaded),
  ]);
  if (recipe.engine.kind === "tinker") {
    const { openTinkerParts } = await import("./tinker-parts.js");
    return openTinkerParts(loaded, modelDir, {
      source: (seed) => datasetSource(train, seed),
      sets,
      fingerprints: { train: train.fingerprint, ...fingerprints },
      warnings: [...new Set([...warningsOf([train]), ...warnings])],
      versions: await environmentVersions(),
    });
  }
  const { createLocalEngine } = await import("../engines/local/engine.js");
  const { trainable } = recipe;
  const freezeVision = trainable.vision === "frozen";
  const engine = await createLocalEngine({
    modelDir,
    device: recipe.engine.device,
    seed: recipe.seed,
    trainable:
      trainable.kind === "full"
        ? { kind: "full", freezeVision }
        : {
            kind: "lora",
            rank: trainable.rank,
            alpha: trainable.alpha,
            targets: trainable.targets,
            freezeVision,
          },
  });
  const { labels } = recipe.data;
  const profile = recipe.profile ?? (await readModelTask(modelDir)).profile;
  return {
    engine,
    profile,
    codec: qwenCodec(engine.processor, engine.config.tokens.eos),
    encode: qwenEncoder(engine.processor, { prompt: recipe.prompt, labels, profile }),
    teach: qwenTeacher({ labels }),
    source: datasetSource(train, deriveSeed(recipe.seed, "data")),
    sets,
    provenance: {
      data: { train: train.fingerprint, ...fingerprints },
      model: await fingerprintPath(modelDir),
      code: await codeFingerprint(),
      versions: await environmentVersions(),
    },
    warnings: [...new Set([...warningsOf([train]), ...warnings])],
    async exportModel(path) {
      await engine.exportModel(path);
      await writeModelTask(path, { prompt: recipe.prompt, labels, profile });
    },
    summary: () => `${engine.graphsBuilt} graphs built`,
  };
}
