/** @file Pictures whose answer is known: rectangles of plain colours on grey, in sizes on both sides of what servers resize. */
import type { RgbImage } from "../../../base/rgb-image.js";
import { createRng } from "../../../base/rng.js";
import type { Box } from "../../../geometry/box.js";

/** One picture and what is on it, in its own pixels. */
export interface CalibrationScene {
  readonly image: RgbImage;
  readonly objects: readonly { readonly box: Box<"image">; readonly label: string }[];
}

/** What is looked for; each picture has one of each of its colours. */
export const calibrationColours = {
  red: [220, 30, 30],
  green: [20, 150, 50],
  blue: [30, 60, 220],
  yellow: [240, 210, 20],
  black: [15, 15, 15],
} as const satisfies Record<string, readonly [number, number, number]>;

/** The label of a colour's rectangle. */
export const calibrationLabel = (colour: string): string => `${colour} rectangle`;

/** Labels of all rectangles. */
export const calibrationLabels: readonly string[] = Object.keys(calibrationColours).map(calibrationLabel);

/** Width and height: landscape, portrait and square, small and large; no two canvases are alike. */
const SIZES = [
  [640, 480],
  [420, 840],
  [1280, 720],
  [900, 900],
  [1120, 1680],
  [2016, 1176],
] as const;

/** At most this many pictures can be drawn. */
export const MOST_SCENES = SIZES.length;

/**
 * Pictures with a rectangle of every colour; the same for the same seed.
 * @param count 1 to 6.
 */
export function calibrationScenes(count: number, seed = 0): CalibrationScene[] {
  return SIZES.slice(0, count).map(([width, height], index) => {
    const rng = createRng(seed + 101 * index);
    const data = new Uint8Array(width * height * 3).fill(200);
    // One cell of a grid of 3 x 2 for each rectangle: they never touch, and lie all over the picture.
    const cells = [0, 1, 2, 3, 4, 5];
    const objects = Object.entries(calibrationColours).map(([colour, rgb]) => {
      const [cell] = cells.splice(rng.int(0, cells.length - 1), 1);
      const [cellWidth, cellHeight] = [width / 3, height / 2];
      const [w, h] = [cellWidth * (0.35 + 0.5 * rng.next()), cellHeight * (0.35 + 0.5 * rng.next())];
      const x1 = Math.round((cell! % 3) * cellWidth + rng.next() * (cellWidth - w));
      const y1 = Math.round(Math.floor(cell! / 3) * cellHeight + rng.next() * (cellHeight - h));
      const box: Box<"image"> = { x1, y1, x2: Math.round(x1 + w), y2: Math.round(y1 + h) };
      for (let y = box.y1; y < box.y2; y++)
        for (let x = box.x1; x < box.x2; x++) data.set(rgb, 3 * (y * width + x));
      return { box, label: calibrationLabel(colour) };
    });
    return { image: { width, height, data }, objects };
  });
}
