/** @file Curves on paper white, as PNG and SVG: precision over recall, miss rate over false positives per image. */
import { createCanvas, SvgExportFlag, type SKRSContext2D } from "@napi-rs/canvas";
import { drawText, fitText } from "./text.js";

/** One axis. A logarithmic one needs min > 0. */
export interface PlotAxis {
  readonly label: string;
  readonly scale: "linear" | "log";
  readonly min: number;
  readonly max: number;
}

/** One curve; x and y have one length. Values outside an axis stop at its end. */
export interface PlotSeries {
  readonly label: string;
  readonly x: ArrayLike<number>;
  readonly y: ArrayLike<number>;
}

/** A figure. */
export interface CurvePlot {
  readonly title: string;
  readonly x: PlotAxis;
  readonly y: PlotAxis;
  readonly series: readonly PlotSeries[];
}

/** Okabe and Ito's colours without the yellow: told apart by colour-blind eyes and on white. */
const COLOURS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#000000"];
const DASHES: readonly (readonly number[])[] = [[], [8, 4], [2, 3], [10, 3, 2, 3]];
const INK = "#1b1e24";
const MUTED = "#5e6673";
const GRID = "#e3e6ea";

const WIDTH = 760;
const PLOT_HEIGHT = 440;
const LEFT = 76;
const RIGHT = 24;
const TOP = 52;
const LINE = 22;

/** Where ticks stand and what they say. */
export function axisTicks({
  scale,
  min,
  max,
}: PlotAxis): { readonly value: number; readonly text: string }[] {
  if (scale === "linear") {
    const rough = (max - min) / 6;
    const power = 10 ** Math.floor(Math.log10(rough));
    const step = power * ([1, 2, 5, 10].find((factor) => factor * power >= rough) ?? 10);
    const first = Math.ceil(min / step - 1e-9);
    const count = Math.floor(max / step + 1e-9) - first + 1;
    const digits = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
    return Array.from({ length: count }, (_, i) => {
      const value = (first + i) * step;
      return { value, text: value.toFixed(digits) };
    });
  }
  const ticks: { value: number; text: string }[] = [];
  const factors = Math.log10(max / min) > 2.5 ? [1] : [1, 2, 5];
  for (let power = Math.floor(Math.log10(min)); power <= Math.ceil(Math.log10(max)); power++) {
    for (const factor of factors) {
      const value = factor * 10 ** power;
      if (value >= min * (1 - 1e-9) && value <= max * (1 + 1e-9))
        ticks.push({ value, text: String(Number(value.toPrecision(1))) });
    }
  }
  return ticks;
}

/** A value's place on an axis, 0..1. */
function place({ scale, min, max }: PlotAxis, value: number): number {
  const inside = Math.min(max, Math.max(min, value));
  return scale === "linear" ? (inside - min) / (max - min) : Math.log(inside / min) / Math.log(max / min);
}

/** The points of a curve that differ by at least half a pixel: a curve of a million detections has but some hundreds. */
function* pixels(
  plot: CurvePlot,
  series: PlotSeries,
  width: number,
  height: number,
): Generator<[number, number]> {
  let before: [number, number] | undefined;
  for (let i = 0; i < series.x.length; i++) {
    const at: [number, number] = [
      place(plot.x, series.x[i]!) * width,
      (1 - place(plot.y, series.y[i]!)) * height,
    ];
    const last = i === series.x.length - 1;
    if (before && !last && Math.abs(at[0] - before[0]) < 0.5 && Math.abs(at[1] - before[1]) < 0.5) continue;
    yield (before = at);
  }
}

