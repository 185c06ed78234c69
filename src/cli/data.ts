/** @file `dip-r1 data`: write datasets, say what is in them, turn one form into another. */
import { Command } from "commander";
import type { CliContext } from "./context.js";
import { convertCommand } from "./data-convert.js";
import { generateCommand } from "./data-generate.js";
import { inspectCommand } from "./data-inspect.js";

const SPEC =
  "dataset: scenes:night?count=64, coco:FILE, crowdhuman:FILE?images=FOLDER, ..., or the path of a file";

/** The command and its sub-commands. */
export function dataCommand(context: CliContext): Command {
  const data = new Command("data").description("write, inspect and convert datasets");
  for (const command of [generateCommand, inspectCommand, convertCommand])
    data.addCommand(command(context, SPEC).copyInheritedSettings(data));
  return data;
}
