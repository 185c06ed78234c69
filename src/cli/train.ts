/** @file `dip-r1 train`: a run from a recipe, GRPO or SFT. */
import { Command } from "commander";
import type { OnError } from "../datasets/index.js";
import type { LoadedRecipe } from "../runs/recipe.js";
import { collect, numberOption, type CliContext } from "./context.js";
import { onErrorOption } from "./data-source.js";

interface TrainOptions {
  readonly set?: readonly string[];
  readonly out?: string;
  readonly resume?: boolean;
  readonly device?: string;
  readonly onError?: OnError;
  readonly maxTokensBudget?: number;
}

/** The recipe with one rule for the bad records of all its files; generated scenes have none. */
function withOnError(loaded: LoadedRecipe, onError: OnError | undefined): LoadedRecipe {
  if (onError === undefined) return loaded;
  const { recipe } = loaded;
  type Spec = typeof recipe.data.train;
  const ruled = (spec: Spec): Spec => (spec.format === "scenes" ? spec : { ...spec, onError });
  const sets = Object.entries(recipe.data.eval).map(([name, spec]) => [name, ruled(spec)] as const);
  const data = { ...recipe.data, train: ruled(recipe.data.train), eval: Object.fromEntries(sets) };
  return { ...loaded, recipe: { ...recipe, data } };
}

async function run(path: string, options: TrainOptions, context: CliContext): Promise<void> {
  const { loadRecipe } = await import("../runs/recipe.js");
  const { runTraining } = await import("./run-training.js");
  const device = options.device === undefined ? [] : [`engine.device=${options.device}`];
  const set = [...(options.set ?? []), ...device];
  const loaded = withOnError(await loadRecipe(path, { set }), options.onError);
  const out = options.out ?? `runs/${loaded.recipe.name}`;
  const { resume, maxTokensBudget: maxTokens } = options;
  await runTraining({ loaded, out, resume, set, ...(maxTokens !== undefined && { maxTokens }) }, context);
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
    .option(
      "--max-tokens-budget <n>",
      "stop, with a checkpoint, once so many tokens were sampled, scored and trained on (`dip-r1 plan` estimates them)",
      numberOption("--max-tokens-budget", { min: 1, integer: true }),
    )
    .addOption(onErrorOption())
    .action((path: string, options: TrainOptions) => run(path, options, context));
}
