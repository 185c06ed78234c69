/**
 * @file What is going wrong in a run, in words: what was seen, since when, the numbers it rests on and what to do. Pure: it
 * reads the columns of metrics.jsonl and the lines of evaluations.jsonl.
 */
import { frameWarning, type FrameFinding } from "../../geometry/index.js";
import { levelAlarms, WINDOW } from "./alarm-levels.js";
import { trendOf, type Trend } from "./alarm-series.js";
import type { Alarm, AlarmReport, EvaluationRow } from "./api.js";
import type { Column } from "./metric-rows.js";

/** What alarms are found in. */
export interface AlarmEvidence {
  readonly kind: "grpo" | "sft";
  readonly steps: readonly number[];
  readonly columns: ReadonlyMap<string, Column>;
  readonly evaluations: readonly EvaluationRow[];
  /** Of the rewards. @default 1 each */
  readonly weights?: Readonly<Record<"format" | "look" | "accuracy", number>>;
}

/** Rows below which no trend is read. */
const TREND_ROWS = 30;
const PARTS = ["format", "look", "accuracy"] as const;
const signed = (value: number): string => `${value < 0 ? "-" : "+"}${Math.abs(value).toFixed(3)}`;

type Whole = Pick<Alarm, "firstStep" | "lastStep" | "ongoing">;

function flatReward(columns: AlarmEvidence["columns"], whole: Whole): Alarm[] {
  const trend = trendOf(columns.get("reward.mean") ?? []);
  const accuracy = trendOf(columns.get("accuracy.mean") ?? []);
  // What is nearly perfect cannot rise.
  if (trend === undefined || (accuracy?.last ?? 0) > 0.95 || trend.change > 2 * trend.error) return [];
  const falls = trend.change < -3 * trend.error;
  return [
    {
      kind: "reward-flat",
      severity: falls ? "serious" : "warning",
      title: falls ? "The reward falls" : "The reward does not rise",
      words:
        `Its mean was ${trend.first.toFixed(3)} in the first third of the steps and is ${trend.last.toFixed(3)} in the last ` +
        `(${signed(trend.change)}, standard error ${trend.error.toFixed(3)}).`,
      ...whole,
      evidence: [
        { label: "reward.mean, first third", value: trend.first },
        { label: "reward.mean, last third", value: trend.last },
        { label: "standard error of the change", value: trend.error },
      ],
      keys: ["reward.mean", "reward.groupStd", "zeroStdShare"],
      advice: falls
        ? "Lower the learning rate; see whether KL or the gradient norm jumped just before."
        : "See whether groups have any spread (zeroStdShare) and whether the learning rate is high enough; more images a step make the signal clearer.",
    },
  ];
}

/** Parts of the reward that pull against each other: what one gains another loses. */
function cancellingReward({ columns, weights }: AlarmEvidence, whole: Whole): Alarm[] {
  const parts = PARTS.flatMap((part) => {
    const trend = trendOf(columns.get(`${part}.mean`) ?? []);
    const weight = weights?.[part] ?? 1;
    if (trend === undefined || weight === 0 || Math.abs(trend.change) < Math.max(0.02, 3 * trend.error))
      return [];
    return [{ part, trend, adds: weight * trend.change }];
  });
  const up = parts.filter(({ adds }) => adds > 0);
  const down = parts.filter(({ adds }) => adds < 0);
  const sum = (list: readonly { readonly adds: number }[]) => list.reduce((all, { adds }) => all + adds, 0);
  // Little is lost where the gain is much greater.
  if (up.length === 0 || down.length === 0 || -sum(down) < 0.5 * sum(up)) return [];
  const names = (list: typeof parts, verb: string) =>
    list.map(({ part, trend }) => `${part} ${verb} (${signed(trend.change)})`).join(" and ");
  return [
    {
      kind: "reward-cancelling",
      severity: sum(up) + sum(down) < 0 ? "serious" : "warning",
      title: "Parts of the reward work against each other",
      words: `While ${names(up, "rises")}, ${names(down, "falls")}; by their weights the total moves by ${signed(sum(up) + sum(down))} only.`,
      ...whole,
      evidence: parts.flatMap(({ part, trend }: { part: string; trend: Trend }) => [
        { label: `${part}.mean, first third`, value: trend.first },
        { label: `${part}.mean, last third`, value: trend.last },
      ]),
      keys: [...PARTS.map((part) => `${part}.mean`), "reward.mean"],
      advice:
        "The policy pays for one part with another. Lower the weight of the one that matters less (recipe: rewards.weights), or see in the groups what responses do to earn it.",
    },
  ];
}

