/**
 * @file A small rasteriser of implicit shapes with an id-buffer, so that boxes and visibility are measured on the
 * very pixels that are drawn. Only + - * / and sqrt are used: every machine draws the same bytes. Edges are smoothed
 * by the signed distance to the outline, which is the pixel's coverage to first order.
 */
import type { Colour } from "./colour.js";

/** Id of the ground and the backdrop. */
export const GROUND = 0;
/** Ids 1..MAX_PEOPLE are people, in the order of the scene's list. */
export const MAX_PEOPLE = 200;
/** Id of groups that are too dense to separate (ignore regions). */
export const GROUP = 254;
/** Id of everything else that can hide a person. */
export const THING = 255;

/** Pixel-tight bounds, right and bottom exclusive; empty when pixels = 0. */
export interface Extent {
  readonly x1: number;
  readonly y1: number;
  readonly x2: number;
  readonly y2: number;
  /** How many pixels are at least half covered. */
  readonly pixels: number;
}

const IDS = 256;

/** A picture under construction. Paint from back to front; what was painted last is in front. */
export class Raster {
  readonly width: number;
  readonly height: number;
  /** [height, width, 3], 0..255. */
  readonly data: Uint8Array;
  /** [height, width]: who is in front at each pixel. */
  readonly ids: Uint8Array;
  /** Who is being painted; GROUND paints without touching the id-buffer (shadows, texture). */
  id = GROUND;
  /** Opacity of what is painted, 0..1. Coverage, not opacity, decides the id-buffer. */
  alpha = 1;
  // Extent of each id when painted alone (before anything hides it).
  private readonly left = new Int32Array(IDS).fill(0x7fffffff);
  private readonly top = new Int32Array(IDS).fill(0x7fffffff);
  private readonly right = new Int32Array(IDS).fill(-1);
  private readonly bottom = new Int32Array(IDS).fill(-1);
  private readonly count = new Int32Array(IDS);

  constructor(width: number, height: number) {
    this.width = width;
    this.height = height;
    this.data = new Uint8Array(width * height * 3);
    this.ids = new Uint8Array(width * height);
  }

  /** What this id covers inside the picture, hidden parts included. Right only if its shapes were painted in one go. */
  painted(id: number): Extent {
    return {
      x1: this.left[id]!,
      y1: this.top[id]!,
      x2: this.right[id]! + 1,
      y2: this.bottom[id]! + 1,
      pixels: this.count[id]!,
    };
  }

  /** What can still be seen of each id, in one pass over the id-buffer; index = id. */
  visible(): Extent[] {
    const { width, height, ids } = this;
    const x1 = new Int32Array(IDS).fill(width);
    const y1 = new Int32Array(IDS).fill(height);
    const x2 = new Int32Array(IDS);
    const y2 = new Int32Array(IDS);
    const pixels = new Int32Array(IDS);
    for (let y = 0, p = 0; y < height; y++) {
      for (let x = 0; x < width; x++, p++) {
        const id = ids[p]!;
        if (id === GROUND) continue;
        pixels[id]!++;
        if (x < x1[id]!) x1[id] = x;
        if (x >= x2[id]!) x2[id] = x + 1;
        if (y < y1[id]!) y1[id] = y;
        y2[id] = y + 1;
      }
    }
    return Array.from({ length: IDS }, (_, id) => ({
      x1: x1[id]!,
      y1: y1[id]!,
      x2: x2[id]!,
      y2: y2[id]!,
      pixels: pixels[id]!,
    }));
  }

