/** @file Server-sent events. */
import type { RunId } from "./common.js";
import type { MetricColumns } from "./metrics.js";
import type { EvaluationRow, RunSummary } from "./runs.js";

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
