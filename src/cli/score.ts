/** @file `dip-r1 score`: the rewards of given responses, without a model. */
import { Command } from "commander";
import type { CliContext } from "./context.js";

interface ScoreOptions {
  readonly samples: string;
  readonly responses: string;
  readonly recipe?: string;
  readonly json?: boolean;
}

async function score(options: ScoreOptions, { print }: CliContext): Promise<void> {
  const { readResponseGroups, scoreResponses } = await import("../runs/score-responses.js");
  const { rewardsOf } = await import("../runs/rewards-of.js");
  const { rewards, advantage } = await rewardsOf(options.recipe ?? "paper");
  const groups = await readResponseGroups(options.samples, options.responses);
  const scored = scoreResponses(groups, rewards, { advantage });
  if (options.json === true) {
    for (const line of scored) await print(JSON.stringify(line));
    return;
  }
  const { renderTable } = await import("../study/table.js");
  const three = (value: number) => value.toFixed(3);
  await print(
    renderTable(
      [
        ["id", "#", "grade", "format", "look", "accuracy", "total", "advantage", "hits", "boxes", "dropped"],
        ...scored.map((line) => [
          line.id,
          String(line.index),
          line.grade,
          three(line.format),
          three(line.look),
          three(line.accuracy),
          three(line.total),
          three(line.advantage),
          String(line.truePositives),
          String(line.predictions),
          String(line.dropped),
        ]),
      ],
      { align: ["left", "right", "left", "right"] },
    ),
  );
}

/** The command. */
export function scoreCommand(context: CliContext): Command {
  return new Command("score")
    .description("rewards of given responses (no model needed)")
    .requiredOption(
      "--samples <file>",
      'JSONL: {"id","width","height","objects":[{"bbox":[x1,y1,x2,y2],"label"}],"ignore":[[...]]}',
    )
    .requiredOption(
      "--responses <file>",
      'JSONL: {"id","responses":["...", ...]}, one group a line; boxes in image pixels',
    )
    .option(
      "--recipe <recipe>",
      "recipe file, or preset (paper, recommended), that says how rewards are made",
      "paper",
    )
    .option("--json", "one JSON object a line on stdout, nothing else")
    .action((options: ScoreOptions) => score(options, context));
}
