/** @file `dip-r1 eval`: a model judged on a dataset, greedy and, where asked, sampled. */
import { Command, Option } from "commander";
import { InputError } from "../base/errors.js";
import { scoreSources, type ScoreSource } from "../metrics/scores.js";
import type { EvaluatedImage } from "../rl/index.js";
import { numberOption, type CliContext } from "./context.js";
import {
  evalBenchmark,
  evalBenchmarkTable,
  openEvalBenchmark,
  writeEvalDetections,
} from "./eval-benchmark.js";
import { onErrorOption, openSource, type SourceOptions } from "./data-source.js";
import { addOpenAiOptions, type OpenAiOptions } from "./openai-options.js";
import { judgeImages, MAX_BOX_REPEATS } from "./judge-images.js";
import {
  addModelOptions,
  addTaskOptions,
  openModel,
  taskOf,
  type ModelOptions,
  type TaskOptions,
} from "./model-options.js";

interface EvalOptions extends ModelOptions, TaskOptions, SourceOptions, OpenAiOptions {
  readonly data: string;
  readonly samples: number;
  readonly limit?: number;
  readonly recipe: string;
  readonly scoreSource?: ScoreSource;
  readonly out?: string;
  readonly writeDetections?: string;
  readonly slices?: boolean;
  readonly json?: boolean;
}

/** What was asked for, where these records have what it takes; a greedy response has no others to agree with. */
async function sourceOf(
  images: readonly EvaluatedImage[],
  asked: ScoreSource | undefined,
): Promise<ScoreSource> {
  const { defaultScoreSource, knownScoreSources } = await import("../rl/index.js");
  return asked !== undefined && knownScoreSources(images).includes(asked)
    ? asked
    : defaultScoreSource(images);
}