  /** An ellipse with half-axes rx, ry, turned by the angle whose cosine and sine are given. */
  ellipse(cx: number, cy: number, rx: number, ry: number, colour: Colour, cos = 1, sin = 0): void {
    const reachX = Math.sqrt(rx * rx * cos * cos + ry * ry * sin * sin) + 0.5;
    const reachY = Math.sqrt(rx * rx * sin * sin + ry * ry * cos * cos) + 0.5;
    const x0 = this.fromX(cx - reachX);
    const x1 = this.toX(cx + reachX);
    const y1 = this.toY(cy + reachY);
    const ix = 1 / Math.max(rx, 0.05);
    const iy = 1 / Math.max(ry, 0.05);
    const inner = 1 - 0.5 * Math.max(ix, iy);
    const solid = inner > 0 ? inner * inner : -1;
    for (let y = this.fromY(cy - reachY); y < y1; y++) {
      const dy = y + 0.5 - cy;
      for (let x = x0; x < x1; x++) {
        const dx = x + 0.5 - cx;
        const u = (dx * cos + dy * sin) * ix;
        const v = (dy * cos - dx * sin) * iy;
        const q = u * u + v * v;
        if (q <= solid) {
          this.plot(x, y, colour, 256);
          continue;
        }
        // First-order distance: f / |grad f| of f = |(u, v)| - 1.
        const f = Math.sqrt(q);
        const ux = u * ix;
        const vy = v * iy;
        const slope = Math.sqrt(ux * ux + vy * vy);
        this.edge(x, y, colour, slope === 0 ? -1 : (f * (f - 1)) / slope);
      }
    }
  }

  /** A limb: the points nearer to the segment a-b than a radius that goes from ra to rb. */
  capsule(ax: number, ay: number, bx: number, by: number, ra: number, rb: number, colour: Colour): void {
    const x0 = this.fromX(Math.min(ax - ra, bx - rb) - 0.5);
    const x1 = this.toX(Math.max(ax + ra, bx + rb) + 0.5);
    const y1 = this.toY(Math.max(ay + ra, by + rb) + 0.5);
    const ex = bx - ax;
    const ey = by - ay;
    const length2 = ex * ex + ey * ey;
    const scale = length2 === 0 ? 0 : 1 / length2;
    for (let y = this.fromY(Math.min(ay - ra, by - rb) - 0.5); y < y1; y++) {
      const dy = y + 0.5 - ay;
      for (let x = x0; x < x1; x++) {
        const dx = x + 0.5 - ax;
        let t = (dx * ex + dy * ey) * scale;
        t = t < 0 ? 0 : t > 1 ? 1 : t;
        const qx = dx - ex * t;
        const qy = dy - ey * t;
        this.edge(x, y, colour, Math.sqrt(qx * qx + qy * qy) - (ra + (rb - ra) * t));
      }
    }
  }

  /** A rectangle with half-sides hx, hy and rounded corners, turned like {@link Raster.ellipse}. */
  roundRect(
    cx: number,
    cy: number,
    hx: number,
    hy: number,
    radius: number,
    colour: Colour,
    cos = 1,
    sin = 0,
  ): void {
    const r = Math.min(radius, hx, hy);
    const reachX = Math.abs(hx * cos) + Math.abs(hy * sin) + 0.5;
    const reachY = Math.abs(hx * sin) + Math.abs(hy * cos) + 0.5;
    const x0 = this.fromX(cx - reachX);
    const x1 = this.toX(cx + reachX);
    const y1 = this.toY(cy + reachY);
    for (let y = this.fromY(cy - reachY); y < y1; y++) {
      const dy = y + 0.5 - cy;
      for (let x = x0; x < x1; x++) {
        const dx = x + 0.5 - cx;
        const u = Math.abs(dx * cos + dy * sin) - hx + r;
        const v = Math.abs(dy * cos - dx * sin) - hy + r;
        const distance = u > 0 && v > 0 ? Math.sqrt(u * u + v * v) - r : (u > v ? u : v) - r;
        this.edge(x, y, colour, distance);
      }
    }
  }

