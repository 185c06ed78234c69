/**
 * @file Pictures of what a policy saw and said: ground truth, look regions (green), answers (orange; a hit solid, a
 * false alarm dashed), ignore regions (hatched) and a group's disagreement as a heat map, side by side in one PNG.
 */
import { createCanvas, ImageData, type Canvas, type SKRSContext2D } from "@napi-rs/canvas";
import type { RgbImage } from "../base/index.js";
import type { Box } from "../geometry/box.js";
import { heatColour, palette } from "./palette.js";
import { drawText, fitText } from "./text.js";

/** An answer box and what became of it in the matching. */
export interface OverlayAnswer {
  readonly box: Box<"image">;
  /** `hit` = matched, `miss` = a false alarm, `ignored` = inside an ignore region, `unknown` = no ground truth. */
  readonly verdict: "hit" | "miss" | "ignored" | "unknown";
}

/** A grid over the image with a value in 0..1 in each cell. */
export interface HeatMap {
  readonly columns: number;
  readonly rows: number;
  /** Side of a cell in pixels of the original image. */
  readonly cell: number;
  /** rows x columns, row-major. */
  readonly values: ArrayLike<number>;
}

/** One picture with what is drawn on it. */
export interface OverlayPanel {
  readonly image: RgbImage;
  readonly title?: string;
  /** A line under the picture. */
  readonly caption?: string;
  readonly truth?: readonly Box<"image">[];
  readonly ignore?: readonly Box<"image">[];
  readonly look?: readonly Box<"image">[];
  readonly answers?: readonly OverlayAnswer[];
  readonly heat?: HeatMap;
}

/** Options of {@link renderPanels}. */
export interface OverlayOptions {
  /** A picture's longer side is scaled up to at least this many pixels. @default 480 */
  readonly minSide?: number;
  /** ... and down to at most this many. @default 960 */
  readonly maxSide?: number;
  /** Panels in a row. @default all in one */
  readonly columns?: number;
  /** Explain the colours under the panels. @default true */
  readonly legend?: boolean;
}

const MARGIN = 12;
const LINE = 20;

function scaleOf(image: RgbImage, { minSide = 480, maxSide = 960 }: OverlayOptions): number {
  const side = Math.max(image.width, image.height);
  return side < minSide ? minSide / side : side > maxSide ? maxSide / side : 1;
}

function toCanvas(image: RgbImage): Canvas {
  const canvas = createCanvas(image.width, image.height);
  const rgba = new Uint8ClampedArray(4 * image.width * image.height);
  for (let i = 0, j = 0; j < rgba.length; i += 3, j += 4) {
    rgba[j] = image.data[i]!;
    rgba[j + 1] = image.data[i + 1]!;
    rgba[j + 2] = image.data[i + 2]!;
    rgba[j + 3] = 255;
  }
  canvas.getContext("2d").putImageData(new ImageData(rgba, image.width, image.height), 0, 0);
  return canvas;
}

/** A rectangle's outline with a dark edge, so that it shows on light and on dark ground. */
function outline(
  context: SKRSContext2D,
  box: Box<"image">,
  scale: number,
  style: { readonly colour: string; readonly width: number; readonly dash?: readonly number[] },
): void {
  const rectangle = [
    box.x1 * scale,
    box.y1 * scale,
    (box.x2 - box.x1) * scale,
    (box.y2 - box.y1) * scale,
  ] as const;
  context.setLineDash([...(style.dash ?? [])]);
  context.lineWidth = style.width + 2;
  context.strokeStyle = palette.halo;
  context.strokeRect(...rectangle);
  context.lineWidth = style.width;
  context.strokeStyle = style.colour;
  context.strokeRect(...rectangle);
  context.setLineDash([]);
}

