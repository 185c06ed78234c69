/** @file The figures of a comparison, each a function from its numbers to shapes: the page, PNG and SVG draw the same. Pure. */
import { niceTicks } from "../charts/chart-scene.js";
import type { Scene, Shape } from "../charts/scene.js";
import { tick } from "../format.js";
import type { CompareNumber, CompareSet } from "../../../src/server/studio/compare-api.js";
import { bubble, entryLook, signShapes } from "./entry-look.js";
import { fitted, framedFigure, legendShapes, SMALL, type FigureOptions } from "./figure-frame.js";

/** Precision over recall: a curve an entry, and a point where its answers stand as they are. */
export function precisionRecallFigure(
  options: FigureOptions,
  { set, curves }: Pick<CompareSet, "set" | "curves">,
  iou: 0.5 | 0.75,
): Scene {
  const entries = curves.find((one) => one.iou === iou)?.entries ?? [];
  const { colours } = options;
  return framedFigure(
    options,
    {
      title: `${set}: precision-recall, IoU ${iou}`,
      x: { label: "recall", low: 0, high: 1 },
      y: { label: "precision", low: 0, high: 1 },
      height: 380,
    },
    ({ px, py }) => {
      const lines: Shape[] = [];
      const points: Shape[] = [];
      entries.forEach((curve, k) => {
        if (curve === null) return;
        const { colour, dash, sign } = entryLook(k);
        const stroke = colours.series(colour);
        const reached = curve.precision.findLastIndex((value) => value > 0) + 1;
        lines.push({
          kind: "line",
          pieces: [curve.precision.slice(0, reached).map((value, i) => [px(i / 100), py(value)] as const)],
          stroke,
          width: 2,
          dash,
        });
        points.push(
          ...signShapes(sign, px(curve.point.recall), py(curve.point.precision), {
            size: 6,
            colour: stroke,
            ground: colours.background,
          }),
        );
      });
      return [...lines, ...points];
    },
  );
}

/** Boxes said over objects there, of one entry: bubbles as large as responses are many, their mean, and the line of equality. */
export function countingFigure(
  options: FigureOptions,
  { set, counting }: Pick<CompareSet, "set" | "counting">,
  entry: number,
): Scene {
  const { colours, names } = options;
  const most = Math.max(
    1,
    ...counting.flatMap(({ cells }) => cells.flatMap(([actual, predicted]) => [actual, predicted])),
  );
  const heaviest = Math.max(1, ...counting.flatMap(({ cells }) => cells.map(([, , responses]) => responses)));
  const { cells, means } = counting[entry]!;
  const { colour, dash, sign } = entryLook(entry);
  const stroke = colours.series(colour);
  const axis = { low: 0, high: most + 0.5 };
  return framedFigure(
    options,
    {
      title: `${set}: counts of ${names[entry]}`,
      x: { ...axis, label: "objects there" },
      y: { ...axis, label: "boxes said (line: mean)" },
      height: Math.min(380, options.width + 30),
      legend: false,
    },
    ({ px, py, left, right }) => {
      // Areas, not radii, are in proportion; the largest just touch their neighbours.
      const largest = Math.min(16, Math.max(5, (right - left) / (most + 1) / 1.6));
      return [
        {
          kind: "line",
          pieces: [
            [
              [px(0), py(0)],
              [px(most), py(most)],
            ],
          ],
          stroke: colours.muted,
          width: 1.25,
          dash: [3, 3],
        },
        ...cells.flatMap(([actual, predicted, responses]) =>
          bubble(
            px(actual),
            py(predicted),
            Math.max(1.5, largest * Math.sqrt(responses / heaviest)),
            stroke,
            0.28,
            stroke,
          ),
        ),
        {
          kind: "line",
          pieces: [means.map(([actual, predicted]) => [px(actual), py(predicted)] as const)],
          stroke: colours.ink,
          width: 1.75,
          dash,
        },
        ...means.flatMap(([actual, predicted]) =>
          signShapes(sign, px(actual), py(predicted), {
            size: 3.5,
            colour: colours.ink,
            ground: colours.background,
          }),
        ),
      ];
    },
  );
}

/** A row of {@link intervalFigure}. */
export interface IntervalRow {
  readonly label: string;
  /** Above a group of rows. */
  readonly heading?: string;
  /** By entry. */
  readonly values: readonly (CompareNumber | null)[];
}

