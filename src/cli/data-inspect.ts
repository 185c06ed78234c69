/** @file `dip-r1 data inspect`: what a dataset holds, and how a model would meet it, as tables, JSON and pictures. */
import { join } from "node:path";
import { Command, Option } from "commander";
import type { CoordinateProfile } from "../geometry/profiles.js";
import type { Dataset, DatasetReport, ModelView } from "../datasets/index.js";
import { collect, numberOption, type CliContext } from "./context.js";
import { addSourceOptions, openSource, type SourceOptions } from "./data-source.js";
import { reportTables } from "./data-inspect-tables.js";

interface InspectOptions extends SourceOptions {
  readonly model?: string;
  readonly prompt?: string;
  readonly label?: readonly string[];
  readonly profile?: CoordinateProfile;
  readonly maxTokens?: readonly number[];
  readonly json?: boolean;
  readonly pictures?: string;
  readonly limit: number;
}

/** What of a model folder decides sizes and lengths. */
async function modelView(path: string, options: InspectOptions): Promise<ModelView> {
  const { loadProcessor } = await import("../qwen/index.js");
  const { promptText } = await import("../response/index.js");
  const { readModelTask } = await import("../runs/model-task.js");
  const { modelFolderIn } = await import("../runs/model-folder.js");
  const folder = modelFolderIn(path);
  const processor = await loadProcessor(folder);
  const task = await readModelTask(folder);
  const profile = options.profile ?? task.profile;
  const text = promptText(options.prompt ?? task.prompt, options.label ?? task.labels, profile);
  // Every picture's prompt has the same words: one blank picture tells how many tokens they are.
  const blank = { width: 28, height: 28, data: new Uint8Array(28 * 28 * 3) };
  const promptTokens = processor
    .encodePrompt({ text, images: [blank] })
    .reduce((sum, chunk) => sum + (chunk.kind === "text" ? chunk.tokens.length : 0), 0);
  return {
    image: processor.image,
    countTokens: (response) => processor.tokenizer.encode(response).length,
    promptTokens,
    profile,
    ...(options.label && { labels: options.label }),
    ...(options.maxTokens && { maxTokens: options.maxTokens }),
  };
}

async function writePictures(dataset: Dataset, folder: string, limit: number): Promise<number> {
  const { writeFileAtomic } = await import("../base/index.js");
  const { loadPixels } = await import("../datasets/index.js");
  const { renderPanels } = await import("../study/overlay.js");
  const width = String(Math.min(limit, dataset.length)).length;
  let done = 0;
  for await (const sample of dataset.samples()) {
    if (++done > limit) return limit;
    const count = (n: number, what: string) => `${n} ${what}${n === 1 ? "" : "s"}`;
    const png = await renderPanels([
      {
        image: await loadPixels(sample),
        title: sample.id,
        caption: [
          count(sample.objects.length, "object"),
          ...(sample.ignore.length > 0 ? [count(sample.ignore.length, "ignore region")] : []),
        ].join(", "),
        truth: sample.objects.map(({ box }) => box),
        ignore: sample.ignore,
      },
    ]);
    // Numbered: ids may be equal once what file systems refuse is replaced.
    const name = `${String(done).padStart(width, "0")}-${sample.id.replaceAll(/[^\w.-]+/g, "_").slice(-100)}.png`;
    await writeFileAtomic(join(folder, name), png);
  }
  return done;
}

async function inspect(spec: string, options: InspectOptions, { print, logger }: CliContext): Promise<void> {
  const { inspectSamples } = await import("../datasets/index.js");
  const { InputError } = await import("../base/index.js");
  const modelOnly = (["maxTokens", "prompt", "profile"] as const).find((key) => options[key] !== undefined);
  if (options.model === undefined && modelOnly !== undefined)
    throw new InputError(`--${modelOnly === "maxTokens" ? "max-tokens" : modelOnly} needs --model`, {
      hint: "Tokens are a tokenizer's: name the folder of the model that will be trained.",
    });
  const model = options.model === undefined ? undefined : await modelView(options.model, options);
  const dataset = await openSource(spec, options, { print, logger });
  const report: DatasetReport = await inspectSamples(dataset.samples(), {
    ...(model && { model }),
    onProgress: (done) => {
      if (done % 500 === 0) logger.progress(`${dataset.name}: ${done}/${dataset.length} images`);
    },
  });
  logger.endProgress();
  const { name, fingerprint, problems } = dataset;
  if (options.json === true) await print(JSON.stringify({ name, fingerprint, problems, ...report }));
  else {
    await print(`${name} (fingerprint ${fingerprint})`);
    for (const table of reportTables(report)) await print("\n" + table);
  }
  if (options.pictures !== undefined) {
    const done = await writePictures(dataset, options.pictures, options.limit);
    logger.info(`${done} pictures in ${options.pictures}`);
  }
}

const maxTokensOption = (text: string, before: readonly number[] = []): number[] => [
  ...before,
  numberOption("--max-tokens", { min: 1, integer: true })(text),
];

/** The sub-command. */
export function inspectCommand(context: CliContext, specHelp: string): Command {
  return addSourceOptions(new Command("inspect"), specHelp)
    .description("what a dataset holds, in numbers and pictures")
    .option("--model <folder>", "also how this model meets it: scale, who is too small to see, tokens")
    .option("--max-tokens <n>", "how many ground-truth responses would not fit (repeatable)", maxTokensOption)
    .option("--prompt <name>", "named prompt (default: the one the model was trained with, else dip-r1)")
    .addOption(
      new Option(
        "--profile <profile>",
        "numbers the model speaks: pixels of the resized picture, or thousandths (default: as it was trained, else absolute)",
      ).choices(["absolute", "norm1000"]),
    )
    .option("--label <label>", "only these labels are in responses (repeatable; default: all)", collect)
    .option("--json", "one JSON object on stdout, nothing else")
    .option("--pictures <folder>", "draw the boxes of the first pictures there")
    .option(
      "--limit <n>",
      "how many pictures are drawn",
      numberOption("--limit", { min: 1, integer: true }),
      16,
    )
    .action((text: string, options: InspectOptions) => inspect(text, options, context));
}
