/** @file The studio itself, and its runs: list, summary, detail, two configurations compared. */
import type { RewardConfig } from "../../../rewards/index.js";
import type { Decoding, RunId } from "./common.js";

/** GET /api/studio */
export interface StudioInfo {
  /** Of the package. */
  readonly version: string;
  /** The folder of runs, as it was given. */
  readonly runs: string;
  /** A command line that starts a first run into that folder; for the empty page. */
  readonly firstRun: string;
}

/**
 * `training` = its process holds the folder's lock; `interrupted` = the manifest says running but nobody holds the lock
 * (killed: `dip-r1 train --resume` goes on with it).
 */
export type RunStatus = "training" | "done" | "stopped" | "failed" | "interrupted";

/** The numbers of one evaluation that a headline needs; shares 0..1. */
export interface HeadlineNumbers {
  readonly step: number;
  readonly precision: number | null;
  readonly recall: number | null;
  readonly f1: number | null;
  readonly ap50: number | null;
  /** Mean absolute error of the count. */
  readonly countError: number | null;
  readonly strictShare: number | null;
}

/** One set under one decoding, before and after: the first and the last evaluation (the same one where there is but one). */
export interface Headline {
  readonly set: string;
  /** Whether the set is of the domain trained on. */
  readonly domain: "in" | "out";
  readonly decoding: Decoding;
  readonly images: number;
  readonly first: HeadlineNumbers;
  readonly last: HeadlineNumbers;
}

/** A run in the list. */
export interface RunSummary {
  readonly id: RunId;
  readonly name: string;
  readonly kind: "grpo" | "sft";
  /** The named recipe it began from; absent for none. */
  readonly preset?: string;
  readonly seed: number;
  readonly status: RunStatus;
  /** Why it failed. */
  readonly error?: string;
  /** ISO 8601. */
  readonly created: string;
  readonly updated: string;
  /** Optimiser steps done, and those asked for (`minutes` may end it before). */
  readonly step: number;
  readonly steps: number;
  /** Limit of training time, minutes; absent for none. */
  readonly minutes?: number;
  readonly trainedSeconds: number;
  /** Steps at which it was taken up again. */
  readonly resumed: readonly number[];
  readonly engine: string;
  /** Model the run began from, as the recipe names it. */
  readonly model: string;
  /** Sets in their order, greedy before sampled. */
  readonly headlines: readonly Headline[];
  /** At most 60 points over the whole run: `reward.mean` of GRPO, `loss` of SFT. */
  readonly sparkline: {
    readonly key: string;
    readonly steps: readonly number[];
    readonly values: readonly (number | null)[];
  };
  /** Alarms by severity; see {@link AlarmReport}. */
  readonly alarms: { readonly serious: number; readonly warning: number };
  /** Whether the run keeps a model that Detect can open. */
  readonly hasModel: boolean;
}

/** GET /api/runs */
export interface RunList {
  /** Newest first. */
  readonly runs: readonly RunSummary[];
  /** Folders that look like runs and cannot be read, and why. */
  readonly problems: readonly { readonly id: RunId; readonly message: string }[];
}

/** A line of evaluations.jsonl with its numbers as they are; nested keys as in the file. */
export interface EvaluationRow {
  readonly step: number;
  readonly set: string;
  readonly domain: "in" | "out";
  readonly decoding: Decoding;
  readonly images: number;
  readonly responses: number;
  readonly precision: number | null;
  readonly recall: number | null;
  readonly f1: number | null;
  readonly at75: {
    readonly precision: number | null;
    readonly recall: number | null;
    readonly f1: number | null;
  };
  readonly ap: number | null;
  readonly ap50: number | null;
  readonly counting: {
    readonly mae: number | null;
    readonly rmse: number | null;
    readonly bias: number | null;
  };
  readonly strictShare: number | null;
  readonly truncatedShare: number | null;
  readonly meanTokens: number | null;
  readonly rewards: {
    readonly format: number | null;
    readonly accuracy: number | null;
    readonly look: number | null;
  };
  /** Everything else that the line holds (ties, benchmark, data, frame, ...). */
  readonly [key: string]: unknown;
}

/** GET /api/runs/:id */
export interface RunDetail extends RunSummary {
  /** The whole recipe, as in manifest.json. */
  readonly recipe: Readonly<Record<string, unknown>>;
  readonly labels: readonly string[];
  readonly prompt: string;
  readonly rewards?: RewardConfig;
  /** The recipe's file, and what was set over it. */
  readonly source: { readonly path: string; readonly set: readonly string[] };
  /** sha256 of each dataset by its place in the recipe (`train`, `eval.night`), of the model, of the code. */
  readonly fingerprints: Readonly<Record<string, string>>;
  readonly versions: Readonly<Record<string, string>>;
  readonly evaluations: readonly EvaluationRow[];
  readonly counts: {
    /** Lines of metrics.jsonl. */
    readonly metrics: number;
    /** Lines of rollouts.jsonl indexed so far. */
    readonly rollouts: number;
    readonly groups: number;
    /** Whether tokens.jsonl is there: probability, ratio and advantage by token. */
    readonly tokens: boolean;
  };
  /** Names of all columns that /metrics can give, flattened: `reward.mean`, `seconds.sample`. */
  readonly metricKeys: readonly string[];
}

/** GET /api/diff: two configurations, leaf by leaf. */
export interface ConfigDiff {
  readonly a: RunId;
  readonly b: RunId;
  /** Leaves of the recipe that are equal. */
  readonly same: number;
  /** Dotted path of each leaf that differs (`rewards.weights.look`); a side without the leaf is absent. Lists are leaves. */
  readonly changes: readonly { readonly path: string; readonly a?: unknown; readonly b?: unknown }[];
  /** The same of what is not the recipe: model, data, code, versions. */
  readonly facts: readonly { readonly path: string; readonly a?: string; readonly b?: string }[];
}
