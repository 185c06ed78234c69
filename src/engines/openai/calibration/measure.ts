/**
 * @file From answers about pictures whose truth is known: what a server's numbers count, and in which order they stand.
 * Every known reading is tried on all pictures at once; besides, pixels of a canvas of the server's own, which is then
 * measured. A reading is only believed where it fits well and no other fits nearly as well.
 */
import { maximumWeightMatching } from "../../../geometry/assignment.js";
import type { Box } from "../../../geometry/box.js";
import type { BoxLayout, WrittenBox } from "../../../geometry/frame-check.js";
import { boxArea } from "../../../geometry/overlap.js";
import { overlappingPairs } from "../../../geometry/pairs.js";
import { boxLayouts, toCorners } from "../../../response/dialects/index.js";

/** One answer. */
export interface CalibrationAnswer {
  /** As written, in no order that could be relied on. */
  readonly written: readonly WrittenBox[];
  /** In pixels of the picture that was sent. */
  readonly truth: readonly Box<"model">[];
  readonly sent: { readonly width: number; readonly height: number };
}

/** `own` = pixels of a canvas that is neither the picture sent nor a fixed share of it. */
export type MeasuredScale = "model" | "norm1000" | "norm1" | "own";

/** How well a reading fits. */
export interface ReadingFit {
  readonly scale: MeasuredScale;
  readonly layout: BoxLayout;
  /** Soft F1, 0..1: twice the summed IoU of matched pairs over boxes written and boxes there. */
  readonly fit: number;
  /** Rectangles that were found at IoU 0.5, of all. */
  readonly found: number;
  readonly of: number;
  /** Of what was found. */
  readonly meanIou: number;
  /** Least squares over the edges found, in shares of the side: written = offset + slope * true; 0 and 1 where all is right. */
  readonly x: { readonly slope: number; readonly offset: number };
  readonly y: { readonly slope: number; readonly offset: number };
  /** Of `own`: the canvas of each picture, rounded; absent where too little was found on it. */
  readonly canvases?: readonly ({ readonly width: number; readonly height: number } | undefined)[];
}

/** What was found out. */
export interface Calibration {
  readonly best: ReadingFit;
  /** The next best reading that says something else. */
  readonly second: ReadingFit | undefined;
  /** Whether the best is to be believed. */
  readonly clear: boolean;
  /** Why not, in words. */
  readonly reason?: string;
  readonly boxes: number;
}

/** Least soft F1 that is believed, and least lead over the next. */
const LEAST_FIT = 0.5;
const LEAST_LEAD = 0.1;
/** `own` has two numbers a picture to fit with: it must explain this much more than any fixed reading. */
const OWN_LEAD = 0.15;
const FOUND_IOU = 0.5;

interface Canvas {
  readonly width: number;
  readonly height: number;
}

function fixedCanvas(scale: Exclude<MeasuredScale, "own">, sent: Canvas): Canvas {
  if (scale === "model") return sent;
  return scale === "norm1000" ? { width: 1000, height: 1000 } : { width: 1, height: 1 };
}

/** The canvas on which the outermost edges written lie where the outermost edges are; nothing for fewer than three boxes. */
function ownCanvas({ written, truth, sent }: CalibrationAnswer, layout: BoxLayout): Canvas | undefined {
  if (written.length < 3 || written.length !== truth.length) return undefined;
  const boxes = written.map((numbers) => toCorners(numbers, layout));
  const extent = (values: readonly number[]): number => Math.max(...values) - Math.min(...values);
  const [trueX, trueY] = [
    extent(truth.flatMap(({ x1, x2 }) => [x1, x2])),
    extent(truth.flatMap(({ y1, y2 }) => [y1, y2])),
  ];
  const [saidX, saidY] = [
    extent(boxes.flatMap((b) => [b[0], b[2]])),
    extent(boxes.flatMap((b) => [b[1], b[3]])),
  ];
  const canvas = { width: (sent.width * saidX) / trueX, height: (sent.height * saidY) / trueY };
  return canvas.width > 0 && canvas.height > 0 ? canvas : undefined;
}

