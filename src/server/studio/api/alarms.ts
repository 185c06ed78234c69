/** @file Alarms: what is wrong with a run, in words. */

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
