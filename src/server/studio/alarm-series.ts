/** @file The arithmetic of alarms: smoothing, trends between the ends of a run, and stretches in which something holds. */
import type { Column } from "./metric-rows.js";

/** Trailing means over `window` rows; null where fewer than half of them are known. */
export function smooth(column: Column, window: number): (number | null)[] {
  let [sum, known] = [0, 0];
  return column.map((value, i) => {
    if (value !== null) {
      sum += value;
      known++;
    }
    const left = i >= window ? column[i - window]! : null;
    if (left !== null) {
      sum -= left;
      known--;
    }
    return 2 * known >= Math.min(window, i + 1) && known > 0 ? sum / known : null;
  });
}

/** How a column changed between the first and the last third of a run. */
export interface Trend {
  readonly first: number;
  readonly last: number;
  readonly change: number;
  /** Standard error of the change, from the spread of the rows. */
  readonly error: number;
}

function moments(values: readonly number[]): { mean: number; variance: number; count: number } {
  const count = values.length;
  const mean = values.reduce((sum, value) => sum + value, 0) / count;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / Math.max(1, count - 1);
  return { mean, variance, count };
}

/** The trend of a column; nothing where a third holds fewer than 5 numbers. */
export function trendOf(column: Column): Trend | undefined {
  const third = Math.floor(column.length / 3);
  const known = (part: Column) => part.filter((value) => value !== null);
  const [a, b] = [known(column.slice(0, third)), known(column.slice(column.length - third))];
  if (a.length < 5 || b.length < 5) return undefined;
  const [first, last] = [moments(a), moments(b)];
  return {
    first: first.mean,
    last: last.mean,
    change: last.mean - first.mean,
    error: Math.sqrt(first.variance / first.count + last.variance / last.count),
  };
}

/** Rows [first, last] from the first stretch in which something held to the last. */
export interface Held {
  readonly first: number;
  readonly last: number;
  /** Whether it held at the last row. */
  readonly ongoing: boolean;
}

/** When something held for at least `rows` rows on end; nothing where it never did. */
export function heldFor(holds: readonly boolean[], rows: number): Held | undefined {
  let [first, last, since] = [-1, -1, -1];
  for (let i = 0; i <= holds.length; i++) {
    if (holds[i] === true) {
      if (since < 0) since = i;
      continue;
    }
    if (since >= 0 && i - since >= rows) {
      if (first < 0) first = since;
      last = i - 1;
    }
    since = -1;
  }
  return first < 0 ? undefined : { first, last, ongoing: last === holds.length - 1 };
}
