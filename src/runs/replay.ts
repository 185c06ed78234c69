/**
 * @file A run's stored rollouts scored again under another reward configuration: what would have been earned, and how
 * differently the policy would have been pushed. Needs the lines of rollouts.jsonl, no model and no pictures.
 */
import { join } from "node:path";
import { InputError, readJsonlTolerant } from "../base/index.js";
import type { Box } from "../geometry/box.js";
import { parseResponse } from "../response/index.js";
import { IGNORED, scoreGroup, type RewardConfig, type RewardTruth } from "../rewards/index.js";
import { groupAdvantages, mean, type AdvantageKind } from "../rl/advantage.js";
import type { Corners, RolloutLine } from "./rollout-lines.js";
import { readManifest } from "./run-folder.js";

/** How rewards and advantages are made. */
export interface RewardChoice {
  readonly rewards: RewardConfig;
  readonly advantage: AdvantageKind;
}

/** One number of every response, as it was stored and as it is now. */
export interface ReplayedPart {
  readonly part: "format" | "look" | "accuracy" | "total" | "advantage";
  readonly before: number;
  readonly after: number;
  /** Spearman's rank correlation over all responses (ties share their mean rank); NaN where one side is constant. */
  readonly rankCorrelation: number;
  /** The same within each group, the mean over the groups where both sides vary. */
  readonly groupRankCorrelation: number;
  /** Share of responses whose number, less the mean of its group, has the other sign; zeros change with nothing. */
  readonly signChanges: number;
  /** Share of responses whose number is another one. */
  readonly changed: number;
}

/** What a replay found. */
export interface ReplayReport {
  readonly run: string;
  readonly steps: readonly [first: number, last: number];
  readonly groups: number;
  readonly responses: number;
  /** Groups whose totals were, and are, all the same: they teach nothing. */
  readonly zeroStdGroups: { readonly before: number; readonly after: number };
  readonly parts: readonly ReplayedPart[];
  /** What cannot be had from the stored lines, in words. */
  readonly notes: readonly string[];
}

/** Options of {@link replayRun}. */
export interface ReplayOptions {
  /** Steps to take, both ends included. @default all */
  readonly steps?: { readonly from?: number; readonly to?: number };
}

/** A stored group: the lines of one image in one step. */
export interface StoredGroup {
  readonly step: number;
  readonly sample: string;
  readonly truth: RewardTruth<"model">;
  readonly lines: readonly RolloutLine[];
}

const boxOf = ([x1, y1, x2, y2]: Corners): Box<"model"> => ({ x1, y1, x2, y2 });

/**
 * Reads the groups of a run, step by step.
 * @throws InputError where the folder is no run, or has no rollouts.
 */
export async function readStoredGroups(run: string, options: ReplayOptions = {}): Promise<StoredGroup[]> {
  const { recipe } = await readManifest(run);
  const path = join(run, "rollouts.jsonl");
  const { from = -Infinity, to = Infinity } = options.steps ?? {};
  const groups: RolloutLine[][] = [];
  for (const value of await readJsonlTolerant(path)) {
    const line = value as RolloutLine;
    if (line.step < from || line.step > to) continue;
    // Lines are written group by group, and an image may come twice in a step.
    if (line.index === 0) groups.push([line]);
    else groups.at(-1)?.push(line);
  }
  if (groups.length === 0)
    throw new InputError(`${path}: there are no rollouts${options.steps ? " of these steps" : ""}`, {
      hint: "SFT runs have none; give a run that `dip-r1 train` made with a recipe of the kind grpo.",
    });
  return groups.map((lines) => storedGroup(lines, recipe.data.labels[0]!));
}

/**
 * A group from its lines, the first of which holds the ground truth.
 * @param lines at least one, in their order
 * @param label of all objects, where the lines name none because there is but one
 */
export function storedGroup(lines: readonly RolloutLine[], label: string): StoredGroup {
  const { step, sample, size, truth, labels, ignore } = lines[0]!;
  const [width, height] = size;
  return withIgnored({
    step,
    sample,
    truth: {
      size: { width, height },
      objects: truth.map((box, i) => ({ box: boxOf(box), label: labels?.[i] ?? label })),
      ignore: ignore?.map(boxOf) ?? [],
    },
    lines,
  });
}

/**
 * Runs of before kept no ignore regions, only which boxes they took out: those boxes then stand for the regions, which
 * takes out the same boxes again, and nearly the same of a neighbour's.
 */
function withIgnored(group: StoredGroup): StoredGroup {
  const { truth, lines } = group;
  if (truth.ignore.length > 0) return group;
  const ignored = lines.flatMap(({ boxes, matches }) => boxes.filter((_, i) => matches[i] === IGNORED));
  return ignored.length === 0 ? group : { ...group, truth: { ...truth, ignore: ignored.map(boxOf) } };
}

/** Ranks from 1; equals share their mean rank. */
function ranks(values: readonly number[]): number[] {
  const order = values.map((_, i) => i).sort((a, b) => values[a]! - values[b]!);
  const out = values.map(() => 0);
  for (let start = 0; start < order.length;) {
    let end = start + 1;
    while (end < order.length && values[order[end]!]! === values[order[start]!]!) end++;
    for (let k = start; k < end; k++) out[order[k]!] = (start + 1 + end) / 2;
    start = end;
  }
  return out;
}

