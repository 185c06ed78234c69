/**
 * @file A chart on a canvas by uPlot. It is made once for a structure (curves, bands, axis, theme) and then only fed:
 * new rows and other smoothing go through `setData`, a zoom through `setScale`, the pointer moves plain elements.
 */
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { tick } from "../format.js";
import { linearRange, logRange } from "./axis-range.js";
import { token } from "../theme.js";
import type { ChartData } from "./chart-data.js";
import type { ChartLink, Linked, Stretch } from "./link.js";
import type { ChartSpec } from "./specs.js";

/** A stretch of steps that something is to be said about; shaded. */
export interface ChartMark {
  readonly from: number;
  readonly to: number;
}

/** What a chart is made with. */
export interface PlotOptions {
  readonly spec: ChartSpec;
  readonly log: boolean;
  /** Raw values behind smoothed ones. */
  readonly raw: boolean;
  readonly link: ChartLink;
  readonly height: number;
  readonly marks: () => readonly ChartMark[];
  /** The pointer is at this index of the axis; null = it has left. */
  readonly onPoint: (index: number | null) => void;
}

/** A chart that is shown. */
export interface Plot extends Linked {
  /** Other numbers of the same structure. */
  feed(data: ChartData): void;
  resize(width: number, height: number): void;
  redraw(): void;
  destroy(): void;
}

/** What makes a chart another one, rather than the same with other numbers. */
export function structureOf({ axis, lines }: ChartData): string {
  return JSON.stringify([
    axis,
    lines.map(({ label, color, dash, low }) => [label, color, dash, low !== undefined]),
  ]);
}

/** Arrays in the order of the series: for each line its band's ends, its raw values, itself. */
function arrays({ x, lines }: ChartData, raw: boolean): uPlot.AlignedData {
  const series = lines.flatMap((line) => [
    ...(line.low && line.high ? [line.high, line.low] : []),
    ...(raw ? [line.raw] : []),
    line.values,
  ]);
  // uPlot's types ask for mutable arrays; it does not change them.
  return [x, ...series] as unknown as uPlot.AlignedData;
}

function seriesOf({ lines }: ChartData, { spec, raw }: PlotOptions, points: boolean) {
  const series: uPlot.Series[] = [{}];
  const bands: uPlot.Band[] = [];
  let below: number | undefined;
  for (const { color, dash, low } of lines) {
    const stroke = token(color);
    if (low) {
      const hidden = { stroke: "transparent", width: 0, points: { show: false } };
      series.push(hidden, { ...hidden });
      bands.push({
        series: [series.length - 2, series.length - 1],
        fill: `${stroke}${lines.length > 3 ? "14" : "26"}`,
      });
    }
    if (raw) series.push({ stroke: `${stroke}4d`, width: 1, points: { show: false } });
    const stacked = spec.stacked === true;
    series.push({
      stroke,
      width: 1.75,
      dash: [...dash],
      points: { show: points, size: 5, fill: stroke },
      ...(stacked && below === undefined && { fill: `${stroke}66` }),
    });
    const self = series.length - 1;
    if (stacked && below !== undefined) bands.push({ series: [self, below], fill: `${stroke}66` });
    below = self;
  }
  return { series, bands };
}

/** Room for the labels of the y axis. */
const labelRoom = (values: readonly string[] | null) =>
  14 + 6.6 * Math.max(3, ...(values ?? []).map((value) => value.length));

/** Dashes that are told from each other; in a thicket of points they are not, and cost the most of all drawing. */
function thinDashes(plot: uPlot, dashes: readonly (readonly number[])[]): void {
  const { min = 0, max = 0 } = plot.scales.x!;
  const shown = plot.valToIdx(max) - plot.valToIdx(min);
  const dense = shown > 2 * plot.over.clientWidth;
  for (const [i, dash] of dashes.entries()) plot.series[i]!.dash = dense ? [] : [...dash];
}