function hatch(context: SKRSContext2D, box: Box<"image">, scale: number): void {
  const [left, top, right, bottom] = [box.x1, box.y1, box.x2, box.y2].map((value) => value * scale) as [
    number,
    number,
    number,
    number,
  ];
  context.save();
  context.beginPath();
  context.rect(left, top, right - left, bottom - top);
  context.clip();
  context.fillStyle = palette.ignoreFill;
  context.fillRect(left, top, right - left, bottom - top);
  context.strokeStyle = palette.ignore;
  context.lineWidth = 1.5;
  context.beginPath();
  for (let x = left - (bottom - top); x < right; x += 9) {
    context.moveTo(x, bottom);
    context.lineTo(x + (bottom - top), top);
  }
  context.stroke();
  context.strokeRect(left, top, right - left, bottom - top);
  context.restore();
}

function drawHeat(context: SKRSContext2D, heat: HeatMap, scale: number): void {
  const side = heat.cell * scale;
  for (let row = 0; row < heat.rows; row++)
    for (let column = 0; column < heat.columns; column++) {
      const value = heat.values[row * heat.columns + column]!;
      if (!(value > 0)) continue;
      context.fillStyle = heatColour(value);
      // Whole pixels: fractional edges would leave seams between neighbouring cells.
      const [x, y] = [Math.floor(column * side), Math.floor(row * side)];
      context.fillRect(x, y, Math.floor((column + 1) * side) - x, Math.floor((row + 1) * side) - y);
    }
}

/** Draws one panel's picture with its top left corner at the origin. */
function drawPicture(context: SKRSContext2D, panel: OverlayPanel, scale: number): void {
  const { image } = panel;
  const [width, height] = [Math.round(image.width * scale), Math.round(image.height * scale)];
  context.save();
  context.beginPath();
  context.rect(0, 0, width, height);
  context.clip();
  context.imageSmoothingEnabled = true;
  context.imageSmoothingQuality = "high";
  context.drawImage(toCanvas(image), 0, 0, width, height);
  if (panel.heat) {
    context.fillStyle = palette.heatVeil;
    context.fillRect(0, 0, width, height);
    drawHeat(context, panel.heat, scale);
  }
  for (const box of panel.ignore ?? []) hatch(context, box, scale);
  for (const box of panel.look ?? []) {
    context.fillStyle = palette.lookFill;
    context.fillRect(box.x1 * scale, box.y1 * scale, (box.x2 - box.x1) * scale, (box.y2 - box.y1) * scale);
    outline(context, box, scale, { colour: palette.look, width: 2 });
  }
  for (const box of panel.truth ?? []) outline(context, box, scale, { colour: palette.truth, width: 1.5 });
  for (const { box, verdict } of panel.answers ?? [])
    outline(context, box, scale, {
      colour: verdict === "ignored" ? palette.answerIgnored : palette.answer,
      width: 2.5,
      dash: verdict === "miss" ? [7, 5] : verdict === "ignored" ? [2, 4] : [],
    });
  context.restore();
}

type LegendEntry = { readonly text: string; readonly draw: (context: SKRSContext2D) => void };

function legendOf(panels: readonly OverlayPanel[]): LegendEntry[] {
  const swatch = { x1: 1, y1: 2, x2: 21, y2: 14 } as Box<"image">;
  const any = (test: (panel: OverlayPanel) => boolean) => panels.some(test);
  const line = (text: string, colour: string, width: number, dash: readonly number[] = []): LegendEntry => ({
    text,
    draw: (context) => outline(context, swatch, 1, { colour, width, dash }),
  });
  const verdict = (name: OverlayAnswer["verdict"]) =>
    any((panel) => panel.answers?.some((answer) => answer.verdict === name) ?? false);
  return [
    ...(any((panel) => (panel.truth?.length ?? 0) > 0) ? [line("ground truth", palette.truth, 1.5)] : []),
    ...(any((panel) => (panel.look?.length ?? 0) > 0) ? [line("look", palette.look, 2)] : []),
    ...(verdict("unknown") ? [line("answer", palette.answer, 2.5)] : []),
    ...(verdict("hit") ? [line("answer, hit", palette.answer, 2.5)] : []),
    ...(verdict("miss") ? [line("answer, false alarm", palette.answer, 2.5, [7, 5])] : []),
    ...(verdict("ignored") ? [line("answer, ignored", palette.answerIgnored, 2.5, [2, 4])] : []),
    ...(any((panel) => (panel.ignore?.length ?? 0) > 0)
      ? [{ text: "ignore region", draw: (context: SKRSContext2D) => hatch(context, swatch, 1) }]
      : []),
    ...(any((panel) => panel.heat !== undefined)
      ? [
          {
            text: "disagreement, low to high",
            draw: (context: SKRSContext2D) => {
              for (let x = 0; x < 22; x++) {
                context.fillStyle = heatColour((x + 1) / 22);
                context.fillRect(x, 2, 1, 12);
              }
            },
          },
        ]
      : []),
  ];
}

