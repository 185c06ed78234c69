/** @file `dip-r1 score`: the rewards of given responses, without a model. */
import { Command } from "commander";
import { collect, numberOption, type CliContext } from "./context.js";
import type { ExplainOptions } from "./score-explain.js";

interface ScoreOptions extends ExplainOptions {
  readonly samples: string;
  readonly responses: string;
  readonly recipe?: string;
  readonly explain?: boolean;
}

async function score(options: ScoreOptions, context: CliContext): Promise<void> {
  const { print } = context;
  const { readResponseGroups, scoreResponses } = await import("../runs/score-responses.js");
  const { rewardsOf } = await import("../runs/rewards-of.js");
  const { rewards, advantage } = await rewardsOf(options.recipe ?? "paper");
  const groups = await readResponseGroups(options.samples, options.responses);
  if (options.explain === true) {
    const { explainScores } = await import("./score-explain.js");
    return explainScores(groups, rewards, advantage, options, context);
  }
  const misused = (["id", "response", "pictures"] as const).find((name) => options[name] !== undefined);
  if (misused !== undefined) {
    const { InputError } = await import("../base/index.js");
    throw new InputError(`--${misused} needs --explain`);
  }
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

const indexOption = (text: string, before: readonly number[] = []): number[] => [
  ...before,
  numberOption("--response", { min: 0, integer: true })(text),
];

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
    .option("--explain", "every box, miss and look, and how they add up")
    .option("--id <id>", "with --explain: this group only (repeatable)", collect)
    .option(
      "--response <n>",
      "with --explain: these responses only, counted from 0 (repeatable)",
      indexOption,
    )
    .option("--pictures <folder>", "with --explain: draw each group there")
    .option("--json", "one JSON object a line (with --explain a group a line) on stdout, nothing else")
    .action((options: ScoreOptions) => score(options, context));
}
