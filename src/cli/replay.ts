/** @file `dip-r1 replay`: a run's rollouts under other rewards, without a model. */
import { Command } from "commander";
import { numberOption, type CliContext } from "./context.js";

interface ReplayCommandOptions {
  readonly recipe: string;
  readonly from?: number;
  readonly to?: number;
  readonly json?: boolean;
}

async function replay(
  run: string,
  options: ReplayCommandOptions,
  { print, logger }: CliContext,
): Promise<void> {
  const { replayRun } = await import("../runs/replay.js");
  const { rewardsOf } = await import("../runs/rewards-of.js");
  const { from, to } = options;
  const report = await replayRun(run, await rewardsOf(options.recipe), {
    ...((from ?? to) !== undefined && {
      steps: { ...(from !== undefined && { from }), ...(to !== undefined && { to }) },
    }),
  });
  for (const note of report.notes) logger.warn(note);
  if (options.json === true) return print(JSON.stringify(report));
  const { renderTable } = await import("../study/table.js");
  const shown = (value: number) => (Number.isNaN(value) ? "-" : value.toFixed(3).replace(/^-(0\.0+)$/, "$1"));
  await print(
    `${report.responses} responses in ${report.groups} groups, steps ${report.steps.join(" to ")}, ` +
      `scored again under ${options.recipe}\n`,
  );
  await print(
    renderTable([
      ["", "stored", "replayed", "rank corr.", "in groups", "sign changes", "changed"],
      ...report.parts.map(
        ({ part, before, after, rankCorrelation, groupRankCorrelation, signChanges, changed }) => [
          part,
          shown(before),
          shown(after),
          shown(rankCorrelation),
          shown(groupRankCorrelation),
          `${(100 * signChanges).toFixed(1)}%`,
          `${(100 * changed).toFixed(1)}%`,
        ],
      ),
    ]),
  );
  const { before, after } = report.zeroStdGroups;
  await print(`\ngroups whose responses all earn the same: ${before} stored, ${after} replayed`);
}

const step = (name: string) => numberOption(name, { min: 0, integer: true });

/** The command. */
export function replayCommand(context: CliContext): Command {
  return new Command("replay")
    .description("score a run's stored rollouts under other rewards (no model needed)")
    .argument("<run>", "the folder that `dip-r1 train` made")
    .requiredOption("--recipe <recipe>", "recipe file, or preset (paper, recommended)")
    .option("--from <step>", "first step", step("--from"))
    .option("--to <step>", "last step", step("--to"))
    .option("--json", "one JSON object on stdout, nothing else")
    .action((run: string, options: ReplayCommandOptions) => replay(run, options, context));
}
