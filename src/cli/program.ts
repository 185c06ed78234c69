/** @file The command line's grammar: every command with its options; the work itself is imported when a command runs. */
import { readFileSync } from "node:fs";
import { Command, CommanderError } from "commander";
import { auditCommand } from "./audit.js";
import { calibrateCommand } from "./calibrate.js";
import { compareCommand } from "./compare.js";
import { processContext, exitCodes, reportError, type CliContext } from "./context.js";
import { dataCommand } from "./data.js";
import { detectCommand } from "./detect.js";
import { doctorCommand } from "./doctor.js";
import { evalCommand } from "./eval.js";
import { evalDetectionsCommand } from "./eval-detections.js";
import { exportCommand } from "./export.js";
import { logprobsCommand } from "./logprobs.js";
import { planCommand } from "./plan.js";
import { replayCommand } from "./replay.js";
import { scoreCommand } from "./score.js";
import { serveCommand } from "./serve.js";
import { startCommand } from "./start.js";
import { studioCommand } from "./studio.js";
import { trainCommand } from "./train.js";

/** Every command, in the order that help shows them. */
const commands = [
  startCommand,
  trainCommand,
  planCommand,
  evalCommand,
  evalDetectionsCommand,
  compareCommand,
  detectCommand,
  calibrateCommand,
  doctorCommand,
  scoreCommand,
  auditCommand,
  replayCommand,
  serveCommand,
  studioCommand,
  exportCommand,
  logprobsCommand,
  dataCommand,
] as const;

function version(): string {
  const text = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  return (JSON.parse(text) as { version: string }).version;
}

/** The whole command line. */
export function createProgram(context: CliContext): Command {
  const program = new Command("dip-r1")
    .description(
      "Reinforcement learning that teaches vision-language models to find every instance in crowded scenes.",
    )
    .version(version(), "-v, --version")
    .showHelpAfterError("(--help shows what there is)")
    .addHelpText("after", "\nExit codes: 0 done, 1 failure, 2 bad usage or input.");
  for (const command of commands) program.addCommand(command(context).copyInheritedSettings(program));
  return program;
}

/** Sub-commands included: usage errors become exceptions, so that they can have an exit code of their own. */
function throwOnExit(command: Command): void {
  command.exitOverride();
  for (const child of command.commands) throwOnExit(child);
}

/**
 * Runs the command line and returns its exit code.
 * @param args without node and the script.
 */
export async function runCli(
  args: readonly string[],
  context: CliContext = processContext(),
): Promise<number> {
  const program = createProgram(context);
  throwOnExit(program);
  try {
    await program.parseAsync([...args], { from: "user" });
    return exitCodes.done;
  } catch (error) {
    context.logger.endProgress();
    // Commander has printed its own message by now; help that was asked for is no error.
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.done : exitCodes.usage;
    return reportError(error);
  }
}
