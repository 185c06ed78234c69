/** @file `dip-r1 eval`: a model judged on a dataset, greedy and, where asked, sampled. */
import { Command } from "commander";
import type { EvaluatedImage } from "../rl/index.js";
import { numberOption, type CliContext } from "./context.js";
import { onErrorOption, openSource, type SourceOptions } from "./data-source.js";
import { judgeImages, MAX_BOX_REPEATS } from "./judge-images.js";
import {
  addModelOptions,
  addTaskOptions,
  openModel,
  taskOf,
  type ModelOptions,
  type TaskOptions,
} from "./model-options.js";

interface EvalOptions extends ModelOptions, TaskOptions, SourceOptions {
  readonly data: string;
  readonly samples: number;
  readonly limit?: number;
  readonly recipe: string;
  readonly out?: string;
  readonly slices?: boolean;
  readonly json?: boolean;
}

async function evaluate(options: EvalOptions, context: CliContext): Promise<void> {
  const { print, logger } = context;
  const { codeFingerprint, fingerprintPath, fingerprintValue } = await import("../base/index.js");
  const { environmentVersions, rewardsOf, writeResultFile } = await import("../runs/index.js");
  const { promptText } = await import("../response/index.js");
  const task = await taskOf(options.model, options);
  const { rewards } = await rewardsOf(options.recipe);
  const dataset = await openSource(options.data, options, context);
  const images = Math.min(options.limit ?? dataset.length, dataset.length);
  const { evaluationDetails, summarizeEvaluation } = await import("../rl/index.js");
  const { frameWarning } = await import("../geometry/index.js");
  const { compareSet, comparisonTable, detailsTable } = await import("../study/index.js");
  const code = await codeFingerprint();
  const settings = {
    ...task,
    promptSha256: fingerprintValue(promptText(task.prompt, task.labels)),
    maxTokens: options.maxTokens,
    maxBoxRepeats: MAX_BOX_REPEATS,
    seed: options.seed,
    rewards,
  };
  const model = await openModel(options);
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
    })) {
      judged.push(image);
      logger.progress(`${dataset.name}, ${decoding}: ${judged.length}/${images} images`);
    }
    logger.endProgress();
    const row = compareSet(
      { set: dataset.name, domain: "in", decoding, policies: [judged] },
      { seed: options.seed },
    );
    return {
      judged,
      row,
      title: `${dataset.name} (${decoding})`,
      summary: summarizeEvaluation(judged),
      details: evaluationDetails(judged),
    };
  };
  try {
    const greedy = await judge("greedy");
    const sampled = options.samples > 0 ? await judge("sampled") : undefined;
    const results = [greedy, ...(sampled ? [sampled] : [])];
    if (options.out !== undefined) {
      await writeResultFile(
        options.out,
        {
          created: new Date().toISOString(),
          model: { path: options.model, sha256: await fingerprintPath(options.model) },
          data: { name: dataset.name, fingerprint: dataset.fingerprint, images },
          decodings: ["greedy", ...(sampled ? (["sampled"] as const) : [])],
          settings,
          code,
          versions: await environmentVersions(),
        },
        { greedy: greedy.judged, ...(sampled && { sampled: sampled.judged }) },
      );
      logger.info(`records of every image in ${options.out}`);
    }
    for (const { title, summary } of results) {
      const words = frameWarning(summary.frame);
      if (words !== undefined) logger.warn(`${title}: ${words}`);
    }
    if (options.json !== true) {
      const rows = results.map(({ row }) => row);
      await print(comparisonTable({ policies: ["model"], rows, scoreSource: "order" }, { domains: false }));
      if (options.slices === true)
        for (const { title, details } of results) await print("\n" + detailsTable(title, details));
      return;
    }
    const result = ({ row, summary, details }: typeof greedy) => ({
      ...summary,
      frameWarning: frameWarning(summary.frame) ?? null,
      intervals: row.policies[0],
      ...details,
    });
    await print(
      JSON.stringify({
        model: options.model,
        data: { name: dataset.name, fingerprint: dataset.fingerprint, images },
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
  return addTaskOptions(addModelOptions(command))
    .requiredOption(
      "--data <spec>",
      "dataset: scenes:night?count=64, coco:FILE, crowdhuman:FILE, mot:FOLDER, or the path of a file",
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
    .option("--out <file>", "write a record of every image (JSON Lines), for `dip-r1 compare`")
    .option("--slices", "also by crowding, height, visibility and count; AP by score source; kinds of errors")
    .option("--json", "one JSON object on stdout, nothing else")
    .action((options: EvalOptions) => evaluate(options, context));
}
