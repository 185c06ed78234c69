/**
 * @file A chart as a few shapes, for papers: the same shapes become SVG (text stays text, lines stay lines) and, at any
 * resolution, PNG.
 */

/** A shape; pixels of the scene, y downwards. */
export type Shape =
  | {
      readonly kind: "line";
      /** Pieces between gaps. */
      readonly pieces: readonly (readonly (readonly [number, number])[])[];
      readonly stroke: string;
      readonly width: number;
      readonly dash?: readonly number[];
      readonly opacity?: number;
    }
  | {
      readonly kind: "area";
      readonly points: readonly (readonly [number, number])[];
      readonly fill: string;
      readonly opacity: number;
    }
  | {
      readonly kind: "text";
      readonly x: number;
      readonly y: number;
      readonly text: string;
      readonly anchor: "start" | "middle" | "end";
      readonly size: number;
      readonly fill: string;
      readonly bold?: boolean;
    };

/** Shapes on a ground. */
export interface Scene {
  readonly width: number;
  readonly height: number;
  readonly background: string;
  readonly shapes: readonly Shape[];
}

const FONT = "Helvetica, Arial, 'Liberation Sans', sans-serif";

/** Text for XML: names of runs are anybody's. Characters that XML cannot hold become U+FFFD. */
export function xml(text: string): string {
  return text
    .replaceAll(/[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu, "\uFFFD")
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}

const at = (value: number) => String(Math.round(value * 100) / 100);
const path = (points: readonly (readonly [number, number])[]) =>
  points.map(([x, y], i) => `${i === 0 ? "M" : "L"}${at(x)} ${at(y)}`).join("");

function shapeSvg(shape: Shape): string {
  switch (shape.kind) {
    case "line": {
      const dash = shape.dash?.length ? ` stroke-dasharray="${shape.dash.join(" ")}"` : "";
      const opacity = shape.opacity === undefined ? "" : ` stroke-opacity="${shape.opacity}"`;
      return `<path d="${shape.pieces.map(path).join("")}" fill="none" stroke="${xml(shape.stroke)}" stroke-width="${shape.width}" stroke-linejoin="round"${dash}${opacity}/>`;
    }
    case "area":
      return `<path d="${path(shape.points)}Z" fill="${xml(shape.fill)}" fill-opacity="${shape.opacity}"/>`;
    case "text":
      return `<text x="${at(shape.x)}" y="${at(shape.y)}" text-anchor="${shape.anchor}" font-size="${shape.size}"${shape.bold ? ' font-weight="600"' : ""} fill="${xml(shape.fill)}">${xml(shape.text)}</text>`;
  }
}

/** The scene as a file of its own. */
export function sceneSvg({ width, height, background, shapes }: Scene): string {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="${FONT}">`,
    `<rect width="${width}" height="${height}" fill="${xml(background)}"/>`,
    ...shapes.map(shapeSvg),
    "</svg>\n",
  ].join("\n");
}

/** Draws the scene on a canvas that is already scaled. */
function paint(context: CanvasRenderingContext2D, { width, height, background, shapes }: Scene): void {
  context.fillStyle = background;
  context.fillRect(0, 0, width, height);
  for (const shape of shapes) {
    context.save();
    if (shape.kind === "text") {
      context.font = `${shape.bold === true ? "600 " : ""}${shape.size}px ${FONT}`;
      context.textAlign = shape.anchor === "middle" ? "center" : shape.anchor;
      context.fillStyle = shape.fill;
      context.fillText(shape.text, shape.x, shape.y);
    } else {
      context.beginPath();
      for (const piece of shape.kind === "line" ? shape.pieces : [shape.points])
        for (const [i, [x, y]] of piece.entries())
          if (i === 0) context.moveTo(x, y);
          else context.lineTo(x, y);
      context.globalAlpha = shape.opacity ?? 1;
      if (shape.kind === "area") {
        context.fillStyle = shape.fill;
        context.fill();
      } else {
        context.strokeStyle = shape.stroke;
        context.lineWidth = shape.width;
        context.lineJoin = "round";
        context.setLineDash([...(shape.dash ?? [])]);
        context.stroke();
      }
    }
    context.restore();
  }
}

/** The scene as a PNG. @param scale Pixels of the picture a pixel of the scene. @default 3 */
export async function scenePng(scene: Scene, scale = 3): Promise<Blob> {
  const canvas = document.createElement("canvas");
  canvas.width = Math.round(scene.width * scale);
  canvas.height = Math.round(scene.height * scale);
  const context = canvas.getContext("2d")!;
  context.scale(scale, scale);
  paint(context, scene);
  return new Promise((resolve, reject) => {
    canvas.toBlob(
      (blob) => (blob ? resolve(blob) : reject(new Error("The browser could not make the picture"))),
      "image/png",
    );
  });
}