/** Shades the marked stretches behind the curves. */
function drawMarks(plot: uPlot, marks: readonly ChartMark[]): void {
  const { left, top, width, height } = plot.bbox;
  for (const { from, to } of marks) {
    const start = Math.max(left, plot.valToPos(from - 0.5, "x", true));
    const end = Math.min(left + width, plot.valToPos(to + 0.5, "x", true));
    if (end <= start) continue;
    plot.ctx.save();
    plot.ctx.fillStyle = `${token("--warn")}22`;
    plot.ctx.fillRect(start, top, Math.max(end - start, 2), height);
    plot.ctx.restore();
  }
}

/** Makes the chart in an element. */
export function makePlot(root: HTMLElement, data: ChartData, options: PlotOptions): Plot {
  const { spec, log, link, raw } = options;
  const ink = token("--muted");
  const grid = { stroke: token("--grid"), width: 1 };
  const font = `12px ${getComputedStyle(document.body).fontFamily}`;
  const axis = { stroke: ink, font, grid, ticks: { show: false } };
  let now = data;
  const whole = (): [number, number] => {
    const first = now.x[0] ?? 0;
    const last = now.x.at(-1) ?? 1;
    return last > first ? [first, last] : [first - 0.5, first + 0.5];
  };
  const { series, bands } = seriesOf(data, options, data.x.length < 3);
  const dashes = series.map(({ dash }) => dash ?? []);
  const plot = new uPlot(
    {
      width: Math.max(120, root.clientWidth),
      height: options.height,
      padding: [10, 24, 0, 0],
      legend: { show: false },
      series,
      bands,
      scales: {
        x: { time: false, auto: false, range: () => [...(link.stretch ?? whole())] as [number, number] },
        y: log
          ? { distr: 3, log: 10, range: (_, low, high) => logRange(low, high) }
          : { range: spec.range ? [...spec.range] : (_, low, high) => linearRange(low, high) },
      },
      axes: [
        { ...axis, size: 28, gap: 4, values: (_, ticks) => ticks.map(tick) },
        {
          ...axis,
          gap: 6,
          size: (_, values) => labelRoom(values),
          values: (_, ticks) => ticks.map((value) => (value === null ? "" : tick(value))),
        },
      ],
      cursor: {
        y: false,
        drag: { x: true, y: false, setScale: false },
        sync: {
          key: link.key,
          setSeries: false,
          scales: ["x", null],
          // The pointer's place only: a drag is this chart's own, and its zoom goes by the link.
          filters: { pub: (type) => type === "mousemove" || type === "mouseleave" },
        },
        points: { size: 7 },
        bind: {
          dblclick: () => () => {
            link.zoom(null);
            return null;
          },
        },
      },
      hooks: {
        setSelect: [
          (self) => {
            const { left, width } = self.select;
            if (width < 4) return;
            const from = self.posToVal(left, "x");
            const to = self.posToVal(left + width, "x");
            self.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
            link.zoom([from, to]);
          },
        ],
        setCursor: [(self) => options.onPoint(self.cursor.idx ?? null)],
        drawClear: [
          (self) => {
            thinDashes(self, dashes);
            drawMarks(self, options.marks());
          },
        ],
      },
    },
    arrays(data, raw),
    root,
  );
  const fit = (stretch: Stretch) => {
    const [min, max] = stretch ?? whole();
    plot.setScale("x", { min, max });
  };
  fit(link.stretch);
  const self: Plot = {
    feed(next) {
      now = next;
      plot.batch(() => {
        plot.setData(arrays(next, raw), false);
        fit(link.stretch);
      });
    },
    showStretch: fit,
    pointAt(index) {
      const x = index === null ? undefined : now.x[index];
      if (x === undefined) plot.setCursor({ left: -10, top: -10 });
      else plot.setCursor({ left: plot.valToPos(x, "x"), top: plot.over.clientHeight / 2 });
    },
    resize: (width, height) => plot.setSize({ width: Math.max(120, width), height }),
    redraw: () => plot.redraw(false),
    destroy() {
      leave();
      plot.destroy();
    },
  };
  const leave = link.join(self);
  return self;
}