function gradients({ steps, columns }: AlarmEvidence): Alarm[] {
  const column = columns.get("gradNorm") ?? [];
  const broken = column.findIndex((value) => value === null);
  const known = column.filter((value) => value !== null).toSorted((a, b) => a - b);
  const median = known[Math.floor(known.length / 2)] ?? 0;
  const last = steps.at(-1) ?? 0;
  const shared = { kind: "gradient", keys: ["gradNorm", "learningRate"] } as const;
  if (broken >= 0)
    return [
      {
        ...shared,
        severity: "serious",
        title: "The gradient is not finite",
        words: `At step ${steps[broken]} the norm of the gradient is not a number.`,
        firstStep: steps[broken]!,
        lastStep: last,
        ongoing: column.at(-1) === null,
        evidence: [{ label: "median of gradNorm", value: median }],
        advice: "Lower the learning rate and go on from the checkpoint before; look at that step's groups.",
      },
    ];
  const spike = column.findIndex(
    (value) => value !== null && known.length >= TREND_ROWS && value > 20 * median,
  );
  if (spike < 0) return [];
  return [
    {
      ...shared,
      severity: "warning",
      title: "The gradient jumps",
      words: `At step ${steps[spike]} its norm is ${column[spike]!.toPrecision(3)}, more than 20 times the usual ${median.toPrecision(3)}.`,
      firstStep: steps[spike]!,
      lastStep: steps[column.findLastIndex((value) => value !== null && value > 20 * median)]!,
      ongoing: false,
      evidence: [
        { label: "gradNorm", value: column[spike]!, step: steps[spike]! },
        { label: "median of gradNorm", value: median },
      ],
      advice: "maxGradNorm clips it; where it comes often, lower the learning rate.",
    },
  ];
}

function frames(evaluations: readonly EvaluationRow[]): Alarm[] {
  const wrong = evaluations.flatMap((row) => {
    const finding = row["frame"] as FrameFinding | undefined;
    const words = finding?.better ? frameWarning(finding) : undefined;
    return words === undefined ? [] : [{ row, words, finding: finding! }];
  });
  if (wrong.length === 0) return [];
  const last = Math.max(...evaluations.map(({ step }) => step));
  const { row, words, finding } = wrong.at(-1)!;
  return [
    {
      kind: "frame",
      severity: "serious",
      title: "Boxes are in another frame than declared",
      words: `${row.set}, ${row.decoding}: ${words}`,
      firstStep: Math.min(...wrong.map((one) => one.row.step)),
      lastStep: Math.max(...wrong.map((one) => one.row.step)),
      ongoing: wrong.some((one) => one.row.step === last),
      evidence: [
        { label: "fit as declared", value: finding.declared.fit, step: row.step },
        { label: "fit as it looks", value: finding.better!.fit, step: row.step },
      ],
      keys: [],
      advice:
        "Set the recipe's profile to what the model speaks, or start from a model that speaks the declared one.",
    },
  ];
}

/** Held-out F1 that fell although the run trained for it. */
function drops(evaluations: readonly EvaluationRow[]): Alarm[] {
  const of = evaluations.filter(({ domain, decoding, f1 }) => domain === "in" && decoding === "greedy" && typeof f1 === "number"); // prettier-ignore
  return [...new Set(of.map(({ set }) => set))].flatMap((set): Alarm[] => {
    const rows = of.filter((row) => row.set === set).toSorted((a, b) => a.step - b.step);
    const [first, last] = [rows[0]!, rows.at(-1)!];
    const fall = first.f1! - last.f1!;
    if (rows.length < 2 || fall < 0.02) return [];
    return [
      {
        kind: "evaluation-drop",
        severity: fall >= 0.05 ? "serious" : "warning",
        title: "Held-out F1 fell",
        words: `${set}, greedy: F1 was ${first.f1!.toFixed(3)} at step ${first.step} and is ${last.f1!.toFixed(3)} at step ${last.step}.`,
        firstStep: rows.find((row) => first.f1! - row.f1! >= 0.02)!.step,
        lastStep: last.step,
        ongoing: true,
        evidence: [
          { label: "F1 at first", value: first.f1!, step: first.step },
          { label: "F1 now", value: last.f1!, step: last.step },
        ],
        keys: ["f1", "precision", "recall"],
        advice:
          "Compare the rewards with F1: where they rise and F1 falls, the reward pays for something else. `dip-r1 compare` says whether the difference is more than chance.",
      },
    ];
  });
}

/** Finds all alarms of a run. */
export function findAlarms(evidence: AlarmEvidence): AlarmReport {
  const { kind, steps, columns, evaluations } = evidence;
  const notes: string[] = [];
  const alarms = [...frames(evaluations), ...drops(evaluations), ...gradients(evidence)];
  if (kind === "grpo") {
    alarms.push(...levelAlarms(steps, columns));
    if (steps.length >= TREND_ROWS) {
      const whole = { firstStep: steps[0]!, lastStep: steps.at(-1)!, ongoing: true };
      alarms.push(...flatReward(columns, whole), ...cancellingReward(evidence, whole));
    } else notes.push(`Fewer than ${TREND_ROWS} steps: whether the reward rises is not judged yet.`);
    if (steps.length < WINDOW + 3) notes.push(`Fewer than ${WINDOW + 3} steps: levels are not judged yet.`);
  }
  if (evaluations.length === 0)
    notes.push("No evaluation is finished: frames and held-out F1 are not judged.");
  const rank = { serious: 0, warning: 1 };
  return {
    steps: steps.length,
    alarms: alarms.toSorted(
      (a, b) =>
        rank[a.severity] - rank[b.severity] || a.firstStep - b.firstStep || (a.kind < b.kind ? -1 : 1),
    ),
    notes,
  };
}
