/**
 * @file Tries known exploits against a reward configuration: what each earns as one of an otherwise honest group, beside what
 * the same response would have earned had it been honest.
 *
 * Expectations over draws are compared response by response: the group, the scene and the honest response that an exploit was
 * made from are the same on both sides, so nothing but the exploit makes the difference.
 */
import { InputError } from "../../base/errors.js";
import { createRng, deriveSeed, type Rng } from "../../base/rng.js";
import type { ParsedResponse } from "../../response/types.js";
import { parseResponse } from "../../response/parser.js";
import { defaultRewardConfig } from "../config.js";
import { scoreGroup } from "../total.js";
import type { RewardConfig } from "../types.js";
import type { Exploit } from "./exploit.js";
import { exploits } from "./exploits.js";
import { BEGINNER, GOOD, honestResponse, textOf, type Said, type Skill } from "./honest.js";
import { auditScenes, type AuditScene } from "./scenes.js";

/** Options of {@link auditRewards}. */
export interface AuditOptions {
  /** Responses of a group, the exploit's included. @default 8 */
  readonly groupSize?: number;
  /** Draws of a group for each scene. @default 4 */
  readonly draws?: number;
  /** @default 1 */
  readonly seed?: number;
  /** @default every known one */
  readonly exploits?: readonly Exploit[];
  /** @default {@link auditScenes} */
  readonly scenes?: readonly AuditScene[];
  /** Told of each exploit as it is tried. */
  readonly onExploit?: (name: string) => void;
}

/** Means of what responses earn. */
export interface Earnings {
  readonly format: number;
  readonly look: number;
  readonly accuracy: number;
  readonly total: number;
  /** total less the mean total of the others in its group: what it gains on them, or takes from them. */
  readonly lead: number;
  /** (total - mean) / (sample standard deviation + 1e-4) of its group: what training makes of it. */
  readonly advantage: number;
}

/**
 * `fail` = earns more than an honest good response, in total or beyond the others of its group; `weak` = does not, but earns more than the
 * honest response of a beginner, so that training can be drawn to it early; `pass` = neither.
 */
export type AuditVerdict = "pass" | "weak" | "fail";

/** What one exploit earns. */
export interface AuditRow {
  readonly name: string;
  readonly about: string;
  /** Over all scenes and draws. */
  readonly earned: Earnings;
  /** The same responses, honest: of a good policy. */
  readonly honest: Earnings;
  /** What a beginner's exploit earns in a group of beginners, and what the same responses earn honestly. */
  readonly beginner: { readonly earned: Earnings; readonly honest: Earnings };
  /** Scenes in which it earned more than the honest response of a good policy, with by how much. */
  readonly ahead: readonly { readonly scene: string; readonly by: number }[];
  readonly verdict: AuditVerdict;
}

/** An audit. */
export interface AuditReport {
  readonly rewards: RewardConfig;
  readonly groupSize: number;
  readonly draws: number;
  readonly scenes: readonly string[];
  /** What honest responses earn with nobody cheating. */
  readonly honest: { readonly good: Earnings; readonly beginner: Earnings };
  readonly rows: readonly AuditRow[];
  /** No row fails. */
  readonly passed: boolean;
}

/** Totals that differ by less are equal: sums of three products. */
const ROUNDING = 1e-9;

interface Draw {
  readonly scene: AuditScene;
  readonly sceneIndex: number;
  /** Of its scene, from 0. */
  readonly draw: number;
  readonly others: readonly ParsedResponse<"model">[];
  /** What the last response of the group honestly says. */
  readonly honest: Said;
  readonly seed: number;
  readonly earned: Earnings;
}

const parts = ["format", "look", "accuracy", "total", "lead", "advantage"] as const;

function meanOf(all: readonly Earnings[]): Earnings {
  const mean = (part: (typeof parts)[number]) => all.reduce((sum, one) => sum + one[part], 0) / all.length;
  return {
    format: mean("format"),
    look: mean("look"),
    accuracy: mean("accuracy"),
    total: mean("total"),
    lead: mean("lead"),
    advantage: mean("advantage"),
  };
}

/** What the last response of a group earns. */
function lastOf(
  scene: AuditScene,
  others: readonly ParsedResponse<"model">[],
  text: string,
  rewards: RewardConfig,
): Earnings {
  const group = [...others, parseResponse<"model">(text, scene.truth.size)];
  const { responses } = scoreGroup(scene.truth, group, rewards);
  const { format, look, accuracy, total } = responses.at(-1)!;
  const mean = responses.reduce((sum, one) => sum + one.total, 0) / responses.length;
  const squares = responses.reduce((sum, one) => sum + (one.total - mean) ** 2, 0);
  const std = Math.sqrt(squares / (responses.length - 1));
  const lead = ((total - mean) * responses.length) / (responses.length - 1);
  return { format, look, accuracy, total, lead, advantage: std > 1e-8 ? (total - mean) / (std + 1e-4) : 0 };
}

