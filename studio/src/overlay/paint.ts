/** @file Puts a display list on a canvas, crisp at any device pixel ratio. */
import { heatCellColour, type Shape, type Stroke } from "./display-list.js";
import type { HeatGrid } from "./marks.js";
import type { StageRect } from "./viewport.js";

/** What the picture may be: an image that has loaded, or none yet. */
export type Picture = HTMLImageElement | ImageBitmap | HTMLCanvasElement | undefined;

/** The face of numbers in tags. */
export const TAG_FONT = 'ui-sans-serif, system-ui, -apple-system, "Segoe UI", Roboto, sans-serif';

const heatCanvases = new WeakMap<HeatGrid, { opacity: number; canvas: HTMLCanvasElement }>();

/** The grid as a tiny picture, a pixel a cell; kept until its opacity changes. */
function heatCanvas(grid: HeatGrid, opacity: number): HTMLCanvasElement {
  const kept = heatCanvases.get(grid);
  if (kept?.opacity === opacity) return kept.canvas;
  const canvas = document.createElement("canvas");
  canvas.width = grid.columns;
  canvas.height = grid.rows;
  const context = canvas.getContext("2d")!;
  const pixels = context.createImageData(grid.columns, grid.rows);
  for (let u = 0; u < grid.columns * grid.rows; u++) {
    const [r, g, b, alpha] = heatCellColour(grid.values[u] ?? 0, opacity);
    pixels.data.set([r, g, b, Math.round(255 * alpha)], 4 * u);
  }
  context.putImageData(pixels, 0, 0);
  heatCanvases.set(grid, { opacity, canvas });
  return canvas;
}

function setStroke(context: CanvasRenderingContext2D, { colour, width, dash = [] }: Stroke): void {
  context.strokeStyle = colour;
  context.lineWidth = width;
  context.setLineDash([...dash]);
}

/** Edges on whole device pixels, so that thin lines are not blurred over two. */
function snapped({ x, y, width, height }: StageRect, ratio: number): StageRect {
  const at = (value: number) => Math.round(value * ratio) / ratio;
  const [left, top] = [at(x), at(y)];
  return { x: left, y: top, width: at(x + width) - left, height: at(y + height) - top };
}

function paintShape(
  context: CanvasRenderingContext2D,
  shape: Shape,
  picture: Picture,
  ratio: number,
  unit: number,
): void {
  switch (shape.kind) {
    case "picture": {
      const { x, y, width, height } = snapped(shape.rect, ratio);
      if (picture === undefined) {
        context.fillStyle = "#585b63";
        context.fillRect(x, y, width, height);
        return;
      }
      context.imageSmoothingEnabled = shape.smooth || width * ratio < picture.width;
      context.imageSmoothingQuality = "high";
      context.drawImage(picture, x, y, width, height);
      return;
    }
    case "heat": {
      const { grid, opacity, rect } = shape;
      context.save();
      context.beginPath();
      context.rect(rect.x, rect.y, rect.width, rect.height);
      context.clip();
      context.imageSmoothingEnabled = shape.smooth;
      // The last column and row may reach over the edge: cells are squares of one size.
      context.drawImage(
        heatCanvas(grid, opacity),
        rect.x,
        rect.y,
        grid.columns * grid.cell * unit,
        grid.rows * grid.cell * unit,
      );
      context.restore();
      return;
    }
    case "rect": {
      const rect = snapped(shape.rect, ratio);
      context.beginPath();
      if (shape.radius === undefined) context.rect(rect.x, rect.y, rect.width, rect.height);
      else context.roundRect(rect.x, rect.y, rect.width, rect.height, shape.radius);
      if (shape.fill !== undefined) {
        context.fillStyle = shape.fill;
        context.fill();
      }
      if (shape.stroke !== undefined) {
        setStroke(context, shape.stroke);
        context.stroke();
      }
      return;
    }
    case "lines": {
      context.save();
      if (shape.clip !== undefined) {
        context.beginPath();
        context.rect(shape.clip.x, shape.clip.y, shape.clip.width, shape.clip.height);
        context.clip();
      }
      setStroke(context, shape.stroke);
      context.beginPath();
      for (const run of shape.runs)
        for (let i = 0; i < run.length; i += 2) {
          if (i === 0) context.moveTo(run[0]!, run[1]!);
          else context.lineTo(run[i]!, run[i + 1]!);
        }
      context.stroke();
      context.restore();
      return;
    }
    case "circle": {
      context.beginPath();
      context.arc(shape.x, shape.y, shape.radius, 0, 2 * Math.PI);
      if (shape.fill !== undefined) {
        context.fillStyle = shape.fill;
        context.fill();
      }
      if (shape.stroke !== undefined) {
        setStroke(context, shape.stroke);
        context.stroke();
      }
      return;
    }
    case "text":
      context.fillStyle = shape.colour;
      context.font = `600 ${shape.size}px ${TAG_FONT}`;
      context.textBaseline = "alphabetic";
      context.fillText(shape.text, shape.x, shape.y);
  }
}

/**
 * Paints a whole list; what was there before is cleared.
 * @param ratio device pixels a CSS pixel
 * @param unit CSS pixels a unit of the scene
 */
export function paint(
  canvas: HTMLCanvasElement,
  shapes: readonly Shape[],
  options: {
    readonly width: number;
    readonly height: number;
    readonly ratio: number;
    readonly unit: number;
    readonly picture: Picture;
  },
): void {
  const { width, height, ratio, unit, picture } = options;
  const [wide, high] = [Math.max(1, Math.round(width * ratio)), Math.max(1, Math.round(height * ratio))];
  if (canvas.width !== wide) canvas.width = wide;
  if (canvas.height !== high) canvas.height = high;
  const context = canvas.getContext("2d");
  if (context === null) return;
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  context.lineJoin = "miter";
  for (const shape of shapes) paintShape(context, shape, picture, ratio, unit);
}
