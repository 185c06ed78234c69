/** @file The dataset that a command is about: opened, with a word on every record that was left out. */
import { type Command, Option } from "commander";
import type { Dataset, OnError, SampleTruth } from "../datasets/index.js";
import type { CliContext } from "./context.js";

/** Options that {@link addSourceOptions} adds. */
export interface SourceOptions {
  readonly onError?: OnError;
}

/** `--on-error`, which every command that opens a dataset takes. */
export function onErrorOption(): Option {
  return new Option(
    "--on-error <rule>",
    "bad records: stop at the first, or leave them out and count them",
  ).choices(["error", "skip"]);
}

/** The spec and `--on-error`. */
export function addSourceOptions(command: Command, specHelp: string): Command {
  return command.argument("<spec>", specHelp).addOption(onErrorOption());
}

/** Opens the dataset and says what was left out or noted. @throws InputError as openDataset does */
export async function openSource(
  spec: string,
  options: SourceOptions,
  context: CliContext,
): Promise<Dataset> {
  const { openDataset } = await import("../datasets/index.js");
  return telling(await openDataset(spec, { onError: options.onError }), context);
}

/** The same for commands that need no pictures. @throws InputError as openAnnotations does */
export async function openAnnotationSource(
  spec: string,
  options: SourceOptions,
  context: CliContext,
): Promise<Dataset<SampleTruth>> {
  const { openAnnotations } = await import("../datasets/index.js");
  return telling(await openAnnotations(spec, { onError: options.onError }), context);
}

async function telling<S extends SampleTruth>(
  dataset: Dataset<S>,
  { logger }: CliContext,
): Promise<Dataset<S>> {
  const { describeProblems } = await import("../datasets/index.js");
  const words = describeProblems(dataset.problems);
  if (words !== undefined) logger.warn(`${dataset.name}: ${words}`);
  return dataset;
}