function drawGroups(
  scenes: readonly AuditScene[],
  skill: Skill,
  rewards: RewardConfig,
  { draws, groupSize, seed }: { readonly draws: number; readonly groupSize: number; readonly seed: number },
): Draw[] {
  return scenes.flatMap((scene, sceneIndex) =>
    Array.from({ length: draws }, (_, draw): Draw => {
      const streamSeed = deriveSeed(seed, "audit", scene.name, draw);
      const rng: Rng = createRng(streamSeed);
      const others = Array.from({ length: groupSize - 1 }, () =>
        parseResponse<"model">(textOf(honestResponse(scene, skill, rng)), scene.truth.size),
      );
      const honest = honestResponse(scene, skill, rng);
      return {
        scene,
        sceneIndex,
        draw,
        others,
        honest,
        seed: streamSeed,
        earned: lastOf(scene, others, textOf(honest), rewards),
      };
    }),
  );
}

interface Tried {
  readonly draw: Draw;
  readonly earned: Earnings;
}

/** Heavy exploits: one draw of every third scene. */
function isTried(exploit: Exploit, draw: Draw): boolean {
  return exploit.heavy !== true || (draw.draw === 0 && draw.sceneIndex % 3 === 2);
}

function tryExploit(exploit: Exploit, all: readonly Draw[], rewards: RewardConfig): Tried[] {
  return all
    .filter((draw) => isTried(exploit, draw))
    .map((draw): Tried => {
      const { scene, honest, others } = draw;
      const rng = createRng(deriveSeed(draw.seed, exploit.name));
      return { draw, earned: lastOf(scene, others, exploit.make({ scene, honest, rng }), rewards) };
    });
}

const earnedBy = (tried: readonly Tried[]) => meanOf(tried.map(({ earned }) => earned));
const honestlyBy = (tried: readonly Tried[]) => meanOf(tried.map(({ draw }) => draw.earned));
/** More in total, or a greater lead: an exploit may also gain by taking from the others of its group. */
const beats = (a: Earnings, b: Earnings) => a.total > b.total + ROUNDING || a.lead > b.lead + ROUNDING;

/**
 * Tries every exploit on every scene.
 *
 * @throws InputError for a group of fewer than 3, or options out of range.
 * @example auditRewards(rewards).rows.filter(({ verdict }) => verdict === "fail")
 */
export function auditRewards(
  rewards: RewardConfig = defaultRewardConfig,
  options: AuditOptions = {},
): AuditReport {
  const { groupSize = 8, draws = 4, seed = 1, scenes = auditScenes(seed) } = options;
  if (!(Number.isInteger(groupSize) && groupSize >= 3 && Number.isInteger(draws) && draws >= 1))
    throw new InputError(`an audit cannot have groups of ${groupSize} and ${draws} draws of each scene`, {
      hint: "Groups need at least 3 responses, two of them honest, and each scene at least 1 draw.",
    });
  const good = drawGroups(scenes, GOOD, rewards, { draws, groupSize, seed });
  const beginner = drawGroups(scenes, BEGINNER, rewards, { draws, groupSize, seed });
  const rows = (options.exploits ?? exploits).map((exploit): AuditRow => {
    options.onExploit?.(exploit.name);
    const tried = tryExploit(exploit, good, rewards);
    const early = tryExploit(exploit, beginner, rewards);
    const [earned, honest] = [earnedBy(tried), honestlyBy(tried)];
    const first = { earned: earnedBy(early), honest: honestlyBy(early) };
    return {
      name: exploit.name,
      about: exploit.about,
      earned,
      honest,
      beginner: first,
      ahead: scenes.flatMap((scene) => {
        const here = tried.filter(({ draw }) => draw.scene === scene);
        if (here.length === 0) return [];
        const by = earnedBy(here).total - honestlyBy(here).total;
        return by > ROUNDING ? [{ scene: scene.name, by }] : [];
      }),
      verdict: beats(earned, honest) ? "fail" : beats(first.earned, first.honest) ? "weak" : "pass",
    };
  });
  return {
    rewards,
    groupSize,
    draws,
    scenes: scenes.map(({ name }) => name),
    honest: {
      good: meanOf(good.map(({ earned }) => earned)),
      beginner: meanOf(beginner.map(({ earned }) => earned)),
    },
    rows,
    passed: rows.every(({ verdict }) => verdict !== "fail"),
  };
}
