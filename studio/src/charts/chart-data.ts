/** @file From tables of metrics to what one chart draws: one axis for all runs, smoothing, bands, stacks. Pure. */
import { number, percent, duration } from "../format.js";
import type { MetricTable } from "./metric-table.js";
import { smooth, type Values } from "./smooth.js";
import type { ChartSpec, Unit } from "./specs.js";

/** What the x axis counts: optimiser steps, or minutes of training. */
export type Axis = "step" | "minutes";

/** A run on the charts. */
export interface ChartRun {
  /** How it is named in legends; text of the run's own. */
  readonly label: string;
  readonly table: MetricTable;
}

/** A curve ready to draw; all arrays go with the chart's `x`. */
export interface Line {
  readonly label: string;
  /** Token of its colour. */
  readonly color: `--series-${string}`;
  /** Strokes and gaps, CSS pixels; none = a whole line. */
  readonly dash: readonly number[];
  /** As drawn: smoothed, stacked, without what a logarithm cannot show. */
  readonly values: Values;
  /** As recorded. */
  readonly raw: Values;
  /** Ends of the band around `values`. */
  readonly low?: Values;
  readonly high?: Values;
  /** Standard deviation, as recorded; what the band was made of. */
  readonly spread?: Values;
}

/** Everything a chart draws. */
export interface ChartData {
  readonly axis: Axis;
  /** Rising, without repeats. */
  readonly x: readonly number[];
  readonly lines: readonly Line[];
}

/** How to draw. */
export interface ChartStyle {
  readonly axis: Axis;
  /** {@link smooth} */
  readonly smoothing: number;
  readonly spread: boolean;
  readonly log: boolean;
}

/** Dashes tell curves apart where colours do not. */
const DASHES: readonly (readonly number[])[] = [[], [7, 3], [3, 2], [10, 3, 2, 3], [5, 2], [2, 4]];

/** Places of one run's rows on the axis that all runs share. */
interface Placed {
  /** Index on the axis of each row; nothing where they are the same. */
  readonly at?: Int32Array;
}

function axisOf({ table }: ChartRun, axis: Axis): readonly number[] {
  if (axis === "step") return table.steps;
  let before = -1;
  return table.steps.map((_, row) => {
    // Never falling, never twice: what uPlot asks of an axis.
    const minutes = (table.columns.trainedSeconds?.[row] ?? 0) / 60;
    before = Math.max(minutes, before + 1e-6);
    return before;
  });
}

/** One axis for all runs. */
export function shareAxis(runs: readonly ChartRun[], axis: Axis): { x: readonly number[]; placed: Placed[] } {
  const own = runs.map((run) => axisOf(run, axis));
  if (own.length === 1) return { x: own[0]!, placed: [{}] };
  const x = [...new Set(own.flat())].toSorted((a, b) => a - b);
  const index = new Map(x.map((value, i) => [value, i]));
  return { x, placed: own.map((values) => ({ at: Int32Array.from(values, (value) => index.get(value)!) })) };
}

/** A column on the shared axis: undefined where the run has no row, so that its line goes on over the gap. */
function place(column: Values, { at }: Placed, length: number): Values {
  if (at === undefined) return column;
  const out: (number | null | undefined)[] = Array.from({ length });
  for (const [row, value] of column.entries()) out[at[row]!] = value;
  return out;
}

const combine = (a: Values, b: Values, f: (x: number, y: number) => number): Values =>
  a.map((x, i) => {
    const y = b[i];
    return x === null || x === undefined ? x : y === null || y === undefined ? null : f(x, y);
  });

/** A logarithm shows nothing at 0 and below. */
const positive = (values: Values): Values =>
  values.map((value) => (typeof value === "number" && value <= 0 ? null : value));

/**
 * What a chart draws of some runs. Runs without a column leave its curve out.
 * @param shared Of {@link shareAxis}, made once for all charts.
 */
export function chartData(
  spec: ChartSpec,
  runs: readonly ChartRun[],
  shared: ReturnType<typeof shareAxis>,
  style: ChartStyle,
): ChartData {
  const { x, placed } = shared;
  const several = runs.length > 1;
  const lines: Line[] = [];
  let base: Values | undefined;
  for (const [r, { label, table }] of runs.entries())
    for (const [c, curve] of spec.curves.entries()) {
      const column = table.columns[curve.key];
      if (column === undefined) continue;
      const fit = (values: Values) => place(values, placed[r]!, x.length);
      const smoothed = smooth(column, style.smoothing);
      const raw = fit(column);
      let values = fit(smoothed);
      let band: Pick<Line, "low" | "high" | "spread"> = {};
      const std = curve.spread === undefined ? undefined : table.columns[curve.spread];
      if (std && style.spread) {
        const around = fit(smooth(std, style.smoothing));
        const low = combine(values, around, (mean, spread) => mean - spread);
        const high = combine(values, around, (mean, spread) => mean + spread);
        band = { low: style.log ? positive(low) : low, high, spread: fit(std) };
      }
      if (spec.stacked === true && !several) {
        values = base === undefined ? values : combine(values, base, (own, below) => own + below);
        base = values;
      } else if (style.log) values = positive(values);
      lines.push({
        label: several ? label : curve.label,
        color: several ? `--series-${(r % 6) + 1}` : curve.color,
        dash: spec.stacked === true && !several ? [] : DASHES[(several ? r : c) % DASHES.length]!,
        values,
        raw,
        ...band,
      });
    }
  return { axis: style.axis, x, lines };
}

/** A value in the chart's unit. */
export function written(value: number | null | undefined, unit: Unit): string {
  if (unit === "share") return percent(value);
  return unit === "seconds" && typeof value === "number" ? duration(value) : number(value);
}

/** A place on the axis in words. */
export function placeWords(x: number, axis: Axis): string {
  return axis === "step" ? `Step ${x}` : `${x.toFixed(1)} min`;
}

/** The newest index at or before `index` at which a line has a value; -1 for none. */
export function lastKnown({ raw }: Line, index: number): number {
  for (let i = Math.min(index, raw.length - 1); i >= 0; i--) if (typeof raw[i] === "number") return i;
  return -1;
}

/** What a line says at a place of the axis: the value recorded, its spread, and what smoothing makes of it. */
export function valueWords(
  line: Line,
  index: number,
  unit: Unit,
  { smoothed }: { smoothed: boolean },
): string {
  const value = line.raw[index];
  if (typeof value !== "number") return written(undefined, unit);
  const parts = [written(value, unit)];
  const spread = line.spread?.[index];
  if (typeof spread === "number") parts.push(`± ${written(spread, unit)}`);
  if (smoothed) parts.push(`(smoothed ${written(line.values[index], unit)})`);
  return parts.join(" ");
}

/** A curve in a sentence, for who cannot see it. */
export function lineWords(line: Line, { x, axis }: ChartData, unit: Unit): string {
  let first = -1;
  let last = -1;
  let low = -1;
  let high = -1;
  for (const [i, value] of line.raw.entries()) {
    if (typeof value !== "number") continue;
    if (first < 0) first = i;
    last = i;
    if (low < 0 || value < line.raw[low]!) low = i;
    if (high < 0 || value > line.raw[high]!) high = i;
  }
  if (first < 0) return `${line.label}: no values.`;
  const at = (i: number) => `${written(line.raw[i], unit)} at ${placeWords(x[i]!, axis).toLowerCase()}`;
  return `${line.label}: from ${at(first)} to ${at(last)}; lowest ${at(low)}, highest ${at(high)}.`;
}
