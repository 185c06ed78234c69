/** @file How entries are told apart in plots: by colour, and without it by dash and by the sign of their points. */
import type { Shape } from "../charts/scene.js";

/** Signs of points. */
const SIGNS = ["circle", "square", "triangle", "diamond", "plus", "cross", "down", "ring"] as const;
/** One of them. */
export type Sign = (typeof SIGNS)[number];

const DASHES: readonly (readonly number[])[] = [
  [],
  [7, 4],
  [2, 3],
  [10, 3, 2, 3],
  [14, 4],
  [4, 2],
  [1, 4],
  [10, 2, 2, 2, 2, 2],
];

/** How an entry looks. */
export interface EntryLook {
  /** Of the design's tokens. */
  readonly colour: `--series-${1 | 2 | 3 | 4 | 5 | 6}`;
  readonly dash: readonly number[];
  readonly sign: Sign;
}

const COLOURS = ["--series-1", "--series-2", "--series-3", "--series-4", "--series-5", "--series-6"] as const;

/** The look of the k-th entry. */
export function entryLook(k: number): EntryLook {
  return {
    colour: COLOURS[k % COLOURS.length]!,
    dash: DASHES[k % DASHES.length]!,
    sign: SIGNS[k % SIGNS.length]!,
  };
}

const circle = (x: number, y: number, radius: number, corners = 24): [number, number][] =>
  Array.from({ length: corners + 1 }, (_, i) => {
    const angle = (2 * Math.PI * i) / corners;
    return [x + radius * Math.cos(angle), y + radius * Math.sin(angle)];
  });

/** A point's sign as shapes; those that are areas get an edge of the ground's colour, so that they stand apart. */
export function signShapes(
  sign: Sign,
  x: number,
  y: number,
  options: { readonly size: number; readonly colour: string; readonly ground: string },
): Shape[] {
  const { size: r, colour, ground } = options;
  const filled = (points: readonly (readonly [number, number])[]): Shape[] => [
    { kind: "area", points, fill: colour, opacity: 1 },
    { kind: "line", pieces: [[...points, points[0]!]], stroke: ground, width: 1 },
  ];
  const lines = (...pieces: [number, number][][]): Shape[] => [
    { kind: "line", pieces, stroke: ground, width: 5 },
    { kind: "line", pieces, stroke: colour, width: 2.5 },
  ];
  switch (sign) {
    case "circle":
      return filled(circle(x, y, r));
    case "square":
      return filled([
        [x - 0.88 * r, y - 0.88 * r],
        [x + 0.88 * r, y - 0.88 * r],
        [x + 0.88 * r, y + 0.88 * r],
        [x - 0.88 * r, y + 0.88 * r],
      ]);
    case "triangle":
      return filled([
        [x, y - 1.15 * r],
        [x + 1.1 * r, y + 0.85 * r],
        [x - 1.1 * r, y + 0.85 * r],
      ]);
    case "down":
      return filled([
        [x, y + 1.15 * r],
        [x + 1.1 * r, y - 0.85 * r],
        [x - 1.1 * r, y - 0.85 * r],
      ]);
    case "diamond":
      return filled([
        [x, y - 1.25 * r],
        [x + 1.1 * r, y],
        [x, y + 1.25 * r],
        [x - 1.1 * r, y],
      ]);
    case "plus":
      return lines(
        [
          [x - r, y],
          [x + r, y],
        ],
        [
          [x, y - r],
          [x, y + r],
        ],
      );
    case "cross":
      return lines(
        [
          [x - 0.85 * r, y - 0.85 * r],
          [x + 0.85 * r, y + 0.85 * r],
        ],
        [
          [x - 0.85 * r, y + 0.85 * r],
          [x + 0.85 * r, y - 0.85 * r],
        ],
      );
    case "ring":
      return lines(circle(x, y, 0.9 * r));
  }
}

/** A filled circle of a given area, for counts. */
export function bubble(
  x: number,
  y: number,
  radius: number,
  fill: string,
  opacity: number,
  edge: string,
): Shape[] {
  const points = circle(x, y, radius, 32);
  return [
    { kind: "area", points, fill, opacity },
    { kind: "line", pieces: [points], stroke: edge, width: 1 },
  ];
}