/** Values with their intervals, a row a part of the data, an entry beside the other; or differences about zero. */
export function intervalFigure(
  options: FigureOptions,
  figure: {
    readonly title: string;
    readonly label: string;
    readonly rows: readonly IntervalRow[];
    /** Draws the line of no difference. */
    readonly zero?: boolean;
  },
): Scene {
  const { width, colours, names } = options;
  const { rows, title } = figure;
  const lane = 15;
  const wide = width >= 520;
  // On a narrow page labels stand above their row, not beside it.
  const left = wide ? Math.min(190, Math.max(90, width * 0.26)) : 14;
  const right = width - 16;
  const drawn = rows.map(({ values }) =>
    values.flatMap((one, k) => (typeof one?.value === "number" ? [k] : [])),
  );
  const numbers = rows.flatMap(({ values }) =>
    values.flatMap((one) =>
      one === null ? [] : [one.low, one.high, one.value].filter((value) => value !== null),
    ),
  );
  let low = Math.min(...numbers, ...(figure.zero === true ? [0] : []));
  let high = Math.max(...numbers, ...(figure.zero === true ? [0] : []));
  if (!(high > low))
    [low, high] = [Number.isFinite(low) ? low - 0.5 : 0, Number.isFinite(high) ? high + 0.5 : 1];
  const air = 0.04 * (high - low);
  if (figure.zero !== true && low >= 0 && low - air < 0) low = 0;
  else low -= air;
  high += air;
  const px = (value: number) => left + ((value - low) / (high - low)) * (right - left);
  const shapes: Shape[] = [
    {
      kind: "text",
      x: 12,
      y: 20,
      text: fitted(title, width - 50, 15),
      anchor: "start",
      size: 15,
      fill: colours.ink,
      bold: true,
    },
  ];
  const legend = legendShapes({ ...options, names }, 44);
  shapes.push(...legend.shapes);
  let y = legend.bottom + 12;
  const top = y;
  const body: Shape[] = [];
  rows.forEach(({ label, heading, values }, r) => {
    if (heading !== undefined) {
      y += r === 0 ? 14 : 22;
      body.push({
        kind: "text",
        x: 12,
        y,
        text: heading,
        anchor: "start",
        size: SMALL,
        fill: colours.muted,
        bold: true,
      });
      y += 8;
    }
    const entries = drawn[r]!;
    if (!wide) {
      body.push({
        kind: "text",
        x: left,
        y: y + 14,
        text: fitted(label, right - left),
        anchor: "start",
        size: SMALL,
        fill: colours.ink,
      });
      y += 18;
    }
    const height = Math.max(1, entries.length) * lane;
    if (wide)
      body.push({
        kind: "text",
        x: left - 10,
        y: y + height / 2 + 4,
        text: fitted(label, left - 20),
        anchor: "end",
        size: SMALL,
        fill: colours.ink,
      });
    entries.forEach((k, place) => {
      const one = values[k]!;
      const { colour, sign } = entryLook(k);
      const stroke = colours.series(colour);
      const at = y + (place + 0.5) * lane;
      if (one.low !== null && one.high !== null)
        body.push({
          kind: "line",
          pieces: [
            [
              [px(one.low), at],
              [px(one.high), at],
            ],
            [
              [px(one.low), at - 3],
              [px(one.low), at + 3],
            ],
            [
              [px(one.high), at - 3],
              [px(one.high), at + 3],
            ],
          ],
          stroke,
          width: 1.75,
        });
      body.push(
        ...signShapes(sign, px(one.value!), at, { size: 4.5, colour: stroke, ground: colours.background }),
      );
    });
    y += height + 8;
  });
  for (const value of niceTicks(low, high, width < 420 ? 4 : 6))
    shapes.push(
      {
        kind: "line",
        pieces: [
          [
            [px(value), top],
            [px(value), y],
          ],
        ],
        stroke: colours.grid,
        width: 1,
      },
      {
        kind: "text",
        x: px(value),
        y: y + 16,
        text: tick(value),
        anchor: "middle",
        size: SMALL,
        fill: colours.muted,
      },
    );
  if (figure.zero === true)
    shapes.push({
      kind: "line",
      pieces: [
        [
          [px(0), top],
          [px(0), y],
        ],
      ],
      stroke: colours.muted,
      width: 1.25,
    });
  shapes.push(...body, {
    kind: "text",
    x: right,
    y: y + 34,
    text: figure.label,
    anchor: "end",
    size: SMALL,
    fill: colours.muted,
  });
  return { width, height: y + 44, background: colours.background, shapes };
}
