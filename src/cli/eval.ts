/** @file `dip-r1 eval`: a model judged on a dataset, greedy and, where asked, sampled. */
import { Command } from "commander";
import { numberOption, type CliContext } from "./context.js";
import { judgeImages } from "./judge-images.js";
import {
  addModelOptions,
  addTaskOptions,
  openModel,
  taskOf,
  type ModelOptions,
  type TaskOptions,
} from "./model-options.js";

interface EvalOptions extends ModelOptions, TaskOptions {
  readonly data: string;
  readonly samples: number;
  readonly limit?: number;
  readonly recipe: string;
  readonly json?: boolean;
}

async function evaluate(options: EvalOptions, { print, logger }: CliContext): Promise<void> {
  const { openDataset } = await import("../datasets/index.js");
  const { rewardsOf } = await import("../runs/rewards-of.js");
  const task = await taskOf(options.model, options);
  const { rewards } = await rewardsOf(options.recipe);
  const dataset = await openDataset(options.data);
  const images = Math.min(options.limit ?? dataset.length, dataset.length);
  const { summarizeEvaluation } = await import("../rl/index.js");
  const { compareSet, comparisonTable } = await import("../study/index.js");
  const model = await openModel(options);
  async function* firstSamples() {
    for (let i = 0; i < images; i++) yield await dataset.at(i);
  }
  const judge = async (decoding: "greedy" | "sampled") => {
    const judged = [];
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
    return { row, summary: summarizeEvaluation(judged) };
  };
  try {
    const greedy = await judge("greedy");
    const sampled = options.samples > 0 ? await judge("sampled") : undefined;
    if (options.json !== true) {
      const rows = [greedy.row, ...(sampled ? [sampled.row] : [])];
      await print(comparisonTable({ policies: ["model"], rows, scoreSource: "order" }, { domains: false }));
      return;
    }
    const result = ({ row, summary }: typeof greedy) => ({ ...summary, intervals: row.policies[0] });
    await print(
      JSON.stringify({
        model: options.model,
        data: { name: dataset.name, fingerprint: dataset.fingerprint, images },
        ...task,
        maxTokens: options.maxTokens,
        seed: options.seed,
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
      "dataset: scenes:night?count=64, coco:FILE, mot:FOLDER, or the path of a file",
    )
    .option(
      "--samples <n>",
      "sampled responses an image beside the greedy one",
      numberOption("--samples", { min: 0, integer: true }),
      0,
    )
    .option("--limit <n>", "images at most", numberOption("--limit", { min: 1, integer: true }))
    .option("--recipe <recipe>", "recipe file or preset that says how rewards are made", "recommended")
    .option("--json", "one JSON object on stdout, nothing else")
    .action((options: EvalOptions) => evaluate(options, context));
}
