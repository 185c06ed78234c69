/**
 * @file The wire between the studio's server and its page: every path, request, answer and event. The page imports these
 * as types, so nothing here may need Node. docs/studio.md says the same in prose.
 *
 * Paths (JSON unless said otherwise; all GET but the last). `:id` is a {@link RunId} by `encodeURIComponent`, as one segment.
 *
 *     /api/studio                          StudioInfo
 *     /api/runs                            RunList
 *     /api/runs/:id                        RunDetail
 *     /api/diff?a=ID&b=ID                  ConfigDiff
 *     /api/runs/:id/metrics                MetricColumns       MetricsQuery
 *     /api/runs/:id/alarms                 AlarmReport
 *     /api/runs/:id/groups                 GroupPage           GroupsQuery
 *     /api/runs/:id/group                  GroupDetail         ?step=&sample=
 *     /api/runs/:id/evaluations            EvaluationIndex
 *     /api/runs/:id/evaluations/images     EvaluationImages    EvaluationImagesQuery
 *     /api/runs/:id/evaluations/image      EvaluationHistory   ?set=&decoding=&image=
 *     /api/runs/:id/image                  image/png           ?set=&sample=   (set `train`, or a set of data.eval)
 *     /api/models                          ModelList
 *     /api/events                          text/event-stream of StudioEvent    ?run=ID (repeatable; default all)
 *     POST /api/detect                     application/x-ndjson of DetectEvent, one a line; body DetectRequest
 *
 * An answer that is no 2xx has the body {@link ApiFailure}. Numbers that are not finite are null.
 */
import type { CoordinateProfile } from "../../geometry/profiles.js";
import type { Grade } from "../../response/types.js";
import type { ExplainedResponse, RewardConfig } from "../../rewards/index.js";

/** A run's folder relative to the folder of runs, with `/` between: `start1`, `sweep/a`. */
export type RunId = string;

/** Why a request was refused; `hint` says what to do. */
export interface ApiFailure {
  readonly error: { readonly code: string; readonly message: string; readonly hint?: string };
}

/** [x1, y1, x2, y2]; the frame is that of the {@link Canvas} beside it. */
export type Corners = readonly [number, number, number, number];

/** What boxes are drawn on: the picture is stretched to `width` x `height`, whatever size its file has. */
export interface Canvas {
  readonly width: number;
  readonly height: number;
}

/* ------------------------------------------------------------------------------------------------------------ runs */

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

/** How responses were drawn. */
export type Decoding = "greedy" | "sampled";

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

/* --------------------------------------------------------------------------------------------------------- metrics */

/** Query of /metrics. */
export interface MetricsQuery {
  /** Rows that the page has already. @default 0 */
  readonly from?: number;
  /** The epoch those rows are of; where it is no longer the run's, rows come from 0. */
  readonly epoch?: number;
  /** Columns, by commas. @default all */
  readonly keys?: string;
}

/** GET /api/runs/:id/metrics: rows [from, to) by columns. */
export interface MetricColumns {
  /** Counts how often the file was cut back (a resumed run rewrites its unfinished stretch): other epoch, other rows. */
  readonly epoch: number;
  readonly from: number;
  /** Ask for `from=to&epoch=epoch` next. */
  readonly to: number;
  /** Step of each row. */
  readonly steps: readonly number[];
  /** By flattened key; null where a row has none. */
  readonly columns: Readonly<Record<string, readonly (number | null)[]>>;
}

/* ---------------------------------------------------------------------------------------------------------- alarms */

/** What can be wrong. */
export type AlarmKind =
  | "reward-flat"
  | "reward-cancelling"
  | "length-collapse"
  | "length-growth"
  | "entropy-collapse"
  | "parse-collapse"
  | "truncation"
  | "loops"
  | "frame"
  | "sampler-mismatch"
  | "kl-runaway"
  | "zero-variance"
  | "clipping"
  | "gradient"
  | "evaluation-drop";

/** One thing that is wrong, in words. */
export interface Alarm {
  readonly kind: AlarmKind;
  readonly severity: "serious" | "warning";
  /** A few words: "Responses get cut off". */
  readonly title: string;
  /** What was seen, in a sentence or two, with numbers. */
  readonly words: string;
  /** First step at which it held, and the last one. */
  readonly firstStep: number;
  readonly lastStep: number;
  /** Whether it still held at the last step of the run. */
  readonly ongoing: boolean;
  /** The numbers it rests on. */
  readonly evidence: readonly { readonly label: string; readonly value: number; readonly step?: number }[];
  /** Metric columns to show with it. */
  readonly keys: readonly string[];
  /** What to do. */
  readonly advice: string;
}

