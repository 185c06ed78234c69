/** @file `dip-r1 data generate`: writes a dataset as a folder of pictures and annotations. */
import { Command } from "commander";
import type { CliContext } from "./context.js";

interface GenerateOptions {
  readonly out: string;
  readonly overwrite?: boolean;
}

async function generate(spec: string, options: GenerateOptions, { logger }: CliContext): Promise<void> {
  const { openDataset, writeDataset } = await import("../datasets/index.js");
  const dataset = await openDataset(spec);
  await writeDataset(dataset, options.out, {
    overwrite: options.overwrite ?? false,
    onProgress: (done, total) => logger.progress(`${dataset.name}: ${done}/${total} pictures`),
  });
  logger.endProgress();
  logger.info(`${dataset.length} pictures in ${options.out} (fingerprint ${dataset.fingerprint})`);
}

/** The sub-command. */
export function generateCommand(context: CliContext, specHelp: string): Command {
  return new Command("generate")
    .description("write a dataset as PNG pictures, COCO json and JSON Lines")
    .argument("<spec>", specHelp)
    .requiredOption("--out <folder>", "where to")
    .option("--overwrite", "replace a dataset that this command wrote there before")
    .action((text: string, options: GenerateOptions) => generate(text, options, context));
}
