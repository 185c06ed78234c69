/**
 * @file What is to be drawn, as plain shapes in CSS pixels of the stage: the one list that the screen, PNG and SVG are all
 * made from, so that an export is exactly what is shown.
 */
import { heatAlpha, heatRgb } from "./heat-colour.js";
import {
  LAYERS,
  overlayColours,
  styleOf,
  type Glyph,
  type HeatGrid,
  type Layer,
  type LineStyle,
  type Mark,
} from "./marks.js";
import { toStage, type Size, type StageRect, type Viewport } from "./viewport.js";

/** A stroke. */
export interface Stroke {
  readonly colour: string;
  readonly width: number;
  readonly dash?: readonly number[];
}

/** One shape. */
export type Shape =
  | { readonly kind: "picture"; readonly rect: StageRect; readonly smooth: boolean }
  | {
      readonly kind: "heat";
      readonly rect: StageRect;
      readonly grid: HeatGrid;
      readonly opacity: number;
      readonly smooth: boolean;
    }
  | {
      readonly kind: "rect";
      readonly rect: StageRect;
      readonly fill?: string;
      readonly stroke?: Stroke;
      readonly radius?: number;
    }
  | {
      readonly kind: "lines";
      /** Each a run of x, y, x, y, ... */
      readonly runs: readonly (readonly number[])[];
      readonly stroke: Stroke;
      /** Nothing is drawn outside of it. */
      readonly clip?: StageRect;
    }
  | {
      readonly kind: "circle";
      readonly x: number;
      readonly y: number;
      readonly radius: number;
      readonly fill?: string;
      readonly stroke?: Stroke;
    }
  | {
      readonly kind: "text";
      readonly x: number;
      /** The baseline. */
      readonly y: number;
      readonly text: string;
      readonly size: number;
      readonly colour: string;
    };

/** How a picture is shown. */
export interface DisplayOptions {
  readonly view: Viewport;
  readonly scene: Size;
  readonly marks: readonly Mark[];
  readonly heat?: HeatGrid | undefined;
  /** @default all */
  readonly layers?: ReadonlySet<Layer>;
  /** 0..1. @default 0.7 */
  readonly heatOpacity?: number;
  /** Marks drawn on top, with a frame around. */
  readonly selected?: string | undefined;
  readonly hovered?: string | undefined;
  /** Numbers and glyphs beside boxes. @default true */
  readonly tags?: boolean;
  /** Multiplies line widths: 0.6 for thumbnails. @default 1 */
  readonly lineScale?: number;
  /** Smooth the picture's pixels. @default false */
  readonly smooth?: boolean;
}

const HALO = 2;
/** Boxes whose longer side is shorter than this get no tag unless they are pointed at, in CSS pixels. */
const TAGGED_FROM = 26;
const TAG = 15;
const GLYPH = 13;
const DIGIT = 7;

function insetOf(rect: StageRect, by: number): StageRect {
  return {
    x: rect.x + by,
    y: rect.y + by,
    width: Math.max(0, rect.width - 2 * by),
    height: Math.max(0, rect.height - 2 * by),
  };
}

function cornerRuns({ x, y, width, height }: StageRect): number[][] {
  const arm = Math.min(18, Math.max(4, 0.3 * Math.min(width, height)));
  const [right, bottom] = [x + width, y + height];
  return [
    [x, y + arm, x, y, x + arm, y],
    [right - arm, y, right, y, right, y + arm],
    [right, bottom - arm, right, bottom, right - arm, bottom],
    [x + arm, bottom, x, bottom, x, bottom - arm],
  ];
}

/** A box's outline over its dark halo, which shows it on light and on dark ground. */
function outline(rect: StageRect, line: LineStyle, scale: number): Shape[] {
  const width = Math.max(1, line.width * scale);
  const dash = line.dash.map((length) => length * Math.max(0.6, scale));
  const halo = { colour: overlayColours.halo, width: width + HALO * Math.min(1, scale) };
  const stroke = { colour: line.colour, width, dash };
  const fill: Shape[] = line.fill === undefined ? [] : [{ kind: "rect", rect, fill: line.fill }];
  if (line.corners === true) {
    const runs = cornerRuns(rect);
    return [
      ...fill,
      { kind: "rect", rect, stroke: { colour: line.colour, width: 0.75 } },
      { kind: "lines", runs, stroke: halo },
      { kind: "lines", runs, stroke },
    ];
  }
  const inner = line.double === true ? insetOf(rect, 2.5 * width) : undefined;
  return [
    ...fill,
    ...(inner ? [{ kind: "rect", rect: inner, stroke: halo } as const] : []),
    { kind: "rect", rect, stroke: halo },
    ...(inner ? [{ kind: "rect", rect: inner, stroke } as const] : []),
    { kind: "rect", rect, stroke },
  ];
}

/** Diagonal lines, 8 CSS pixels apart, that stay where they are on the picture as it is moved. */
function hatch(rect: StageRect, colour: string): Shape[] {
  const { x, y, width, height } = rect;
  const runs: number[][] = [];
  for (let left = x - height; left < x + width; left += 8) runs.push([left, y + height, left + height, y]);
  return [
    { kind: "rect", rect, fill: "rgba(17, 19, 24, 0.4)" },
    { kind: "lines", runs, stroke: { colour, width: 1.25 }, clip: rect },
    { kind: "rect", rect, stroke: { colour, width: 1.5 } },
  ];
}

