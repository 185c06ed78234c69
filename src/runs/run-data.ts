/** @file A recipe's data, opened: what to train on, what to judge on, and the fingerprint of each. */
import { InputError } from "../base/index.js";
import { describeProblems, openDataset, type Dataset, type Sample } from "../datasets/index.js";
import { openBenchmark, type Benchmark, type NoBenchmark } from "../metrics/index.js";
import { shuffledSource, type BatchSource } from "../rl/index.js";
import type { LoadedRecipe } from "./recipe.js";
import type { Recipe } from "./recipe-schema.js";
import type { DatasetFacts, EvaluationSet, OpenedData } from "./run-parts.js";

/** The facts of an opened dataset. */
export function datasetFacts({ fingerprint, files, problems }: Dataset): DatasetFacts {
  return { fingerprint, files, problems };
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

/** Everything of a recipe's `data`. @throws InputError for data that is not there or not what it should be. */
export async function openRunData(loaded: LoadedRecipe): Promise<OpenedData> {
  const [train, { sets, fingerprints, warnings }] = await Promise.all([
    openDataset(loaded.recipe.data.train, { baseDir: loaded.folder }),
    openEvaluationSets(loaded),
  ]);
  return {
    source: (seed) => datasetSource(train, seed),
    sets,
    fingerprints: { train: train.fingerprint, ...fingerprints },
    warnings: [...new Set([...warningsOf([train]), ...warnings])],
  };
}