function drawAxes(context: SKRSContext2D, plot: CurvePlot, width: number, height: number): void {
  context.lineWidth = 1;
  const text = { size: 13, colour: MUTED };
  for (const { value, text: label } of axisTicks(plot.x)) {
    const x = Math.round(LEFT + place(plot.x, value) * width) + 0.5;
    context.strokeStyle = GRID;
    context.beginPath();
    context.moveTo(x, TOP);
    context.lineTo(x, TOP + height);
    context.stroke();
    const wide = drawText(context, label, 0, 0, { ...text, dry: true });
    drawText(context, label, x - wide / 2, TOP + height + 7, text);
  }
  for (const { value, text: label } of axisTicks(plot.y)) {
    const y = Math.round(TOP + (1 - place(plot.y, value)) * height) + 0.5;
    context.strokeStyle = GRID;
    context.beginPath();
    context.moveTo(LEFT, y);
    context.lineTo(LEFT + width, y);
    context.stroke();
    const wide = drawText(context, label, 0, 0, { ...text, dry: true });
    drawText(context, label, LEFT - 8 - wide, y - 8, text);
  }
  context.strokeStyle = MUTED;
  context.strokeRect(LEFT + 0.5, TOP + 0.5, width, height);
  const axis = { size: 14, colour: INK };
  const under = drawText(context, plot.x.label, 0, 0, { ...axis, dry: true });
  drawText(context, plot.x.label, LEFT + (width - under) / 2, TOP + height + 28, axis);
  const beside = drawText(context, plot.y.label, 0, 0, { ...axis, dry: true });
  context.save();
  context.translate(14, TOP + (height + beside) / 2);
  context.rotate(-Math.PI / 2);
  drawText(context, plot.y.label, 0, 0, axis);
  context.restore();
}

function draw(context: SKRSContext2D, plot: CurvePlot, canvasHeight: number): void {
  const width = WIDTH - LEFT - RIGHT;
  const height = PLOT_HEIGHT - TOP;
  context.fillStyle = "#ffffff";
  context.fillRect(0, 0, WIDTH, canvasHeight);
  const title = { size: 17, colour: INK, bold: true };
  drawText(context, fitText(context, plot.title, WIDTH - LEFT - RIGHT, title), LEFT, 16, title);
  drawAxes(context, plot, width, height);
  plot.series.forEach((series, index) => {
    const colour = COLOURS[index % COLOURS.length]!;
    const dash = [...DASHES[index % DASHES.length]!];
    context.strokeStyle = colour;
    context.setLineDash(dash);
    context.lineWidth = 2;
    context.lineJoin = "round";
    context.beginPath();
    let started = false;
    for (const [x, y] of pixels(plot, series, width, height)) {
      if (started) context.lineTo(LEFT + x, TOP + y);
      else context.moveTo(LEFT + x, TOP + y);
      started = true;
    }
    context.stroke();
    const y = PLOT_HEIGHT + 58 + index * LINE;
    context.beginPath();
    context.moveTo(LEFT, y + 8);
    context.lineTo(LEFT + 30, y + 8);
    context.stroke();
    context.setLineDash([]);
    const style = { size: 14, colour: INK };
    drawText(context, fitText(context, series.label, width - 40, style), LEFT + 40, y, style);
  });
}

const heightOf = (plot: CurvePlot) => PLOT_HEIGHT + 58 + plot.series.length * LINE + 10;

/** A figure as PNG, at twice its size in pixels. */
export async function renderCurvesPng(plot: CurvePlot): Promise<Uint8Array> {
  const height = heightOf(plot);
  const canvas = createCanvas(2 * WIDTH, 2 * height);
  const context = canvas.getContext("2d");
  context.scale(2, 2);
  draw(context, plot, height);
  return canvas.encode("png");
}

/** A figure as SVG; text is drawn as paths, so that it looks alike everywhere. */
export function renderCurvesSvg(plot: CurvePlot): Uint8Array {
  const height = heightOf(plot);
  const canvas = createCanvas(WIDTH, height, SvgExportFlag.ConvertTextToPaths);
  draw(canvas.getContext("2d"), plot, height);
  return canvas.getContent();
}

/** Precision over recall, both 0..1. */
export function precisionRecallPlot(title: string, series: readonly PlotSeries[]): CurvePlot {
  return {
    title,
    x: { label: "recall", scale: "linear", min: 0, max: 1 },
    y: { label: "precision", scale: "linear", min: 0, max: 1 },
    series,
  };
}

/** Miss rate over false positives per image, both logarithmic, as the pedestrian benchmarks draw it. */
export function missRatePlot(title: string, series: readonly PlotSeries[]): CurvePlot {
  let [lowest, highest] = [1, 1];
  for (const { x, y } of series) {
    for (let i = 0; i < y.length; i++) if (y[i]! > 0) lowest = Math.min(lowest, y[i]!);
    highest = Math.max(highest, x[x.length - 1] ?? 1);
  }
  return {
    title,
    x: {
      label: "false positives per image",
      scale: "log",
      min: 0.001,
      max: Math.min(100, 10 ** Math.ceil(Math.log10(highest))),
    },
    y: { label: "miss rate", scale: "log", min: lowest >= 0.1 ? 0.1 : lowest >= 0.05 ? 0.05 : 0.01, max: 1 },
    series,
  };
}
