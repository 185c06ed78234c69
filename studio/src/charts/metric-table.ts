/**
 * @file The numbers of a run's steps as the page holds them: columns that grow in place, so that a live run of thousands
 * of steps is not copied at each one. `version` counts changes; views compare it.
 */
import type { MetricColumns } from "../../../src/server/studio/api.js";

/** Rows so far, by columns; every column has as many entries as `steps`. */
export interface MetricTable {
  readonly epoch: number;
  readonly steps: number[];
  readonly columns: Record<string, (number | null)[]>;
  version: number;
}

/** A table without rows. */
export function emptyTable(epoch: number): MetricTable {
  return { epoch, steps: [], columns: {}, version: 0 };
}

/**
 * Adds rows to a table, in place.
 * @param incoming An answer of /metrics, or the like by event.
 * @returns `added`; `known` where the table had all of them; `ask` where rows are missing in between or the epoch is
 * another, so that the server has to be asked.
 */
export function addRows(table: MetricTable, incoming: MetricColumns): "added" | "known" | "ask" {
  const have = table.steps.length;
  if (incoming.epoch !== table.epoch || incoming.from > have || incoming.to < have) return "ask";
  const skip = have - incoming.from;
  if (skip >= incoming.steps.length) return "known";
  for (const step of incoming.steps.slice(skip)) table.steps.push(step);
  for (const key of Object.keys(incoming.columns)) {
    const column = (table.columns[key] ??= Array.from({ length: have }, () => null));
    for (const value of incoming.columns[key]!.slice(skip)) column.push(value);
  }
  for (const column of Object.values(table.columns))
    while (column.length < table.steps.length) column.push(null);
  table.version++;
  return "added";
}

/** A table of an answer with all rows. */
export function tableOf(columns: MetricColumns): MetricTable {
  const table = emptyTable(columns.epoch);
  addRows(table, { ...columns, from: 0 });
  return table;
}
