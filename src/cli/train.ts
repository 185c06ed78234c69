/** @file `dip-r1 train`: a run from a recipe, GRPO or SFT. */
import { Command } from "commander";
import { collect, type CliContext } from "./context.js";

interface TrainOptions {
  readonly set?: readonly string[];
  readonly out?: string;
  readonly resume?: boolean;
  readonly device?: string;
}

async function run(path: string, options: TrainOptions, context: CliContext): Promise<void> {
  const { loadRecipe } = await import("../runs/recipe.js");
  const { runTraining } = await import("./run-training.js");
  const device = options.device === undefined ? [] : [`engine.device=${options.device}`];
  const set = [...(options.set ?? []), ...device];
  const loaded = await loadRecipe(path, { set });
  const out = options.out ?? `runs/${loaded.recipe.name}`;
  await runTraining({ loaded, out, resume: options.resume, set }, context);
}

/** The command. */
export function trainCommand(context: CliContext): Command {
  return new Command("train")
    .description("train by GRPO or SFT as a recipe says")
    .argument("<recipe>", "YAML file; recipes/ has commented ones")
    .option("--set <key=value>", "change a key of the recipe, such as grpo.kl.beta=0 (repeatable)", collect)
    .option("--out <folder>", "the run's folder (default: runs/NAME, by the recipe's name)")
    .option("--resume", "go on with the run in the folder, from its last checkpoint")
    .option("--device <device>", "cpu or webgpu")
    .action((path: string, options: TrainOptions) => run(path, options, context));
}
