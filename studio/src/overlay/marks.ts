/**
 * @file What can be marked on a picture, and how each kind is told from the others without colour: by line (solid, dashed,
 * dotted, double, corners only, hatched), by the glyph of its tag, and by its number.
 */
import type { Box } from "../../../src/geometry/box.js";

/** The layers, back to front. */
export const LAYERS = ["heat", "ignore", "look", "truth", "answer"] as const;
/** One of the layers. */
export type Layer = (typeof LAYERS)[number];

/**
 * What became of a mark. Answers: `hit`, `duplicate`, `false-positive`, `ignored`. Ground truth: `found`, `missed`. Look
 * regions, ignore regions and boxes without ground truth: `plain`.
 */
export type MarkState = "hit" | "duplicate" | "false-positive" | "ignored" | "found" | "missed" | "plain";

/** Something drawn on the picture that can be pointed at. */
export interface Mark {
  /** Unique in the picture: `answer:3`, `look:0`, `truth:7`, `ignore:0`. */
  readonly id: string;
  readonly layer: Exclude<Layer, "heat">;
  readonly state: MarkState;
  readonly box: Box;
  /** Shown in its tag; counted from 1, as people do. */
  readonly number: number;
  /** The whole of it in words, for those who hear the page: "answer 3, a hit: ...". */
  readonly words: string;
  /** Line width is scaled by this, 0..1 (a consensus box's share of the group). @default 1 */
  readonly weight?: number;
}

/** Values over a grid that covers the scene from its upper left corner. */
export interface HeatGrid {
  readonly columns: number;
  readonly rows: number;
  /** Side of a cell in the scene. */
  readonly cell: number;
  /** rows x columns, row-major, 0..1. */
  readonly values: ArrayLike<number>;
}

/** How a mark's outline is drawn. */
export interface LineStyle {
  readonly colour: string;
  /** CSS pixels. */
  readonly width: number;
  /** Dash and gap in CSS pixels; none is solid. */
  readonly dash: readonly number[];
  /** A second line inside the first. */
  readonly double?: boolean;
  /** Only the corners are drawn. */
  readonly corners?: boolean;
  readonly fill?: string;
}

/** What stands in a mark's tag beside its number. */
export type Glyph = "check" | "cross" | "double" | "bar" | "ring" | "eye" | "none";

/** How a kind of mark looks, and what legends call it. */
export interface MarkStyle {
  readonly line: LineStyle;
  readonly glyph: Glyph;
  readonly name: string;
}

/** Colours lie on pictures, not on the page, and so are the same in light and dark: the design tokens' bright ones. */
export const overlayColours = {
  truth: "#8fc0ff",
  look: "#35d07f",
  answer: "#ff9a1f",
  ignored: "#d9c6a8",
  ignore: "rgba(214, 218, 226, 0.85)",
  halo: "rgba(0, 0, 0, 0.6)",
  ink: "#111318",
  focus: "#ffffff",
} as const;

const { truth, look, answer, ignored, ignore } = overlayColours;

/** By layer and state; a pair that does not occur has no entry. */
const styles: Readonly<Record<string, MarkStyle>> = {
  "answer hit": { line: { colour: answer, width: 2.5, dash: [] }, glyph: "check", name: "answer, hit" },
  "answer false-positive": {
    line: { colour: answer, width: 2.5, dash: [8, 5] },
    glyph: "cross",
    name: "answer, false alarm",
  },
  "answer duplicate": {
    line: { colour: answer, width: 1.5, dash: [], double: true },
    glyph: "double",
    name: "answer, duplicate",
  },
  "answer ignored": {
    line: { colour: ignored, width: 2, dash: [2, 4] },
    glyph: "bar",
    name: "answer, not counted",
  },
  "answer plain": { line: { colour: answer, width: 2.5, dash: [] }, glyph: "none", name: "answer" },
  "truth found": { line: { colour: truth, width: 1.25, dash: [] }, glyph: "check", name: "object, found" },
  "truth missed": {
    line: { colour: truth, width: 2, dash: [2, 3] },
    glyph: "ring",
    name: "object, missed",
  },
  "truth plain": { line: { colour: truth, width: 1.25, dash: [] }, glyph: "none", name: "object" },
  "look plain": {
    line: { colour: look, width: 3, dash: [], corners: true, fill: "rgba(53, 208, 127, 0.14)" },
    glyph: "eye",
    name: "look region",
  },
  "ignore plain": { line: { colour: ignore, width: 1.5, dash: [] }, glyph: "none", name: "ignore region" },
};

/** How a mark looks. */
export function styleOf({ layer, state }: Pick<Mark, "layer" | "state">): MarkStyle {
  return styles[`${layer} ${state}`] ?? styles[`${layer} plain`]!;
}

/** Marks within a picture that look alike, once each, in the order of the layers: what a legend explains. */
export function legendOf(marks: readonly Mark[]): readonly Pick<Mark, "layer" | "state">[] {
  const there = new Set(marks.map(({ layer, state }) => `${layer} ${state}`));
  return Object.keys(styles)
    .filter((key) => there.has(key))
    .map((key) => {
      const [layer, state] = key.split(" ") as [Mark["layer"], MarkState];
      return { layer, state };
    });
}

/**
 * The mark under a point of the scene: the smallest box that holds it. Pointing again at the same place goes on to the
 * next larger one.
 * @param slack how far outside of its edge a mark can still be hit, in the scene's units
 */
export function markAt(
  marks: readonly Mark[],
  point: { readonly x: number; readonly y: number },
  options: { readonly slack?: number; readonly after?: string } = {},
): Mark | undefined {
  const { slack = 0, after } = options;
  const area = ({ box }: Mark) => (box.x2 - box.x1) * (box.y2 - box.y1);
  const under = marks
    .filter(
      ({ box }) =>
        point.x >= box.x1 - slack &&
        point.x <= box.x2 + slack &&
        point.y >= box.y1 - slack &&
        point.y <= box.y2 + slack,
    )
    .toSorted((a, b) => area(a) - area(b));
  const last = under.findIndex(({ id }) => id === after);
  return under[(last + 1) % Math.max(1, under.length)];
}
