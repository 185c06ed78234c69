/** @file Groups of responses: list, filter, one group whole. */
import type { ExplainedResponse, RewardConfig } from "../../../rewards/index.js";
import type { RunId } from "./common.js";
import type { Canvas, CanvasTruth, Corners, HeatGrid } from "./drawing.js";
import type { SaidResponse } from "./response.js";

/**
 * What can be wrong with a response. `unreadable` = grade none; `repaired`, `truncated` = that grade, or cut at the token
 * limit; `loop` = ended by the repeat guard; `no-answer` = no answer boxes though there are objects; `missed` = recall
 * below 0.5; `invented` = more than a third of the answer boxes that count match nothing; `no-look` = no look region
 * though the group disagrees (look reward 0).
 */
export type FailureKind =
  "unreadable" | "repaired" | "truncated" | "loop" | "no-answer" | "missed" | "invented" | "no-look";

/** Orders of groups; `-` before one reverses it. `spread` = standard deviation of the reward within the group. */
export type GroupSort = "step" | "reward" | "spread" | "objects" | "f1";

/** Query of /groups. Ranges include their ends. */
export interface GroupsQuery {
  readonly fromStep?: number;
  readonly toStep?: number;
  /** Part of the sample's id. */
  readonly sample?: string;
  /** Mean total reward of the group. */
  readonly minReward?: number;
  readonly maxReward?: number;
  /** Density: objects in the picture. */
  readonly minObjects?: number;
  readonly maxObjects?: number;
  /** Groups in which at least one response fails so (repeatable: all of them); `zero-variance` = all rewards equal. */
  readonly failure?: readonly (FailureKind | "zero-variance")[];
  /** @default "-step" */
  readonly sort?: GroupSort | `-${GroupSort}`;
  /** @default 0 */
  readonly offset?: number;
  /** 1..500. @default 50 */
  readonly limit?: number;
}

/** One group in the list. */
export interface GroupSummary {
  readonly step: number;
  readonly sample: string;
  readonly responses: number;
  /** Ground-truth objects. */
  readonly objects: number;
  /** Total reward over the group. */
  readonly reward: {
    readonly mean: number;
    readonly min: number;
    readonly max: number;
    readonly std: number;
  };
  /** Micro F1 of its answers. */
  readonly f1: number;
  /** How many responses fail in each way; ways without any are absent. */
  readonly failures: Readonly<Partial<Record<FailureKind, number>>>;
  readonly zeroVariance: boolean;
}

/** GET /api/runs/:id/groups */
export interface GroupPage {
  /** As {@link MetricColumns.epoch}, of rollouts.jsonl. */
  readonly epoch: number;
  /** Groups in the run, and those that pass the filter. */
  readonly total: number;
  readonly matching: number;
  readonly offset: number;
  readonly groups: readonly GroupSummary[];
  /** Over all groups of the run, for the filter's controls; null while there are none. */
  readonly ranges: {
    readonly step: readonly [number, number];
    readonly reward: readonly [number, number];
    readonly objects: readonly [number, number];
  } | null;
  /** How many groups fail in each way, over all groups of the run. */
  readonly failures: Readonly<Partial<Record<FailureKind | "zero-variance", number>>>;
}

/** What is known of each token of a response; arrays have one entry a token. */
export interface TokenTrack {
  /** Offset in the text, UTF-16 units, where each token ends. */
  readonly ends: readonly number[];
  /** Natural logarithms of probabilities when sampled. */
  readonly logprobs: readonly number[];
  /** Under the reference; absent where the run kept none. */
  readonly referenceLogprobs?: readonly number[];
  /** Advantage of each token, credit by box and KL included; absent where the run kept none. */
  readonly advantages?: readonly number[];
}

/** A box and where it stands in the text, [start, end) in UTF-16 units. */
export interface WrittenBox {
  readonly box: Corners;
  readonly label?: string;
  readonly start: number;
  readonly end: number;
}

/** One response of a group. Boxes are on the group's canvas. */
export interface GroupResponse extends SaidResponse {
  /** Place in the group, from 0. */
  readonly index: number;
  readonly regions: readonly WrittenBox[];
  readonly answer: readonly WrittenBox[];
  /** Object that each answer box hit, -1 = none, -2 = in an ignore region. */
  readonly matches: readonly number[];
  /** As recorded when it was earned. */
  readonly format: number;
  readonly look: number;
  readonly accuracy: number;
  readonly total: number;
  readonly advantage: number;
  readonly failures: readonly FailureKind[];
  /** Why: the same that `dip-r1 score --explain` says; absent for a group of one. Its boxes are {x1, y1, x2, y2} on the canvas. */
  readonly explained?: ExplainedResponse;
  /** null: not recorded. */
  readonly track: TokenTrack | null;
}

/** A group nearby. */
export interface GroupPlace {
  readonly step: number;
  readonly sample: string;
}

/** Where a group disagrees; empty for a group of one. */
export interface GroupDisagreement {
  /** The variance of the counts; what the run's look reward pays by where `uncertain` is absent, else for the picture only. */
  readonly grid?: HeatGrid;
  /** Hot spots of the grid, those with most of it first. `share` of all disagreement 0..1. */
  readonly spots?: readonly { readonly box: Corners; readonly share: number; readonly peak: number }[];
  /** Instance kinds: what the group is unsure of. */
  readonly uncertain?: readonly Corners[];
}

/** GET /api/runs/:id/group */
export interface GroupDetail {
  readonly run: RunId;
  readonly step: number;
  readonly sample: string;
  readonly canvas: Canvas;
  /** Path of the picture; it may answer 404 with words where the data is gone. */
  readonly image: string;
  readonly truth: CanvasTruth;
  /** In their order; the page sorts. */
  readonly responses: readonly GroupResponse[];
  readonly disagreement: GroupDisagreement;
  readonly rewards: RewardConfig;
  /** Whether the explanation's totals are those recorded; false where the rewards' code or options changed since. */
  readonly agrees: boolean;
  /** Neighbours in the order of training. */
  readonly previous: GroupPlace | null;
  readonly next: GroupPlace | null;
  /** All steps that trained on this picture. */
  readonly steps: readonly number[];
}