/** Spearman's rank correlation; NaN where one side is constant. */
export function rankCorrelation(a: readonly number[], b: readonly number[]): number {
  const [x, y] = [ranks(a), ranks(b)];
  const center = (a.length + 1) / 2;
  let [xy, xx, yy] = [0, 0, 0];
  x.forEach((value, i) => {
    xy += (value - center) * (y[i]! - center);
    xx += (value - center) ** 2;
    yy += (y[i]! - center) ** 2;
  });
  return xx > 0 && yy > 0 ? xy / Math.sqrt(xx * yy) : Number.NaN;
}

/** Differences from the mean of the group, with rounding taken for none. */
function centred(values: readonly number[]): number[] {
  const center = mean(values);
  return values.map((value) => (Math.abs(value - center) < 1e-9 ? 0 : value - center));
}

function compare(
  part: ReplayedPart["part"],
  before: readonly (readonly number[])[],
  after: readonly (readonly number[])[],
): ReplayedPart {
  const [a, b] = [before.flat(), after.flat()];
  const within = before
    .map((group, g) => rankCorrelation(group, after[g]!))
    .filter((value) => !Number.isNaN(value));
  const [x, y] = [before.flatMap(centred), after.flatMap(centred)];
  return {
    part,
    before: mean(a),
    after: mean(b),
    rankCorrelation: rankCorrelation(a, b),
    groupRankCorrelation: mean(within),
    signChanges: x.filter((value, i) => value * y[i]! < 0).length / x.length,
    changed: a.filter((value, i) => Math.abs(value - b[i]!) > 1e-6).length / a.length,
  };
}

/** Advantages step by step: the kind `batch` hangs on the step. */
function advantagesOf(groups: readonly StoredGroup[], totals: readonly (readonly number[])[], kind: AdvantageKind) {
  const out: (readonly number[])[] = [];
  let zeroStdGroups = 0;
  for (let start = 0; start < groups.length;) {
    let end = start + 1;
    while (end < groups.length && groups[end]!.step === groups[start]!.step) end++;
    const step = groupAdvantages(totals.slice(start, end), { kind });
    out.push(...step.advantages);
    zeroStdGroups += step.zeroStdGroups;
    start = end;
  }
  return { advantages: out, zeroStdGroups };
} // prettier-ignore

/**
 * Scores a run's stored rollouts as another recipe would have.
 *
 * @param run the run's folder
 * @throws InputError where there is no run, or nothing to score
 * @example (await replayRun("runs/start", await rewardsOf("paper"))).parts
 */
export async function replayRun(
  run: string,
  { rewards, advantage }: RewardChoice,
  options: ReplayOptions = {},
): Promise<ReplayReport> {
  const { recipe } = await readManifest(run);
  const groups = await readStoredGroups(run, options);
  const scored = groups.map(({ truth, lines }) => {
    const parsed = lines.map(({ text }) => parseResponse<"model">(text, truth.size));
    return scoreGroup(truth, parsed, rewards).responses;
  });
  const stored = (part: "format" | "look" | "accuracy" | "total" | "advantage") =>
    groups.map(({ lines }) => lines.map((line) => line[part]));
  const now = (part: "format" | "look" | "accuracy" | "total") =>
    scored.map((responses) => responses.map((response) => response[part]));
  const [was, is] = [stored("total"), now("total")];
  const kind = recipe.kind === "grpo" ? recipe.grpo.advantage : "group";
  const after = advantagesOf(groups, is, advantage);
  const parts = (["format", "look", "accuracy", "total"] as const).map((part) =>
    compare(part, stored(part), now(part)),
  );
  return {
    run,
    steps: [groups[0]!.step, groups.at(-1)!.step],
    groups: groups.length,
    responses: is.flat().length,
    zeroStdGroups: {
      before: advantagesOf(groups, was, kind).zeroStdGroups,
      after: after.zeroStdGroups,
    },
    parts: [...parts, compare("advantage", stored("advantage"), after.advantages)],
    notes: notesOf(groups, recipe.data.labels, parts, rewards, recipe.rewards),
  };
}

/** The stored lines must give the stored numbers where the rewards are the run's own; where not, something is missing. */
function notesOf(
  groups: readonly StoredGroup[],
  labels: readonly string[],
  parts: readonly ReplayedPart[],
  rewards: RewardConfig,
  own: RewardConfig,
): string[] {
  const notes: string[] = [];
  if (labels.length > 1 && groups.every(({ lines }) => lines[0]!.labels === undefined))
    notes.push(`labels of the ground truth were not stored; every object counts as "${labels[0]}"`);
  const off = parts.filter(({ changed }) => changed > 0);
  if (JSON.stringify(rewards) === JSON.stringify(own) && off.length > 0)
    notes.push(
      `the run's own rewards do not give what was stored (${off.map(({ part }) => part).join(", ")}): ` +
        "the rewards have changed since, or ignore regions were not stored",
    );
  const guessed = groups.some(
    ({ truth, lines }) => truth.ignore.length > 0 && lines[0]!.ignore === undefined,
  );
  if (guessed) notes.push("ignore regions were not stored; the boxes that lay in them then stand for them");
  return notes;
}