/**
 * Draws panels side by side.
 * @returns a PNG.
 * @example renderPanels([{ image, title: "before", truth, answers }, { image, title: "after", truth, answers }])
 */
export async function renderPanels(
  panels: readonly OverlayPanel[],
  options: OverlayOptions = {},
): Promise<Buffer> {
  const columns = Math.max(1, Math.min(options.columns ?? panels.length, panels.length));
  const placed = panels.map((panel) => {
    const scale = scaleOf(panel.image, options);
    return {
      panel,
      scale,
      width: Math.round(panel.image.width * scale),
      height: Math.round(panel.image.height * scale),
    };
  });
  const titled = panels.some((panel) => panel.title !== undefined) ? LINE + 4 : 0;
  const captioned = panels.some((panel) => panel.caption !== undefined) ? LINE + 4 : 0;
  const cellWidth = Math.max(0, ...placed.map(({ width }) => width));
  const rows = Array.from({ length: Math.ceil(placed.length / columns) }, (_, row) =>
    placed.slice(row * columns, (row + 1) * columns),
  );
  const heights = rows.map(
    (row) => titled + Math.max(...row.map(({ height }) => height)) + captioned + MARGIN,
  );

  const totalWidth = MARGIN + columns * (cellWidth + MARGIN);
  const legend = (options.legend ?? true) ? legendOf(panels) : [];
  // Entries flow over as many lines as they need; widths are measured on a scratch canvas.
  const measure = createCanvas(1, 1).getContext("2d");
  const legendAt: { entry: LegendEntry; x: number; line: number }[] = [];
  let [x, line] = [MARGIN, 0];
  for (const entry of legend) {
    const width = 28 + drawText(measure, entry.text, 0, 0, { size: 13, dry: true }) + 18;
    if (x > MARGIN && x + width > totalWidth) [x, line] = [MARGIN, line + 1];
    legendAt.push({ entry, x, line });
    x += width;
  }
  const legendHeight = legend.length > 0 ? (line + 1) * LINE + MARGIN : 0;

  const canvas = createCanvas(
    totalWidth,
    MARGIN + heights.reduce((sum, height) => sum + height, 0) + legendHeight,
  );
  const context = canvas.getContext("2d");
  context.fillStyle = palette.background;
  context.fillRect(0, 0, canvas.width, canvas.height);
  let y = MARGIN;
  for (const [index, row] of rows.entries()) {
    for (const [column, { panel, scale, height }] of row.entries()) {
      const left = MARGIN + column * (cellWidth + MARGIN);
      const text = (content: string, size: number, colour: string, top: number, bold = false) =>
        drawText(context, fitText(context, content, cellWidth, { size, bold }), left, top, {
          size,
          colour,
          bold,
        });
      if (panel.title !== undefined) text(panel.title, 15, palette.text, y, true);
      context.save();
      context.translate(left, y + titled);
      drawPicture(context, panel, scale);
      context.restore();
      if (panel.caption !== undefined) text(panel.caption, 13, palette.muted, y + titled + height + 5);
    }
    y += heights[index]!;
  }
  for (const { entry, x: left, line: at } of legendAt) {
    const top = y + at * LINE;
    context.save();
    context.translate(left, top);
    entry.draw(context);
    context.restore();
    drawText(context, entry.text, left + 28, top, { size: 13, colour: palette.muted });
  }
  return canvas.encode("png");
}
