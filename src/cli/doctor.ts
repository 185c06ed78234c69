/** @file `dip-r1 doctor`: checks data, frames, prompt, rewards and parser before a training is started. */
import { Command } from "commander";
import type { CheckStatus } from "../runs/doctor-check.js";
import { collect, numberOption, type CliContext } from "./context.js";

interface DoctorCommandOptions {
  readonly recipe: string;
  readonly set?: readonly string[];
  readonly samples: number;
  readonly ask: number;
  readonly responses?: string;
  readonly json?: boolean;
}

async function doctor(options: DoctorCommandOptions, { print, logger }: CliContext): Promise<void> {
  const { DipError } = await import("../base/index.js");
  const { loadRecipe } = await import("../runs/recipe.js");
  const { examine } = await import("../runs/doctor.js");
  const { readRealResponses } = await import("../runs/doctor-responses.js");
  const loaded = await loadRecipe(options.recipe, options.set ? { set: options.set } : {});
  const responses = options.responses === undefined ? undefined : await readRealResponses(options.responses);
  const report = await examine(loaded, {
    samples: options.samples,
    ask: options.ask,
    ...(responses && { responses }),
    onStage: (name) => logger.progress(`checking ${name}`),
  });
  logger.endProgress();
  if (options.json === true) await print(JSON.stringify(report));
  else {
    const { default: colours } = await import("picocolors");
    const paint: Record<CheckStatus, (text: string) => string> = {
      pass: colours.green,
      warn: colours.yellow,
      fail: colours.red,
      skip: colours.dim,
    };
    for (const { name, status, found, advice } of report.checks) {
      await print(`${paint[status](status.toUpperCase())}  ${name}: ${found}`);
      if (advice !== undefined) await print(`      ${advice}`);
    }
    if (report.example !== undefined) await print(`\nOne response as it is scored:\n${report.example}`);
  }
  const failures = report.checks.filter(({ status }) => status === "fail");
  if (failures.length > 0)
    throw new DipError(`${failures.length} of ${report.checks.length} checks failed`, {
      hint: "Training with this recipe would not do what it says; the lines above say what to do.",
    });
}

/** The command. */
export function doctorCommand(context: CliContext): Command {
  return new Command("doctor")
    .description("check data, frames, prompt, rewards and parser before training; exit 1 if a check fails")
    .requiredOption("--recipe <file>", "recipe to be trained by")
    .option("--set <key=value>", "change a key of the recipe (repeatable)", collect)
    .option("--samples <n>", "samples to look at closely", numberOption("--samples", { min: 1, max: 1000, integer: true }), 16)
    .option("--ask <n>", "images that the model is asked about; 0 = none", numberOption("--ask", { min: 0, max: 100, integer: true }), 4)
    .option("--responses <file>", "judge these responses (JSONL) instead of asking the model")
    .option("--json", "one JSON object on stdout, nothing else")
    .action((options: DoctorCommandOptions) => doctor(options, context));
} // prettier-ignore
