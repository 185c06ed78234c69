/** @file A chart for a paper: its visible stretch with axes, title and legend, as shapes. Pure. */
import { tick } from "../format.js";
import { linearRange, logRange } from "./axis-range.js";
import type { ChartData, Line } from "./chart-data.js";
import { decimate } from "./decimate.js";
import type { Stretch } from "./link.js";
import type { Scene, Shape } from "./scene.js";
import type { Values } from "./smooth.js";
import type { ChartSpec } from "./specs.js";

/** Colours by what they are for. */
export interface SceneColors {
  readonly background: string;
  readonly ink: string;
  readonly muted: string;
  readonly grid: string;
  readonly series: (name: Line["color"]) => string;
}

/** What to draw. */
export interface ChartSceneOptions {
  readonly spec: ChartSpec;
  readonly data: ChartData;
  readonly stretch: Stretch;
  readonly log: boolean;
  /** Recorded values behind smoothed ones. */
  readonly raw: boolean;
  readonly colors: SceneColors;
  /** @default 720 */
  readonly width?: number;
  /** @default 400 */
  readonly height?: number;
}

/** Round numbers that cover a range: 1, 2 or 5 times a power of ten. */
export function niceTicks(low: number, high: number, about: number): number[] {
  if (!(high > low)) return [low];
  const rough = (high - low) / about;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5].find((factor) => factor * power >= rough) ?? 10);
  const ticks: number[] = [];
  // By whole numbers: added-up steps would drift.
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high + 1e-9 * step; i++)
    ticks.push(Number((i * step).toPrecision(12)));
  return ticks;
}

/** Powers of ten in a range; where there are fewer than two, round numbers in between. */
export function logTicks(low: number, high: number): number[] {
  const ticks: number[] = [];
  // By its decimal form: 10 ** -5 is not quite 1e-5.
  for (let power = Math.ceil(Math.log10(low) - 1e-9); ; power++) {
    const value = Number(`1e${power}`);
    if (!(value <= high * (1 + 1e-9))) break;
    ticks.push(value);
  }
  return ticks.length < 2 ? niceTicks(low, high, 5) : ticks;
}

/** Pieces of a curve between its gaps. */
function pieces(
  values: Values,
  indexes: readonly number[],
  px: (i: number) => number,
  py: (y: number) => number,
): [number, number][][] {
  const out: [number, number][][] = [];
  let piece: [number, number][] = [];
  for (const i of indexes) {
    const value = values[i];
    if (value === undefined) continue;
    if (value === null) {
      if (piece.length > 0) out.push(piece);
      piece = [];
    } else piece.push([px(i), py(value)]);
  }
  if (piece.length > 0) out.push(piece);
  return out;
}

function yRange({ spec, log }: ChartSceneOptions, values: readonly Values[], indexes: readonly number[]) {
  let low = Infinity;
  let high = -Infinity;
  for (const curve of values)
    for (const i of indexes) {
      const value = curve[i];
      if (typeof value !== "number") continue;
      low = Math.min(low, value);
      high = Math.max(high, value);
    }
  if (spec.stacked === true) low = Math.min(low, 0);
  if (low > high) return log ? logRange(null, null) : linearRange(null, null);
  if (log) return logRange(low, high);
  return spec.range ?? linearRange(low, high);
}