async function evaluate(options: EvalOptions, context: CliContext): Promise<void> {
  const { print, logger } = context;
  const { codeFingerprint, fingerprintPath, fingerprintValue } = await import("../base/index.js");
  const { datasetFacts, environmentVersions, modelFolderIn, rewardsOf, writeResultFile } =
    await import("../runs/index.js");
  const { promptText } = await import("../response/index.js");
  if (options.scoreSource === "consensus" && options.samples < 2)
    throw new InputError("--score-source consensus: needs several responses an image", {
      hint: "Draw them with --samples 4.",
    });
  const { openServed } = await import("./openai-judge.js");
  const served = options.engine === "openai" ? await openServed(options, context) : undefined;
  const task = served?.task ?? (await taskOf(options.model, options));
  const { rewards } = await rewardsOf(options.recipe);
  const dataset = await openSource(options.data, options, context);
  const benchmark = await openEvalBenchmark(
    dataset,
    task.labels,
    options.writeDetections !== undefined,
    context,
  );
  const images = Math.min(options.limit ?? dataset.length, dataset.length);
  const { evaluationDetails, summarizeEvaluation } = await import("../rl/index.js");
  const { frameWarning } = await import("../geometry/index.js");
  const { compareSet, comparisonTable, detailsTable } = await import("../study/index.js");
  const code = await codeFingerprint();
  const settings = {
    ...task,
    promptSha256: fingerprintValue(served?.promptText ?? promptText(task.prompt, task.labels, task.profile)),
    maxTokens: options.maxTokens,
    maxBoxRepeats: MAX_BOX_REPEATS,
    seed: options.seed,
    rewards,
    ...served?.settings,
  };
  const model = served?.model ?? (await openModel(options));
  async function* firstSamples() {
    for (let i = 0; i < images; i++) yield await dataset.at(i);
  }
  const judge = async (decoding: "greedy" | "sampled") => {
    const judged: EvaluatedImage[] = [];
    for await (const image of judgeImages(model, firstSamples(), {
      task,
      rewards,
      maxTokens: options.maxTokens,
      seed: options.seed,
      sampled: decoding === "greedy" ? 0 : options.samples,
      ...(benchmark && { benchmark: (id: string) => benchmark.truthOf(id) }),
    })) {
      judged.push(image);
      logger.progress(`${dataset.name}, ${decoding}: ${judged.length}/${images} images`);
    }
    logger.endProgress();
    const source = await sourceOf(judged, options.scoreSource);
    const row = compareSet(
      { set: dataset.name, domain: "in", decoding, policies: [judged] },
      { seed: options.seed, scoreSource: source },
    );
    return {
      judged,
      source,
      row,
      title: `${dataset.name} (${decoding})`,
      summary: summarizeEvaluation(judged, { scoreSource: source }),
      benchmark: benchmark && (await evalBenchmark(benchmark, judged, source)),
      details: evaluationDetails(judged),
    };
  };
  try {
    const greedy = await judge("greedy");
    const sampled = options.samples > 0 ? await judge("sampled") : undefined;
    const results = [greedy, ...(sampled ? [sampled] : [])];
    const { files, problems, fingerprint } = datasetFacts(dataset);
    const facts = {
      fingerprint,
      files: [...files],
      problems: { ...problems, examples: [...problems.examples] },
    };
    if (options.out !== undefined) {
      await writeResultFile(
        options.out,
        {
          created: new Date().toISOString(),
          model: served?.identity ?? {
            path: options.model,
            sha256: await fingerprintPath(modelFolderIn(options.model)),
          },
          data: { name: dataset.name, ...facts, images },
          decodings: ["greedy", ...(sampled ? (["sampled"] as const) : [])],
          settings,
          code,
          versions: await environmentVersions(),
        },
        { greedy: greedy.judged, ...(sampled && { sampled: sampled.judged }) },
      );
      logger.info(`records of every image in ${options.out}`);
    }
    if (options.writeDetections !== undefined && benchmark !== undefined) {
      // The fused boxes are of the sampled responses, all else of the greedy one.
      const { judged, source } = options.scoreSource === "consensus" ? results.at(-1)! : greedy;
      await writeEvalDetections(options.writeDetections, benchmark, judged, source, context);
    }
    for (const { title, summary, judged } of results) {
      const words = frameWarning(summary.frame);
      for (const warning of [...(words === undefined ? [] : [words]), ...(served?.mismatches(judged) ?? [])])
        logger.warn(`${title}: ${warning}`);
    }
    if (served !== undefined) logger.info(served.usage());
    if (options.json !== true) {
      const rows = results.map(({ row }) => row);
      const sources = [...new Set(results.map(({ source }) => source))].join(", ");
      await print(comparisonTable({ policies: ["model"], rows, scoreSource: sources }, { domains: false }));
      for (const { title, benchmark: own } of results)
        if (own !== undefined) await print("\n" + (await evalBenchmarkTable(title, own)));
      if (options.slices === true)
        for (const { title, details } of results) await print("\n" + detailsTable(title, details));
      return;
    }
    const result = ({ row, summary, details, judged, benchmark: own }: typeof greedy) => ({
      ...summary,
      ...(served && { mismatches: served.mismatches(judged) }),
      benchmark: own ?? null,
      frameWarning: frameWarning(summary.frame) ?? null,
      intervals: row.policies[0],
      ...details,
    });
    await print(
      JSON.stringify({
        model: options.model,
        data: { name: dataset.name, ...facts, images },
        ...settings,
        code,
        greedy: result(greedy),
        ...(sampled && { sampled: { samples: options.samples, ...result(sampled) } }),
      }),
    );
  } finally {
    await model.close();
  }
}

/** The command. */
export function evalCommand(context: CliContext): Command {
  const command = new Command("eval").description("judge a model on a dataset");
  return addOpenAiOptions(addTaskOptions(addModelOptions(command)))
    .requiredOption(
      "--data <spec>",
      "dataset: scenes:night?count=64, crowdhuman:FILE, citypersons:FILE, ..., or the path of a file; a benchmark's own numbers are given too",
    )
    .addOption(onErrorOption())
    .option(
      "--samples <n>",
      "sampled responses an image beside the greedy one",
      numberOption("--samples", { min: 0, integer: true }),
      0,
    )
    .option("--limit <n>", "images at most", numberOption("--limit", { min: 1, integer: true }))
    .option("--recipe <recipe>", "recipe file or preset that says how rewards are made", "recommended")
    .addOption(
      new Option(
        "--score-source <source>",
        "confidence of boxes for AP and miss rates (default: logprob where the sampler tells it, else order)",
      ).choices(Object.keys(scoreSources)),
    )
    .option("--out <file>", "write a record of every image (JSON Lines), for `dip-r1 compare`")
    .option(
      "--write-detections <path>",
      "write the boxes as the benchmark's own tool reads them (uavdt: a folder), for eval-detections",
    )
    .option("--slices", "also by crowding, height, visibility and count; AP by score source; kinds of errors")
    .option("--json", "one JSON object on stdout, nothing else")
    .action((options: EvalOptions) => evaluate(options, context));
}
