/** @file A run's numbers and settings in the portions that MLflow takes, under the names that it takes. */
import type { Param } from "../flatten.js";
import type { RunPoint } from "../run-record.js";

/** Of one log-batch call (MLflow's REST API). */
export const MLFLOW_LIMITS = {
  metrics: 1000,
  params: 100,
  tags: 100,
  /** Metrics, params and tags together. */
  entities: 1000,
  /** Characters. */
  key: 250,
  paramValue: 6000,
} as const;

/** One number. */
export interface MlflowMetric {
  readonly key: string;
  readonly value: number;
  /** Milliseconds since 1970. */
  readonly timestamp: number;
  readonly step: number;
}

/** Numbers of one call, and how many of the run's points are with the server when it was taken. */
export interface MetricBatch {
  readonly metrics: readonly MlflowMetric[];
  readonly points: number;
}

/** Letters, digits, `_ - . : /` and spaces; no part of a path that a file system would read as another path. */
export function mlflowKey(name: string): string {
  return name
    .replaceAll(/[^\w\-.:/ ]/g, "_")
    .split("/")
    .map((part) => (/^\.*$/.test(part) ? "_" : part))
    .join("/")
    .slice(0, MLFLOW_LIMITS.key);
}

/** Points from the `from`-th on, whole ones together as far as they fit; one place is left for a tag. */
export function metricBatches(points: readonly RunPoint[], from = 0): MetricBatch[] {
  const size = Math.min(MLFLOW_LIMITS.metrics, MLFLOW_LIMITS.entities - 1);
  const batches: MetricBatch[] = [];
  let open: MlflowMetric[] = [];
  for (const [index, { values, time, step }] of points.entries()) {
    if (index < from) continue;
    const metrics = Object.entries(values).map(([name, value]) => ({
      key: mlflowKey(name),
      value,
      timestamp: Math.round(1000 * time),
      step,
    }));
    if (open.length > 0 && open.length + metrics.length > size) {
      batches.push({ metrics: open, points: index });
      open = [];
    }
    open.push(...metrics);
    // A point too large for one call is with the server when its last piece is.
    while (open.length > size) batches.push({ metrics: open.splice(0, size), points: index });
  }
  if (open.length > 0) batches.push({ metrics: open, points: points.length });
  return batches;
}

/** Settings, a hundred a call; what is longer than MLflow keeps is cut and ends in three dots. */
export function paramBatches(
  params: Readonly<Record<string, Param>>,
): { readonly key: string; readonly value: string }[][] {
  const { params: size, paramValue: longest } = MLFLOW_LIMITS;
  const all = Object.entries(params).map(([name, value]) => {
    const text = String(value);
    return {
      key: mlflowKey(name),
      value: text.length > longest ? `${text.slice(0, longest - 3)}...` : text,
    };
  });
  return Array.from({ length: Math.ceil(all.length / size) }, (_, i) => all.slice(i * size, (i + 1) * size));
}
