/** @file `dip-r1 audit`: what known exploits earn under the configured rewards; fails where one beats honest work. */
import { Command } from "commander";
import type { AuditReport, AuditRow } from "../rewards/index.js";
import { numberOption, type CliContext } from "./context.js";

interface AuditCommandOptions {
  readonly recipe: string;
  readonly draws: number;
  readonly group?: number;
  readonly seed: number;
  readonly json?: boolean;
}

const two = (value: number) => value.toFixed(2);
const signed = (value: number) => (value < 0 ? "" : "+") + value.toFixed(2);

function rowOf({ name, earned, honest, beginner, verdict, ahead }: AuditRow): string[] {
  const worst = ahead.toSorted((a, b) => b.by - a.by)[0];
  return [
    name,
    two(earned.format),
    two(earned.look),
    two(earned.accuracy),
    two(earned.total),
    signed(earned.total - honest.total),
    signed(earned.advantage),
    signed(beginner.earned.total - beginner.honest.total),
    signed(beginner.earned.advantage),
    verdict.toUpperCase(),
    worst === undefined ? "" : `ahead in ${ahead.length}: ${worst.scene} ${signed(worst.by)}`,
  ];
}

function honestRow(name: string, earned: AuditReport["honest"]["good"]): string[] {
  const { format, look, accuracy, total, advantage } = earned;
  return [name, two(format), two(look), two(accuracy), two(total), "", signed(advantage), "", "", "", ""];
}

async function audit(options: AuditCommandOptions, { print, logger }: CliContext): Promise<void> {
  const { DipError } = await import("../base/index.js");
  const { auditRewards } = await import("../rewards/index.js");
  const { rewardsOf } = await import("../runs/rewards-of.js");
  const { rewards } = await rewardsOf(options.recipe);
  const report = auditRewards(rewards, {
    draws: options.draws,
    seed: options.seed,
    ...(options.group !== undefined && { groupSize: options.group }),
    onExploit: (name) => logger.progress(`trying: ${name}`),
  });
  logger.endProgress();
  if (options.json === true) await print(JSON.stringify(report));
  else {
    const { renderTable } = await import("../study/table.js");
    const head = [
      "response", "format", "look", "accuracy", "total", "honest", "advantage", "beginner", "advantage", "verdict", "scenes",
    ]; // prettier-ignore
    await print(
      renderTable(
        [
          head,
          honestRow("(honest, good)", report.honest.good),
          honestRow("(honest, beginner)", report.honest.beginner),
          ...report.rows.map(rowOf),
        ],
        { align: ["left", ...head.slice(1, -2).map(() => "right" as const), "left"] },
      ),
    );
    await print(
      `\n${report.scenes.length} scenes, ${report.draws} groups of ${report.groupSize} each, one response of them the exploit's. ` +
        '"honest": its total less what the same response earns honestly; "beginner": the same among beginners. ' +
        "PASS: worth less than honest work. WEAK: worth more than a beginner's. FAIL: worth more than a good policy's.",
    );
  }
  const failed = report.rows.filter(({ verdict }) => verdict === "fail").map(({ name }) => name);
  if (failed.length > 0)
    throw new DipError(`more is earned than by an honest good response: ${failed.join(", ")}`, {
      hint: "docs/rewards.md says which option answers which weakness.",
    });
}

/** The command. */
export function auditCommand(context: CliContext): Command {
  return new Command("audit")
    .description("what known exploits earn under the rewards (no model needed); exit 1 if one beats honest work")
    .option("--recipe <recipe>", "recipe file, or preset (paper, recommended)", "recommended")
    .option("--draws <n>", "groups for each scene", numberOption("--draws", { min: 1, max: 1000, integer: true }), 4)
    .option("--group <n>", "responses in a group (default: 8)", numberOption("--group", { min: 3, max: 64, integer: true }))
    .option("--seed <n>", "other scenes and other draws", numberOption("--seed", { min: 0, max: 2 ** 31 - 1, integer: true }), 1)
    .option("--json", "one JSON object on stdout, nothing else")
    .action((options: AuditCommandOptions) => audit(options, context));
} // prettier-ignore