/** Straight line through (true, written) by least squares; that of equality where there is too little. */
function line(pairs: readonly (readonly [number, number])[]): { slope: number; offset: number } {
  const n = pairs.length;
  const mean = (at: 0 | 1): number => pairs.reduce((sum, pair) => sum + pair[at], 0) / n;
  const [mx, my] = [mean(0), mean(1)];
  let [xx, xy] = [0, 0];
  for (const [x, y] of pairs) {
    xx += (x - mx) ** 2;
    xy += (x - mx) * (y - my);
  }
  if (n < 4 || xx === 0) return { slope: 1, offset: 0 };
  return { slope: xy / xx, offset: my - (xy / xx) * mx };
}

function fitOf(answers: readonly CalibrationAnswer[], scale: MeasuredScale, layout: BoxLayout): ReadingFit {
  let [sum, count, found, of, ious] = [0, 0, 0, 0, 0];
  const edges: { x: [number, number][]; y: [number, number][] } = { x: [], y: [] };
  const canvases: (Canvas | undefined)[] = [];
  for (const answer of answers) {
    const { written, truth, sent } = answer;
    const canvas = scale === "own" ? ownCanvas(answer, layout) : fixedCanvas(scale, sent);
    canvases.push(canvas && { width: Math.round(canvas.width), height: Math.round(canvas.height) });
    count += written.length + truth.length;
    of += truth.length;
    if (canvas === undefined) continue;
    const boxes = written
      .map((numbers): Box<"model"> => {
        const [x1, y1, x2, y2] = toCorners(numbers, layout);
        const [sx, sy] = [sent.width / canvas.width, sent.height / canvas.height];
        return { x1: x1 * sx, y1: y1 * sy, x2: x2 * sx, y2: y2 * sy };
      })
      .filter((box) => box.x2 > box.x1 && box.y2 > box.y1 && boxArea(box) < Infinity);
    const pairs = overlappingPairs(boxes, truth, 0.1);
    const matched = maximumWeightMatching(boxes.length, truth.length, pairs);
    pairs.rows.forEach((row, k) => {
      const column = pairs.columns[k]!;
      if (matched[row] !== column) return;
      const iou = pairs.weights[k]!;
      sum += iou;
      const [said, there] = [boxes[row]!, truth[column]!];
      edges.x.push(
        [there.x1 / sent.width, said.x1 / sent.width],
        [there.x2 / sent.width, said.x2 / sent.width],
      );
      edges.y.push(
        [there.y1 / sent.height, said.y1 / sent.height],
        [there.y2 / sent.height, said.y2 / sent.height],
      );
      if (iou < FOUND_IOU) return;
      found++;
      ious += iou;
    });
  }
  return {
    scale,
    layout,
    fit: count === 0 ? 0 : (2 * sum) / count,
    found,
    of,
    meanIou: found === 0 ? 0 : ious / found,
    x: line(edges.x),
    y: line(edges.y),
    ...(scale === "own" && { canvases }),
  };
}

/** Tries every reading. Pure. */
export function measureFrame(answers: readonly CalibrationAnswer[]): Calibration {
  const boxes = answers.reduce((sum, { written }) => sum + written.length, 0);
  const fixed = (["model", "norm1000", "norm1"] as const)
    .flatMap((scale) => boxLayouts.map((layout) => fitOf(answers, scale, layout)))
    .sort((a, b) => b.fit - a.fit);
  const own = boxLayouts.map((layout) => fitOf(answers, "own", layout)).sort((a, b) => b.fit - a.fit)[0]!;
  const ownWins = own.fit >= fixed[0]!.fit + OWN_LEAD;
  const best = ownWins ? own : fixed[0]!;
  const second = ownWins ? fixed[0] : fixed[1];
  const reason =
    boxes === 0
      ? "no answer holds a box"
      : best.fit < LEAST_FIT
        ? "no reading fits the answers"
        : second !== undefined && best.fit - second.fit < LEAST_LEAD
          ? "two readings fit nearly alike"
          : undefined;
  return { best, second, clear: reason === undefined, ...(reason !== undefined && { reason }), boxes };
}