/** Puts the chart together. */
export function chartScene(options: ChartSceneOptions): Scene {
  const { spec, data, stretch, log, raw, colors, width = 720, height = 400 } = options;
  const { x, lines, axis } = data;
  const [from, to] = stretch ?? [x[0] ?? 0, x.at(-1) ?? 1];
  const start = Math.max(
    0,
    x.findIndex((value) => value >= from),
  );
  const end = x.findLastIndex((value) => value <= to) + 1;
  const drawn = lines.flatMap(({ values, low, high, raw: own }) => [
    values,
    ...(low && high ? [low, high] : []),
    ...(raw ? [own] : []),
  ]);
  const indexes = decimate(drawn, start, end, 2000);
  const [bottom, top] = yRange(options, drawn, indexes);
  const left = 64;
  const right = width - 20;
  const legendRows = Math.ceil(lines.length / 4);
  const head = 40;
  const foot = height - 46 - 20 * legendRows;
  const scale = log ? Math.log10 : (value: number) => value;
  const px = (value: number) => left + ((value - from) / (to - from || 1)) * (right - left);
  const py = (value: number) =>
    foot - ((scale(value) - scale(bottom)) / (scale(top) - scale(bottom) || 1)) * (foot - head);
  const shapes: Shape[] = [
    {
      kind: "text",
      x: left,
      y: 24,
      text: spec.title,
      anchor: "start",
      size: 15,
      fill: colors.ink,
      bold: true,
    },
  ];
  const rule = (a: readonly [number, number], b: readonly [number, number], stroke: string): Shape => ({
    kind: "line",
    pieces: [[a, b]],
    stroke,
    width: 1,
  });
  for (const value of log ? logTicks(bottom, top) : niceTicks(bottom, top, 6))
    shapes.push(rule([left, py(value)], [right, py(value)], colors.grid), {
      kind: "text",
      x: left - 8,
      y: py(value) + 4,
      text: tick(value),
      anchor: "end",
      size: 12,
      fill: colors.muted,
    });
  for (const value of niceTicks(from, to, 8))
    shapes.push({
      kind: "text",
      x: px(value),
      y: foot + 18,
      text: tick(value),
      anchor: "middle",
      size: 12,
      fill: colors.muted,
    });
  shapes.push(rule([left, foot], [right, foot], colors.muted), {
    kind: "text",
    x: (left + right) / 2,
    y: foot + 36,
    text: axis === "step" ? "Step" : "Minutes of training",
    anchor: "middle",
    size: 12,
    fill: colors.muted,
  });

  const at = (i: number) => px(x[i]!);
  // Areas first, so that no curve hides under one.
  let below: Values | undefined;
  for (const line of lines) {
    const fill = colors.series(line.color);
    const [low, high, opacity] =
      spec.stacked === true ? [below, line.values, 0.4] : [line.low, line.high, 0.16];
    below = line.values;
    if (high === undefined || (low === undefined && spec.stacked !== true)) continue;
    const shown = indexes.filter(
      (i) => typeof high[i] === "number" && (low === undefined || typeof low[i] === "number"),
    );
    if (shown.length < 2) continue;
    shapes.push({
      kind: "area",
      points: [
        ...shown.map((i) => [at(i), py(high[i]!)] as const),
        ...shown.toReversed().map((i) => [at(i), py(low?.[i] ?? bottom)] as const),
      ],
      fill,
      opacity,
    });
  }
  for (const line of lines) {
    const stroke = colors.series(line.color);
    if (raw)
      shapes.push({
        kind: "line",
        pieces: pieces(line.raw, indexes, at, py),
        stroke,
        width: 1,
        opacity: 0.3,
      });
    shapes.push({
      kind: "line",
      pieces: pieces(line.values, indexes, at, py),
      stroke,
      width: 1.75,
      dash: line.dash,
    });
  }
  const column = (right - left) / Math.min(4, Math.max(1, lines.length));
  for (const [n, { label, color, dash }] of lines.entries()) {
    const lx = left + (n % 4) * column;
    const ly = foot + 60 + 20 * Math.floor(n / 4);
    const room = Math.floor((column - 40) / 6.5);
    shapes.push(
      {
        kind: "line",
        pieces: [
          [
            [lx, ly - 4],
            [lx + 24, ly - 4],
          ],
        ],
        stroke: colors.series(color),
        width: 2,
        dash,
      },
      {
        kind: "text",
        x: lx + 30,
        y: ly,
        text: label.length > room ? `${label.slice(0, room - 1)}…` : label,
        anchor: "start",
        size: 12,
        fill: colors.ink,
      },
    );
  }
  return { width, height, background: colors.background, shapes };
}

/** Rows of the visible stretch: as recorded, the spread, and smoothed where it is. */
export function* chartRows(
  { x, axis, lines }: ChartData,
  stretch: Stretch,
  smoothed: boolean,
): Generator<(string | number | null | undefined)[]> {
  yield [
    axis === "step" ? "step" : "minutes",
    ...lines.flatMap(({ label, spread }) => [
      label,
      ...(spread ? [`${label} (standard deviation)`] : []),
      ...(smoothed ? [`${label} (smoothed)`] : []),
    ]),
  ];
  for (const [i, at] of x.entries()) {
    if (stretch && (at < stretch[0] || at > stretch[1])) continue;
    yield [
      at,
      ...lines.flatMap(({ raw, spread, values }) => [
        raw[i],
        ...(spread ? [spread[i]] : []),
        ...(smoothed ? [values[i]] : []),
      ]),
    ];
  }
}
