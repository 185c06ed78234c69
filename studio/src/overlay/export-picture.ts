/** @file PNG and SVG of exactly what is shown on a stage. */
import type { Shape } from "./display-list.js";
import { paint, type Picture } from "./paint.js";
import { svgOf } from "./svg.js";

/** What is shown. */
export interface ShownStage {
  readonly shapes: readonly Shape[];
  readonly width: number;
  readonly height: number;
  /** CSS pixels a unit of the scene. */
  readonly unit: number;
  readonly picture: Picture;
  readonly title: string;
}

/** The stage as a PNG, at least twice as fine as CSS pixels, for print. */
export async function stagePng({ shapes, width, height, unit, picture }: ShownStage): Promise<Blob> {
  const canvas = document.createElement("canvas");
  paint(canvas, shapes, { width, height, unit, picture, ratio: Math.max(2, window.devicePixelRatio) });
  return new Promise((resolve, reject) => {
    canvas.toBlob((blob) => {
      if (blob === null) reject(new Error("the picture is too large for this browser to save"));
      else resolve(blob);
    }, "image/png");
  });
}

function dataUrl(picture: Exclude<Picture, undefined>): string {
  const canvas = document.createElement("canvas");
  canvas.width = picture instanceof HTMLImageElement ? picture.naturalWidth : picture.width;
  canvas.height = picture instanceof HTMLImageElement ? picture.naturalHeight : picture.height;
  canvas.getContext("2d")!.drawImage(picture, 0, 0);
  return canvas.toDataURL("image/png");
}

/** The stage as SVG: the picture at its own resolution, every mark a shape. */
export function stageSvg({ shapes, width, height, unit, picture, title }: ShownStage): Blob {
  const text = svgOf(shapes, {
    width,
    height,
    unit,
    title,
    picture: picture === undefined ? undefined : dataUrl(picture),
  });
  return new Blob([text], { type: "image/svg+xml" });
}
