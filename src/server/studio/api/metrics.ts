/** @file Curves: rows of metrics.jsonl by columns. */

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
