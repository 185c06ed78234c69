/** @file A display list as an SVG file: the picture embedded, every mark a shape that can be edited, nothing linked. */
import { heatCellColour, type Shape, type Stroke } from "./display-list.js";
import { TAG_FONT } from "./paint.js";
import type { StageRect } from "./viewport.js";

/** Text within SVG, safe in content and in attributes. */
export function escapeXml(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")
    .replaceAll("'", "&#39;");
}

const short = (value: number): string => String(Math.round(value * 100) / 100);

const at = ({ x, y, width, height }: StageRect): string =>
  `x="${short(x)}" y="${short(y)}" width="${short(width)}" height="${short(height)}"`;

function strokeOf(stroke: Stroke | undefined): string {
  if (stroke === undefined) return "";
  const { colour, width, dash = [] } = stroke;
  const dashes = dash.length > 0 ? ` stroke-dasharray="${dash.map(short).join(" ")}"` : "";
  return ` stroke="${escapeXml(colour)}" stroke-width="${short(width)}"${dashes}`;
}

const fillOf = (fill: string | undefined): string =>
  ` fill="${fill === undefined ? "none" : escapeXml(fill)}"`;

/** Cells of equal colour in a row are one rectangle: a map is mostly empty, and files stay small. */
function heatRects({ grid, opacity }: Extract<Shape, { kind: "heat" }>, x: number, y: number, unit: number) {
  const side = grid.cell * unit;
  const rects: string[] = [];
  for (let row = 0; row < grid.rows; row++)
    for (let column = 0; column < grid.columns;) {
      const value = grid.values[row * grid.columns + column] ?? 0;
      let end = column + 1;
      while (end < grid.columns && grid.values[row * grid.columns + end] === value) end++;
      if (value > 0) {
        const [r, g, b, alpha] = heatCellColour(value, opacity);
        const rect = { x: x + column * side, y: y + row * side, width: (end - column) * side, height: side };
        rects.push(`<rect ${at(rect)} fill="rgb(${r},${g},${b})" fill-opacity="${short(alpha)}"/>`);
      }
      column = end;
    }
  return rects.join("");
}

function shapeText(shape: Shape, index: number, picture: string | undefined, unit: number): string {
  switch (shape.kind) {
    case "picture":
      return picture === undefined
        ? `<rect ${at(shape.rect)} fill="#585b63"/>`
        : `<image ${at(shape.rect)} preserveAspectRatio="none"${shape.smooth ? "" : ' style="image-rendering:pixelated"'} href="${escapeXml(picture)}"/>`;
    case "heat":
      return (
        `<clipPath id="c${index}"><rect ${at(shape.rect)}/></clipPath>` +
        `<g clip-path="url(#c${index})" shape-rendering="crispEdges">${heatRects(shape, shape.rect.x, shape.rect.y, unit)}</g>`
      );
    case "rect":
      return `<rect ${at(shape.rect)}${shape.radius === undefined ? "" : ` rx="${short(shape.radius)}"`}${fillOf(shape.fill)}${strokeOf(shape.stroke)}/>`;
    case "lines": {
      const path = shape.runs
        .map((run) => {
          const points = Array.from(
            { length: run.length / 2 },
            (_, i) => `${short(run[2 * i]!)} ${short(run[2 * i + 1]!)}`,
          );
          return `M${points.join("L")}`;
        })
        .join("");
      const drawn = `<path d="${path}" fill="none"${strokeOf(shape.stroke)}/>`;
      if (shape.clip === undefined) return drawn;
      return `<clipPath id="c${index}"><rect ${at(shape.clip)}/></clipPath><g clip-path="url(#c${index})">${drawn}</g>`;
    }
    case "circle":
      return `<circle cx="${short(shape.x)}" cy="${short(shape.y)}" r="${short(shape.radius)}"${fillOf(shape.fill)}${strokeOf(shape.stroke)}/>`;
    case "text":
      return `<text x="${short(shape.x)}" y="${short(shape.y)}" font-family="${escapeXml(TAG_FONT)}" font-weight="600" font-size="${shape.size}" fill="${escapeXml(shape.colour)}">${escapeXml(shape.text)}</text>`;
  }
}

/**
 * The whole list as an SVG document.
 * @param options.picture the image as a data: URL; a grey ground where there is none
 * @param options.title what the picture shows, for those who cannot see it
 */
export function svgOf(
  shapes: readonly Shape[],
  options: {
    readonly width: number;
    readonly height: number;
    readonly unit: number;
    readonly title: string;
    readonly picture?: string | undefined;
  },
): string {
  const { width, height, unit, title, picture } = options;
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" width="${short(width)}" height="${short(height)}" viewBox="0 0 ${short(width)} ${short(height)}">` +
    `<title>${escapeXml(title)}</title>` +
    shapes.map((shape, index) => shapeText(shape, index, picture, unit)).join("") +
    "</svg>\n"
  );
}
