/** @file `dip-r1 start`: the main job. DIP-R1 trains the shipped base for some minutes and shows what that changed. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { Command } from "commander";
import { numberOption, type CliContext } from "./context.js";

interface StartOptions {
  readonly minutes?: number;
  readonly seed?: number;
  readonly out?: string;
  readonly device?: string;
}

/** `runs/start`, or the first of `runs/start-2`, `runs/start-3` ... that is free: starting twice must not fail. */
function freeFolder(base: string): string {
  let folder = base;
  for (let n = 2; existsSync(folder); n++) folder = `${base}-${n}`;
  return folder;
}

async function start(options: StartOptions, context: CliContext): Promise<void> {
  const { packageRoot } = await import("../base/index.js");
  const { loadRecipe } = await import("../runs/recipe.js");
  const { runTraining } = await import("./run-training.js");
  const set = [
    ...(options.minutes === undefined ? [] : [`grpo.minutes=${options.minutes}`]),
    ...(options.seed === undefined ? [] : [`seed=${options.seed}`]),
    ...(options.device === undefined ? [] : [`engine.device=${options.device}`]),
  ];
  const loaded = await loadRecipe(join(packageRoot, "recipes", "start.yaml"), { set });
  const minutes = loaded.recipe.kind === "grpo" ? loaded.recipe.grpo.minutes : undefined;
  const before = loaded.recipe.evaluation.minutes ?? 0;
  if (minutes !== undefined)
    context.logger.info(
      `DIP-R1 trains the shipped base for ${minutes} minutes, judged before and after on held-out scenes ` +
        `(about ${Math.ceil(minutes + 2 * before + 0.5)} minutes in all at most)`,
    );
  await runTraining({ loaded, out: options.out ?? freeFolder(join("runs", "start")), set }, context);
}

/** The command. */
export function startCommand(context: CliContext): Command {
  return new Command("start")
    .description("watch DIP-R1 train the shipped base for some minutes and see what it learned")
    .option("--minutes <n>", "minutes of training", numberOption("--minutes", { min: 0.01, max: 10000 }))
    .option(
      "--seed <n>",
      "another seed, another run",
      numberOption("--seed", { min: -(2 ** 31), max: 2 ** 31 - 1, integer: true }),
    )
    .option("--out <folder>", "the run's folder (default: runs/start, or the next that is free)")
    .option("--device <device>", "cpu or webgpu")
    .action((options: StartOptions) => start(options, context));
}
