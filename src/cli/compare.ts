/** @file `dip-r1 compare`: whether two results on the same images differ, paired image by image. */
import { Command } from "commander";
import { InputError } from "../base/errors.js";
import type { ScoreSource } from "../metrics/index.js";
import type { PairedMetricName } from "../study/index.js";
import { collect, numberOption, type CliContext } from "./context.js";

interface CompareCommandOptions {
  readonly metric?: readonly string[];
  readonly set?: string;
  readonly decoding?: string;
  readonly common?: boolean;
  readonly scoreSource?: string;
  readonly resamples: number;
  readonly level: number;
  readonly seed: number;
  readonly json?: boolean;
}

/** One of these names. @throws InputError with the names there are. */
function oneOf<T extends string>(option: string, value: string, names: readonly T[]): T {
  const found = names.find((name) => name === value);
  if (found === undefined)
    throw new InputError(`${option} ${value}: there is no such thing`, {
      hint: `One of: ${names.join(", ")}.`,
    });
  return found;
}

/** @throws InputError where the word is no metric, or several benchmarks'. */
function metricNamed(
  word: string,
  found: readonly PairedMetricName[],
  all: readonly string[],
): PairedMetricName {
  if (found.length === 1) return found[0]!;
  throw new InputError(
    `--metric ${word}: ${found.length === 0 ? "there is no such thing" : "several benchmarks have it"}`,
    { hint: `One of: ${(found.length === 0 ? all : found).join(", ")}.` },
  );
}

async function compare(
  a: string,
  b: string,
  options: CompareCommandOptions,
  { print }: CliContext,
): Promise<void> {
  const { scoreSources } = await import("../metrics/index.js");
  const { compareResults, pairedMetrics, pairedMetricsNamed, resultComparisonTable } =
    await import("../study/index.js");
  const names = Object.keys(pairedMetrics);
  // All words are checked before any file is read.
  const chosen = {
    metrics: options.metric?.map((word) => metricNamed(word, pairedMetricsNamed(word), names)),
    decoding:
      options.decoding === undefined
        ? undefined
        : oneOf("--decoding", options.decoding, ["greedy", "sampled"]),
    scoreSource:
      options.scoreSource === undefined
        ? undefined
        : oneOf("--score-source", options.scoreSource, Object.keys(scoreSources) as ScoreSource[]),
  };
  const { openResult } = await import("../runs/index.js");
  const [before, after] = [await openResult(a), await openResult(b)];
  const { common, set, seed, resamples, level } = options;
  const { defaultScoreSource } = await import("../rl/index.js");
  const judged = [before, after].flatMap(({ sets }) => sets.flatMap(({ images }) => images));
  const scoreSource = chosen.scoreSource ?? defaultScoreSource(judged);
  const comparison = compareResults(before, after, {
    ...chosen,
    scoreSource,
    common,
    set,
    seed,
    resamples,
    level,
  });
  await print(options.json === true ? JSON.stringify(comparison) : resultComparisonTable(comparison));
}

/** The command. */
export function compareCommand(context: CliContext): Command {
  return new Command("compare")
    .description("whether two results on the same images differ: paired bootstrap and permutation test")
    .argument("<a>", "file of `dip-r1 eval --out`, a run's folder (its last evaluation), or RUN@STEP")
    .argument("<b>", "the other one; differences are B less A")
    .option(
      "--metric <metric>",
      "f1, precision, recall, f1@75, precision@75, recall@75, f1@50:95, ap50, ap, mae, rmse, bias, duplicates, accuracy, format, tokens; on a benchmark its own: " +
        "coco.AP, coco.AP50, coco.AP75, crowdhuman.AP, crowdhuman.MR, crowdhuman.JI, crowdhuman.MR_1e-4, citypersons.Reasonable, " +
        "citypersons.small, citypersons.heavy, citypersons.All, uavdt.AP, widerpedestrian.mAP, widerpedestrian.AP50, " +
        "widerpedestrian.AP75, or MR, JI, Reasonable, ... alone (repeatable)",
      collect,
    )
    .option("--set <name>", "this set alone")
    .option("--decoding <decoding>", "greedy or sampled alone")
    .option("--common", "compare the images that both have, where they have not the same")
    .option(
      "--score-source <source>",
      "confidence of boxes for AP and miss rates: order, one, logprob, logprob-min, consensus (default: logprob where both have it, else order)",
    )
    .option("--resamples <n>", "of each test", numberOption("--resamples", { min: 100, integer: true }), 2000)
    .option("--level <share>", "of the intervals", numberOption("--level", { min: 0.5, max: 0.999 }), 0.95)
    .option("--seed <n>", "of both tests", numberOption("--seed", { integer: true }), 0)
    .option("--json", "one JSON object on stdout, nothing else")
    .action((a: string, b: string, options: CompareCommandOptions) => compare(a, b, options, context));
}
