/** @file What `dip-r1 eval` does where the dataset is a benchmark's: its own numbers, and detections in its own form. */
import { InputError } from "../base/errors.js";
import type { Dataset } from "../datasets/index.js";
import type { Benchmark } from "../metrics/benchmark-files.js";
import type { ScoreSource } from "../metrics/scores.js";
import type { BenchmarkSummary, EvaluatedImage } from "../rl/index.js";
import type { CliContext } from "./context.js";

/**
 * The dataset's benchmark, with a warning where there should be one and is not.
 * @param forDetections Detections are to be written: then there must be one.
 */
export async function openEvalBenchmark(
  dataset: Dataset,
  labels: readonly string[],
  forDetections: boolean,
  { logger }: CliContext,
): Promise<Benchmark | undefined> {
  const { benchmarkOf } = await import("../runs/index.js");
  const found = await benchmarkOf(dataset, labels);
  if ("truthOf" in found) return found;
  const { reason } = found;
  if (forDetections)
    throw new InputError(
      `--write-detections: ${dataset.name} has no form of detections of its own${reason === undefined ? "" : `: ${reason}`}`,
      {
        hint: "The benchmarks' forms are those of coco, crowdhuman, citypersons, uavdt and widerpedestrian.",
      },
    );
  if (reason !== undefined) logger.warn(`${dataset.name}: without the benchmark's own numbers: ${reason}`);
  return undefined;
}

/** A summary, with a word on how many of the benchmark's images it is over. */
export async function evalBenchmark(
  benchmark: Benchmark,
  judged: readonly EvaluatedImage[],
  source: ScoreSource,
): Promise<BenchmarkSummary | undefined> {
  const { benchmarkSummary } = await import("../rl/index.js");
  const summary = benchmarkSummary(judged, source);
  if (summary === undefined) return undefined;
  const known = judged.filter((image) => image.benchmark !== undefined).length;
  return {
    ...summary,
    notes: [
      ...(known === benchmark.images
        ? []
        : [`over ${known} of the ${benchmark.images} images in the benchmark's file: not its number`]),
      ...benchmark.notes,
      ...summary.notes,
    ],
  };
}

/** The summary as a table. */
export async function evalBenchmarkTable(title: string, summary: BenchmarkSummary): Promise<string> {
  const { benchmarkText } = await import("../metrics/index.js");
  const { benchmarkTable } = await import("./benchmark-table.js");
  const table = benchmarkTable(summary, (value) => benchmarkText(summary.benchmark, value));
  const head = `${title}: ${summary.benchmark}'s own numbers, boxes ranked by score source "${summary.scoreSource}"`;
  return [head, table, ...summary.notes.map((note) => `note: ${note}`)].join("\n");
}

/** Writes the first response to each image (for `consensus` all of them, fused) as detections. */
export async function writeEvalDetections(
  path: string,
  benchmark: Benchmark,
  judged: readonly EvaluatedImage[],
  source: ScoreSource,
  { logger }: CliContext,
): Promise<void> {
  const { writeBenchmarkDetections } = await import("../metrics/index.js");
  const { benchmarkImages } = await import("../rl/index.js");
  const { categoryIds } = benchmark;
  const written = await writeBenchmarkDetections(path, benchmarkImages(judged, 0, source), {
    ...(categoryIds && { categoryIds }),
  });
  logger.info(
    `detections in the form of ${benchmark.name}, scores from ${source}: ${path}` +
      (written.length > 1 ? ` (${written.length} files)` : ""),
  );
}
