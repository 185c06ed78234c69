/** @file `dip-r1 serve`: what other programs ask over HTTP. */
import { Command } from "commander";
import type { CliContext } from "./context.js";
import { serveRewardsCommand } from "./serve-rewards.js";

/** The command and its sub-commands. */
export function serveCommand(context: CliContext): Command {
  return new Command("serve")
    .description("serve other programs over HTTP")
    .addCommand(serveRewardsCommand(context));
}