/** The sign of a tag about a point, in a square of 14 CSS pixels. */
export function glyphShapes(glyph: Glyph, x: number, y: number): Shape[] {
  const stroke = { colour: overlayColours.ink, width: 1.75 };
  switch (glyph) {
    case "check":
      return [{ kind: "lines", runs: [[x - 3.5, y, x - 1, y + 3, x + 4, y - 3.5]], stroke }];
    case "cross":
      return [
        {
          kind: "lines",
          runs: [
            [x - 3, y - 3, x + 3, y + 3],
            [x - 3, y + 3, x + 3, y - 3],
          ],
          stroke,
        },
      ];
    case "double":
      return [
        { kind: "rect", rect: { x: x - 4, y: y - 4, width: 5.5, height: 5.5 }, stroke: { ...stroke, width: 1.25 } },
        { kind: "rect", rect: { x: x - 1.5, y: y - 1.5, width: 5.5, height: 5.5 }, stroke: { ...stroke, width: 1.25 } },
      ]; // prettier-ignore
    case "bar":
      return [{ kind: "lines", runs: [[x - 3.5, y, x + 3.5, y]], stroke }];
    case "ring":
      return [{ kind: "circle", x, y, radius: 3.5, stroke }];
    case "eye":
      return [
        { kind: "lines", runs: [[x - 5, y, x - 2, y - 3, x + 2, y - 3, x + 5, y, x + 2, y + 3, x - 2, y + 3, x - 5, y]], stroke: { ...stroke, width: 1.25 } },
        { kind: "circle", x, y, radius: 1.5, fill: overlayColours.ink },
      ]; // prettier-ignore
    case "none":
      return [];
  }
}

/** The tag with a mark's glyph and number; above its box, or within it at the scene's upper edge. */
function tagOf(mark: Mark, rect: StageRect, top: number): Shape[] {
  const { line, glyph } = styleOf(mark);
  const text = String(mark.number);
  const width = (glyph === "none" ? 4 : GLYPH + 2) + DIGIT * text.length + 4;
  // Objects and ignore regions carry theirs below, so that it does not hide that of the answer which hit them.
  const below = mark.layer === "truth" || mark.layer === "ignore";
  const x = below ? rect.x + rect.width - width : rect.x - line.width / 2;
  const over = rect.y - TAG;
  const y = below ? rect.y + rect.height : over >= top ? over : rect.y;
  return [
    {
      kind: "rect",
      rect: { x, y, width, height: TAG },
      fill: line.colour,
      stroke: { colour: overlayColours.halo, width: 1 },
      radius: 2,
    },
    ...glyphShapes(glyph, x + 2 + GLYPH / 2, y + TAG / 2),
    {
      kind: "text",
      x: x + (glyph === "none" ? 4 : GLYPH + 3),
      y: y + 11.5,
      text,
      size: 11,
      colour: overlayColours.ink,
    },
  ];
}

function markShapes(mark: Mark, rect: StageRect, scale: number): Shape[] {
  const { line } = styleOf(mark);
  if (mark.layer === "ignore") return hatch(rect, line.colour);
  return outline(rect, line, scale * (mark.weight ?? 1));
}

/** Every shape, back to front. */
export function displayList(options: DisplayOptions): Shape[] {
  const { view, scene, marks, heat, selected, hovered } = options;
  const { layers = new Set(LAYERS), heatOpacity = 0.7, tags = true, lineScale = 1, smooth = false } = options;
  const whole = toStage(view, { x1: 0, y1: 0, x2: scene.width, y2: scene.height });
  const shapes: Shape[] = [{ kind: "picture", rect: whole, smooth }];
  if (heat !== undefined && layers.has("heat") && heatOpacity > 0)
    shapes.push(
      // A veil, so that a bright picture does not outshine the map.
      { kind: "rect", rect: whole, fill: `rgba(10, 10, 16, ${(0.45 * heatOpacity).toFixed(3)})` },
      { kind: "heat", rect: whole, grid: heat, opacity: heatOpacity, smooth: false },
    );
  const pointed = (id: string) => id === selected || id === hovered;
  const order = (mark: Mark) => (pointed(mark.id) ? 100 : 0) + LAYERS.indexOf(mark.layer);
  const shown = marks
    .filter(({ layer }) => layers.has(layer))
    .map((mark, i) => ({ mark, i, rect: toStage(view, mark.box) }))
    .toSorted((a, b) => order(a.mark) - order(b.mark) || a.i - b.i);
  for (const { mark, rect } of shown) {
    if (pointed(mark.id))
      shapes.push(
        { kind: "rect", rect: insetOf(rect, -4), fill: "rgba(255, 255, 255, 0.2)" },
        { kind: "rect", rect: insetOf(rect, -4), stroke: { colour: overlayColours.ink, width: 4 } },
        { kind: "rect", rect: insetOf(rect, -4), stroke: { colour: overlayColours.focus, width: 2 } },
      );
    shapes.push(...markShapes(mark, rect, lineScale));
  }
  for (const { mark, rect } of shown) {
    const large = Math.max(rect.width, rect.height) >= TAGGED_FROM;
    if (pointed(mark.id) || (tags && large)) shapes.push(...tagOf(mark, rect, whole.y));
  }
  return shapes;
}

/** The colour of a cell, with its opacity. */
export function heatCellColour(value: number, opacity: number): readonly [number, number, number, number] {
  const [r, g, b] = heatRgb(value);
  return [r, g, b, heatAlpha(value) * opacity];
}
