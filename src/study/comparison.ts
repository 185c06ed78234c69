/** @file What a comparison of policies is: numbers with intervals, by set and decoding; what tables and reports are drawn from. */
import type { DifferenceInterval, Interval } from "../metrics/index.js";

/** The metrics of a comparison, in the order they are shown. */
export const comparedMetrics = [
  { key: "precision", title: "precision", better: "up" },
  { key: "recall", title: "recall", better: "up" },
  { key: "f1", title: "F1", better: "up" },
  { key: "ap50", title: "AP50", better: "up" },
  { key: "countError", title: "count err", better: "down" },
  { key: "formatRate", title: "format", better: "up" },
] as const;

/** One of {@link comparedMetrics}. */
export type ComparedMetric = (typeof comparedMetrics)[number]["key"];

/** `greedy` = temperature 0; `sampled` = temperature 1, over several responses an image. */
export type Decoding = "greedy" | "sampled";

/** Numbers of one policy on one set; a metric that was not measured is absent. */
export type MetricRow = Partial<Record<ComparedMetric, Interval>>;

/** All policies on one set under one decoding. */
export interface ComparisonRow {
  readonly set: string;
  /** `in` = the domain trained on. */
  readonly domain: "in" | "out";
  readonly decoding: Decoding;
  readonly images: number;
  /** In the order of {@link Comparison.policies}. */
  readonly policies: readonly MetricRow[];
  /** The last policy less the first, paired by image; absent where there is one policy. */
  readonly change?: Partial<Record<ComparedMetric, DifferenceInterval>>;
}

/** A comparison of policies on sets. */
export interface Comparison {
  /** For instance `before` and `after`, or `base`, `SFT` and `DIP-R1`. */
  readonly policies: readonly string[];
  readonly rows: readonly ComparisonRow[];
  /** Where the scores behind AP come from (design, 4.6). */
  readonly scoreSource?: string;
  /** Share of resamples inside an interval. @default 0.95 */
  readonly level?: number;
}

/** Whether a change is for the better, for the worse, or within its interval of nothing. */
export function verdictOf(
  metric: ComparedMetric,
  change: DifferenceInterval,
): "better" | "worse" | "unclear" {
  const up = comparedMetrics.find(({ key }) => key === metric)!.better === "up";
  if (change.low > 0) return up ? "better" : "worse";
  if (change.high < 0) return up ? "worse" : "better";
  return "unclear";
}
