/** @file Draws in a figure's own units: origin at the feet on the ground, y up, 1 = the figure's height. */
import type { Colour } from "./colour.js";
import type { Raster } from "./raster.js";

/** Where and how a figure stands in the picture. */
export interface Placement {
  /** Pixel of the ground point. */
  readonly x: number;
  readonly y: number;
  /** Pixels of one unit. */
  readonly height: number;
  /** -1 mirrors the figure. */
  readonly facing: 1 | -1;
  /** What the air and the light make of a colour at this depth. */
  readonly tint: (colour: Colour) => Colour;
}

/** Shapes in figure units, painted under whatever id the raster is set to. */
export class Pen {
  private readonly raster: Raster;
  private readonly at: Placement;

  constructor(raster: Raster, at: Placement) {
    this.raster = raster;
    this.at = at;
  }

  /** A tapered limb from (ax, ay) to (bx, by). */
  limb(ax: number, ay: number, bx: number, by: number, ra: number, rb: number, colour: Colour): void {
    const { height } = this.at;
    this.raster.capsule(
      this.px(ax),
      this.py(ay),
      this.px(bx),
      this.py(by),
      ra * height,
      rb * height,
      this.at.tint(colour),
    );
  }

  /** An upright ellipse. */
  oval(cx: number, cy: number, rx: number, ry: number, colour: Colour): void {
    const { height } = this.at;
    this.raster.ellipse(this.px(cx), this.py(cy), rx * height, ry * height, this.at.tint(colour));
  }

  /** A rounded rectangle of half-sides hx, hy. */
  block(cx: number, cy: number, hx: number, hy: number, radius: number, colour: Colour): void {
    const { height } = this.at;
    this.raster.roundRect(
      this.px(cx),
      this.py(cy),
      hx * height,
      hy * height,
      radius * height,
      this.at.tint(colour),
    );
  }

  /** An upright trapezium, symmetric about x = cx: half-widths at the top and at the bottom. */
  skirt(cx: number, top: number, bottom: number, halfTop: number, halfBottom: number, colour: Colour): void {
    const { height } = this.at;
    const x = this.px(cx);
    const a = halfTop * height;
    const b = halfBottom * height;
    const y1 = this.py(top);
    const y2 = this.py(bottom);
    this.raster.convex([x - a, y1, x + a, y1, x + b, y2, x - b, y2], this.at.tint(colour));
  }

  private px(x: number): number {
    return this.at.x + x * this.at.height * this.at.facing;
  }

  private py(y: number): number {
    return this.at.y - y * this.at.height;
  }
}