/** GET /api/runs/:id/alarms */
export interface AlarmReport {
  /** Steps looked at. */
  readonly steps: number;
  /** Serious first, then by first step. */
  readonly alarms: readonly Alarm[];
  /** What could not be looked at, and why ("fewer than 20 steps"). */
  readonly notes: readonly string[];
}

/* ---------------------------------------------------------------------------------------------------------- groups */

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

/** A grid over the canvas; `values` holds rows x columns bytes, row-major, 0 = none and 255 = the most, as base64. */
export interface HeatGrid {
  readonly columns: number;
  readonly rows: number;
  /** Side of a cell in units of the canvas. */
  readonly cell: number;
  readonly values: string;
}

/** A stretch of a response's text, [start, end) in UTF-16 units; stretches are in order and cover the whole text. */
export interface TextStretch {
  readonly start: number;
  readonly end: number;
  /** `tag` = one of the six tags itself; `stray` = text outside of all sections. */
  readonly kind: "think" | "look" | "answer" | "tag" | "stray";
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
export interface GroupResponse {
  /** Place in the group, from 0. */
  readonly index: number;
  readonly text: string;
  readonly stretches: readonly TextStretch[];
  readonly grade: Grade;
  readonly stopReason: string;
  readonly tokens: number;
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

/** Everything that is drawn of a picture's ground truth. */
export interface CanvasTruth {
  readonly objects: readonly { readonly box: Corners; readonly label: string }[];
  readonly ignore: readonly Corners[];
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

/* ----------------------------------------------------------------------------------------------------- evaluations */

/** GET /api/runs/:id/evaluations: what was judged, by set and decoding. */
export interface EvaluationIndex {
  readonly sets: readonly {
    readonly set: string;
    readonly domain: "in" | "out";
    readonly decoding: Decoding;
    /** Evaluated steps whose responses are kept, rising. */
    readonly steps: readonly number[];
    readonly images: number;
  }[];
}

/** Query of /evaluations/images. */
export interface EvaluationImagesQuery {
  readonly set: string;
  readonly decoding: Decoding;
  /** Part of the image's id. */
  readonly image?: string;
  readonly minObjects?: number;
  readonly maxObjects?: number;
  /** `change` = F1 of the last step less that of the first. @default "order", as judged */
  readonly sort?: "order" | "objects" | "-objects" | "f1" | "-f1" | "change" | "-change";
  /** @default 0 */
  readonly offset?: number;
  /** 1..500. @default 100 */
  readonly limit?: number;
}

/** GET /api/runs/:id/evaluations/images */
export interface EvaluationImages {
  readonly set: string;
  readonly decoding: Decoding;
  /** Evaluated steps, rising. */
  readonly steps: readonly number[];
  readonly total: number;
  readonly matching: number;
  readonly offset: number;
  readonly images: readonly {
    readonly id: string;
    readonly objects: number;
    /** Micro F1 over the image's responses at each of `steps`; null where it was not judged. */
    readonly f1: readonly (number | null)[];
  }[];
}

/** One response of an evaluation, on the canvas. */
export interface EvaluationResponse {
  readonly text: string;
  readonly stretches: readonly TextStretch[];
  readonly grade: Grade;
  readonly stopReason: string;
  readonly tokens: number;
  readonly regions: readonly Corners[];
  readonly answer: readonly {
    readonly box: Corners;
    readonly label?: string;
    /** Mean probability of the tokens of its numbers, where the sampler told. */
    readonly probability?: number;
  }[];
  /** Object that each answer box hit at IoU 0.5, -1 = none, -2 = in an ignore region. */
  readonly matches: readonly number[];
  readonly precision: number;
  readonly recall: number;
  readonly f1: number;
  readonly format: number;
  readonly accuracy: number;
  /** Absent for a single response. */
  readonly look?: number;
}

/** GET /api/runs/:id/evaluations/image: one picture through training. */
export interface EvaluationHistory {
  readonly run: RunId;
  readonly set: string;
  readonly decoding: Decoding;
  readonly image: string;
  /** Pixels of the original picture. */
  readonly canvas: Canvas;
  /** Path of the picture. */
  readonly picture: string;
  readonly truth: CanvasTruth;
  /** Rising. */
  readonly steps: readonly {
    readonly step: number;
    readonly responses: readonly EvaluationResponse[];
    /** Where the responses disagree; absent for a single one. */
    readonly heat?: HeatGrid;
  }[];
  /** Neighbours in the order judged, by id. */
  readonly previous: string | null;
  readonly next: string | null;
}

/* ---------------------------------------------------------------------------------------------------------- detect */

/** A model that Detect can ask. */
export interface StudioModel {
  /** For {@link DetectRequest.model}. */
  readonly id: string;
  readonly title: string;
  /** `run` = a run's result, `shipped` = comes with this package, `option` = given by --model, `server` = served (--engine openai). */
  readonly from: "run" | "shipped" | "option" | "server";
  readonly run?: RunId;
  readonly engine: "local" | "openai";
  readonly prompt: string;
  readonly labels: readonly string[];
  readonly profile: CoordinateProfile;
  /** Bytes of weights, where they are here. */
  readonly bytes?: number;
  /** Whether tokens come as they are sampled; else responses come when they are finished. */
  readonly streams: boolean;
}

/** GET /api/models; the first is the best guess. */
export interface ModelList {
  readonly models: readonly StudioModel[];
  /** Detections running or waiting. */
  readonly busy: number;
}

/** Body of POST /api/detect (content-type application/json). */
export interface DetectRequest {
  readonly model: string;
  /** A picture's file (PNG, JPEG, WebP, AVIF, TIFF or GIF) as base64, or a sample of a run. */
  readonly image:
    { readonly base64: string } | { readonly run: RunId; readonly set: string; readonly sample: string };
  /** Responses: 1 at temperature 0 is greedy. 1..32. @default 1 */
  readonly samples?: number;
  /** 0..2. @default 0 for one response, 1 for several */
  readonly temperature?: number;
  /** 1..4096. @default 256 */
  readonly maxTokens?: number;
  /** @default 0 */
  readonly seed?: number;
  /** @default the model's own */
  readonly labels?: readonly string[];
}

/** What was detected in one response; boxes in pixels of the original picture. */
export interface DetectResponse {
  readonly index: number;
  readonly text: string;
  readonly stretches: readonly TextStretch[];
  readonly grade: Grade;
  readonly stopReason: string;
  readonly tokens: number;
  readonly regions: readonly Corners[];
  readonly answer: readonly {
    readonly box: Corners;
    readonly label?: string;
    /** Mean probability of the tokens of its numbers, where the sampler told. */
    readonly probability?: number;
  }[];
}

/** A line of the answer to POST /api/detect, in this order: opened, (text | response)*, consensus?, done | failed. */
export type DetectEvent =
  /** The work was taken; `waiting` others are before it. */
  | { readonly event: "queued"; readonly waiting: number }
  /** The model is open and the picture read. `canvas` is in pixels of the original. */
  | { readonly event: "opened"; readonly model: string; readonly canvas: Canvas }
  /** Text that a response grew by; the boxes complete by now, for showing them as they come. */
  | {
      readonly event: "text";
      readonly index: number;
      readonly delta: string;
      readonly regions: readonly Corners[];
      readonly answer: readonly Corners[];
    }
  | { readonly event: "response"; readonly response: DetectResponse }
  /** Several responses fused: `share` = how many of them hold the instance, 0..1. */
  | {
      readonly event: "consensus";
      readonly instances: readonly {
        readonly box: Corners;
        readonly label?: string;
        readonly share: number;
      }[];
      /** Where they disagree. */
      readonly heat: HeatGrid;
      /** Instances a response, each response. */
      readonly counts: readonly number[];
    }
  | { readonly event: "done"; readonly seconds: number; readonly tokens: number }
  | { readonly event: "failed"; readonly error: ApiFailure["error"] };

/* ---------------------------------------------------------------------------------------------------------- events */

/**
 * Server-sent events: `event:` is the `type`, `data:` the whole object as JSON, `id:` a place to resume from. The browser's
 * EventSource comes back by itself with the last id, and misses nothing: what happened meanwhile is sent again, or, where
 * the server no longer knows (it was started anew), `reset` says to load everything again. A comment comes every 15 s.
 */
export type StudioEvent =
  /** First of every connection that does not resume. */
  | { readonly type: "hello"; readonly version: string }
  /** Resuming was not possible: load again what is shown. */
  | { readonly type: "reset" }
  /** A run is new, or its summary changed (step, status, headlines, alarms). */
  | { readonly type: "run"; readonly run: RunSummary }
  /** A run's folder is gone. */
  | { readonly type: "gone"; readonly id: RunId }
  /** Lines were appended to metrics.jsonl: rows [from, to) by columns, or a new epoch with all rows to be asked for (`to` < what the page has). */
  | ({ readonly type: "metrics"; readonly id: RunId } & MetricColumns)
  /** An evaluation was finished. */
  | { readonly type: "evaluation"; readonly id: RunId; readonly row: EvaluationRow }
  /** Groups were appended to rollouts.jsonl, or it was cut back (epoch). */
  | {
      readonly type: "groups";
      readonly id: RunId;
      readonly epoch: number;
      readonly total: number;
      readonly step: number;
    };