  /** A convex polygon, corners [x, y, x, y, ...] clockwise on the screen. */
  convex(points: readonly number[], colour: Colour): void {
    const n = points.length >> 1;
    let minX = Infinity;
    let minY = Infinity;
    let maxX = -Infinity;
    let maxY = -Infinity;
    const nx: number[] = [];
    const ny: number[] = [];
    const offset: number[] = [];
    for (let i = 0; i < n; i++) {
      const ax = points[2 * i]!;
      const ay = points[2 * i + 1]!;
      const j = i + 1 === n ? 0 : i + 1;
      const ex = points[2 * j]! - ax;
      const ey = points[2 * j + 1]! - ay;
      const length = Math.sqrt(ex * ex + ey * ey);
      minX = Math.min(minX, ax);
      maxX = Math.max(maxX, ax);
      minY = Math.min(minY, ay);
      maxY = Math.max(maxY, ay);
      if (length === 0) continue;
      nx.push(ey / length);
      ny.push(-ex / length);
      offset.push((ax * ey - ay * ex) / length);
    }
    const x0 = this.fromX(minX - 0.5);
    const x1 = this.toX(maxX + 0.5);
    const y1 = this.toY(maxY + 0.5);
    for (let y = this.fromY(minY - 0.5); y < y1; y++) {
      for (let x = x0; x < x1; x++) {
        let distance = -Infinity;
        for (let i = 0; i < nx.length; i++) {
          const d = nx[i]! * (x + 0.5) + ny[i]! * (y + 0.5) - offset[i]!;
          if (d > distance) distance = d;
        }
        this.edge(x, y, colour, distance);
      }
    }
  }

  private edge(x: number, y: number, colour: Colour, distance: number): void {
    if (distance >= 0.5) return;
    this.plot(x, y, colour, distance <= -0.5 ? 256 : ((0.5 - distance) * 256) | 0);
  }

  /** Blends one pixel; `coverage` is 0..256. */
  private plot(x: number, y: number, colour: Colour, coverage: number): void {
    const p = y * this.width + x;
    const a = this.alpha === 1 ? coverage : (coverage * this.alpha) | 0;
    const d = p * 3;
    const { data } = this;
    const r = data[d]!;
    const g = data[d + 1]!;
    const b = data[d + 2]!;
    data[d] = r + ((((colour >> 16) - r) * a) >> 8);
    data[d + 1] = g + (((((colour >> 8) & 255) - g) * a) >> 8);
    data[d + 2] = b + ((((colour & 255) - b) * a) >> 8);
    const id = this.id;
    if (id === GROUND || coverage < 128 || this.ids[p] === id) return;
    this.ids[p] = id;
    this.count[id]!++;
    if (x < this.left[id]!) this.left[id] = x;
    if (x > this.right[id]!) this.right[id] = x;
    if (y < this.top[id]!) this.top[id] = y;
    if (y > this.bottom[id]!) this.bottom[id] = y;
  }

  private fromX(x: number): number {
    return x <= 0 ? 0 : Math.floor(x);
  }
  private toX(x: number): number {
    return x >= this.width ? this.width : Math.ceil(x);
  }
  private fromY(y: number): number {
    return y <= 0 ? 0 : Math.floor(y);
  }
  private toY(y: number): number {
    return y >= this.height ? this.height : Math.ceil(y);
  }
}

/** Sine and cosine by Taylor series after folding to a quarter turn: Math.sin may differ between machines. */
export function sinCos(angle: number): readonly [sin: number, cos: number] {
  return [sine(angle), sine(angle + Math.PI / 2)];
}

function sine(angle: number): number {
  let x = angle - 2 * Math.PI * Math.floor(angle / (2 * Math.PI) + 0.5);
  if (x > Math.PI / 2) x = Math.PI - x;
  else if (x < -Math.PI / 2) x = -Math.PI - x;
  const q = x * x;
  return x * (1 - (q / 6) * (1 - (q / 20) * (1 - (q / 42) * (1 - (q / 72) * (1 - q / 110)))));
}
