/** @file metrics.jsonl by columns: nested numbers under dotted keys, one entry a line. */
import type { MetricColumns } from "./api.js";
import { createLineTail, eachLine, type LineTail } from "./line-tail.js";

/** A column: one value a row, null where the row has none. */
export type Column = readonly (number | null)[];

/** The rows of a run's metrics so far. */
export interface MetricRows {
  readonly tail: LineTail;
  readonly steps: readonly number[];
  readonly columns: ReadonlyMap<string, Column>;
  /** Rows [from, ...) of some columns. @param keys @default all */
  slice(from: number, keys?: readonly string[]): MetricColumns;
}

/** Calls with every number of a value and its dotted key; what is no number is passed over. */
export function eachNumber(
  value: unknown,
  visit: (key: string, number: number | null) => void,
  path = "",
): void {
  if (typeof value === "number") visit(path, Number.isFinite(value) ? value : null);
  // JSON has no NaN: null stands for it.
  else if (value === null) visit(path, null);
  else if (typeof value === "object" && !Array.isArray(value))
    for (const [key, inner] of Object.entries(value))
      eachNumber(inner, visit, path === "" ? key : `${path}.${key}`);
}

/** Follows a run's metrics.jsonl. @param root the run's real folder */
export function createMetricRows(root: string): MetricRows {
  const steps: number[] = [];
  const columns = new Map<string, (number | null)[]>();
  const add = (line: unknown) => {
    const row = steps.length;
    steps.push((line as { step?: unknown } | null)?.step as number);
    eachNumber(line, (key, value) => {
      if (key === "step" || key === "") return;
      let column = columns.get(key);
      if (column === undefined) columns.set(key, (column = []));
      while (column.length < row) column.push(null);
      column[row] = value;
    });
  };
  const tail = createLineTail(root, ["metrics.jsonl"], {
    reset() {
      steps.length = 0;
      columns.clear();
    },
    take(lines) {
      eachLine(lines, (start, end) => {
        try {
          const line = JSON.parse(lines.toString("utf8", start, end)) as { step?: unknown } | null;
          if (typeof line?.step === "number") add(line);
        } catch {
          // A line that was torn by a kill says nothing; those after it do.
        }
      });
      for (const column of columns.values()) while (column.length < steps.length) column.push(null);
    },
  });
  return {
    tail,
    steps,
    columns,
    slice(from, keys) {
      const names = keys ?? [...columns.keys()];
      return {
        epoch: tail.epoch,
        from,
        to: steps.length,
        steps: steps.slice(from),
        columns: Object.fromEntries(
          names.flatMap((key) => {
            const column = columns.get(key);
            return column === undefined ? [] : [[key, column.slice(from)]];
          }),
        ),
      };
    },
  };
}
