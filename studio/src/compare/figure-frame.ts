/** @file The frame of a figure: title, axes with round ticks, legend; the rest of a figure is drawn into it. Pure. */
import { niceTicks } from "../charts/chart-scene.js";
import type { Scene, Shape } from "../charts/scene.js";
import { tick } from "../format.js";
import { entryLook, signShapes } from "./entry-look.js";

/** Colours by what they are for. */
export interface FigureColours {
  readonly background: string;
  readonly ink: string;
  readonly muted: string;
  readonly grid: string;
  readonly series: (name: `--series-${1 | 2 | 3 | 4 | 5 | 6}`) => string;
}

/** For files: what is printed is printed on white, whatever the screen shows. The light theme's tokens. */
export const paperColours: FigureColours = {
  background: "#ffffff",
  ink: "#171b23",
  muted: "#59616f",
  grid: "#e7eaef",
  series: (name) =>
    ({
      "--series-1": "#1f4fd1",
      "--series-2": "#c2540a",
      "--series-3": "#14803f",
      "--series-4": "#8333b8",
      "--series-5": "#b3196b",
      "--series-6": "#0c7487",
    })[name],
};

/** What every figure is drawn with. */
export interface FigureOptions {
  /** Pixels. */
  readonly width: number;
  readonly colours: FigureColours;
  /** Of the entries. */
  readonly names: readonly string[];
}

/** One axis. */
export interface FigureAxis {
  readonly label: string;
  readonly low: number;
  readonly high: number;
}

/** Where things go. */
export interface FigureFrame {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
  readonly px: (value: number) => number;
  readonly py: (value: number) => number;
}

/** Type size of everything but titles. */
export const SMALL = 12;
/** About how wide a letter of that size is. */
const LETTER = 6.6;

/** A text cut to a width. */
export function fitted(text: string, width: number, size = SMALL): string {
  const room = Math.max(1, Math.floor(width / (LETTER * (size / SMALL))));
  return text.length <= room ? text : `${text.slice(0, Math.max(1, room - 1))}…`;
}

const rule = (
  a: readonly [number, number],
  b: readonly [number, number],
  stroke: string,
  width = 1,
): Shape => ({ kind: "line", pieces: [[a, b]], stroke, width });

/** The legend of entries, in as many rows as it takes; `bottom` is where it ends. */
export function legendShapes(
  { width, colours, names }: FigureOptions,
  y: number,
): { readonly shapes: Shape[]; readonly bottom: number } {
  const shapes: Shape[] = [];
  let x = 12;
  let row = y;
  names.forEach((name, k) => {
    const text = fitted(name, width - 70);
    const wide = 44 + LETTER * text.length + 18;
    if (x > 12 && x + wide > width) {
      x = 12;
      row += 20;
    }
    const look = entryLook(k);
    const colour = colours.series(look.colour);
    shapes.push(
      {
        kind: "line",
        pieces: [
          [
            [x, row - 4],
            [x + 32, row - 4],
          ],
        ],
        stroke: colour,
        width: 2,
        dash: look.dash,
      },
      ...signShapes(look.sign, x + 16, row - 4, { size: 5, colour, ground: colours.background }),
      { kind: "text", x: x + 40, y: row, text, anchor: "start", size: SMALL, fill: colours.ink },
    );
    x += wide;
  });
  return { shapes, bottom: row + 10 };
}

/**
 * A figure with both axes of numbers.
 * @param options.square Units are as long up as they are across.
 */
export function framedFigure(
  options: FigureOptions,
  figure: {
    readonly title: string;
    readonly x: FigureAxis;
    readonly y: FigureAxis;
    readonly height: number;
    /** @default true */
    readonly legend?: boolean;
  },
  draw: (frame: FigureFrame) => readonly Shape[],
): Scene {
  const { width, colours } = options;
  const { x, y, title } = figure;
  const legend = figure.legend === false ? undefined : legendShapes(options, 0);
  const legendHeight = legend === undefined ? 0 : legend.bottom + 14;
  const frame = {
    left: 46,
    right: width - 14,
    top: 56,
    bottom: figure.height - 44 - legendHeight,
  };
  const { left, right, top, bottom } = frame;
  const px = (value: number) => left + ((value - x.low) / (x.high - x.low || 1)) * (right - left);
  const py = (value: number) => bottom - ((value - y.low) / (y.high - y.low || 1)) * (bottom - top);
  const text = (
    at: readonly [number, number],
    words: string,
    anchor: "start" | "middle" | "end",
    fill = colours.muted,
  ): Shape => ({ kind: "text", x: at[0], y: at[1], text: words, anchor, size: SMALL, fill });
  const shapes: Shape[] = [
    {
      kind: "text",
      x: 12,
      y: 20,
      // Beside it stands the menu.
      text: fitted(title, width - 50, 15),
      anchor: "start",
      size: 15,
      fill: colours.ink,
      bold: true,
    },
    // Above its axis and level: read without turning the head.
    text([12, 44], y.label, "start"),
    text([right, bottom + 36], x.label, "end"),
  ];
  for (const value of niceTicks(y.low, y.high, 5))
    shapes.push(
      rule([left, py(value)], [right, py(value)], colours.grid),
      text([left - 7, py(value) + 4], tick(value), "end"),
    );
  for (const value of niceTicks(x.low, x.high, width < 420 ? 5 : 6))
    shapes.push(
      rule([px(value), top], [px(value), bottom], colours.grid),
      text([px(value), bottom + 17], tick(value), "middle"),
    );
  shapes.push(rule([left, bottom], [right, bottom], colours.muted), ...draw({ ...frame, px, py }));
  if (legend !== undefined) shapes.push(...legendShapes(options, figure.height - legendHeight + 18).shapes);
  return { width, height: figure.height, background: colours.background, shapes };
}
