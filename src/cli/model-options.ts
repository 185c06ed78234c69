/** @file Options of the commands that run a model without training it, and the model opened by them. */
import { existsSync } from "node:fs";
import { Option, type Command } from "commander";
import { InputError } from "../base/errors.js";
import type { CoordinateProfile } from "../geometry/profiles.js";
import { collect, numberOption } from "./context.js";

/** Options that {@link addModelOptions} adds. */
export interface ModelOptions {
  readonly model: string;
  readonly device: string;
}

/** Options that {@link addTaskOptions} adds. */
export interface TaskOptions {
  readonly prompt?: string;
  readonly label?: readonly string[];
  readonly profile?: CoordinateProfile;
  readonly maxTokens: number;
  readonly seed: number;
}

/** `--model` and `--device`. */
export function addModelOptions(command: Command): Command {
  return command
    .requiredOption(
      "--model <folder>",
      "Hugging Face folder of a Qwen2.5-VL model, a run, or one of its checkpoints; with --engine openai, the served name",
    )
    .option("--device <device>", "cpu or webgpu", "cpu");
}

/** What is asked of the model, and how responses are drawn. */
export function addTaskOptions(command: Command): Command {
  return command
    .option("--prompt <name>", "named prompt (default: the one the model was trained with, else dip-r1)")
    .option(
      "--label <label>",
      "what to find (repeatable; default: what the model was trained to find, else person)",
      collect,
    )
    .addOption(
      new Option(
        "--profile <profile>",
        "numbers the model speaks: pixels of the resized picture, or thousandths (default: as it was trained, else absolute)",
      ).choices(["absolute", "norm1000"]),
    )
    .option(
      "--max-tokens <n>",
      "longest response, tokens",
      numberOption("--max-tokens", { min: 1, integer: true }),
      256,
    )
    .option("--seed <n>", "of sampled responses", numberOption("--seed", { integer: true }), 0);
}

/**
 * Opens the model for sampling and scoring.
 * @throws InputError where the folder or the device is not one; UnavailableError where the device is not there.
 */
export async function openModel({ model, device }: ModelOptions) {
  if (device !== "cpu" && device !== "webgpu")
    throw new InputError(`--device ${device}: not a device`, { hint: "One of: cpu, webgpu." });
  if (!existsSync(model))
    throw new InputError(`--model ${model}: there is no such folder`, {
      hint: "Give a Hugging Face folder: models/ has the shipped base, a run stands for its result, RUN/checkpoints/step-N for that step.",
    });
  const { openLocalModel } = await import("../engines/local/engine.js");
  const { modelFolderIn } = await import("../runs/model-folder.js");
  return openLocalModel({ modelDir: modelFolderIn(model), device });
}

/**
 * The prompt, labels and profile asked for, or else those the model was trained with.
 * @throws InputError for a prompt that is none.
 */
export async function taskOf(model: string, options: TaskOptions) {
  const { readModelTask } = await import("../runs/model-task.js");
  const { modelFolderIn } = await import("../runs/model-folder.js");
  const { promptText } = await import("../response/index.js");
  const trained = await readModelTask(modelFolderIn(model));
  const task = {
    prompt: options.prompt ?? trained.prompt,
    labels: options.label ?? trained.labels,
    profile: options.profile ?? trained.profile,
  };
  promptText(task.prompt, task.labels, task.profile);
  return task;
}
