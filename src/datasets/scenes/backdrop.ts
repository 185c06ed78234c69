/** @file Ground, walls and markings: everything that is behind the people and hides nobody. */
import type { Rng } from "../../base/rng.js";
import { mix, scaled, varied, type Colour } from "./colour.js";
import type { GroundPlane } from "./layout.js";
import { GROUND, type Raster } from "./raster.js";

/** Colours a look may draw its ground and its wall from. */
export interface BackdropStyle {
  readonly ground: readonly Colour[];
  readonly wall: readonly Colour[];
  /** Chance of a tiled ground. */
  readonly tiles: number;
}

/** Paints the whole picture; `haze` is what the air makes of a colour at a row's farness 0..1 (1 and beyond = far away). */
export function paintBackdrop(
  raster: Raster,
  style: BackdropStyle,
  plane: GroundPlane,
  rng: Rng,
  haze: (colour: Colour, farness: number) => Colour,
): void {
  raster.id = GROUND;
  const { width, height } = raster;
  const base = varied(rng.pick(style.ground), 18, rng);
  const wall = varied(rng.pick(style.wall), 18, rng);
  const edge = plane.perspective
    ? Math.max(
        0,
        Math.min(plane.far - 1, plane.horizon + (plane.far - plane.horizon) * rng.uniform(0.3, 0.8)),
      )
    : 0;
  paintGround(raster, edge, base, style, plane, rng, haze);
  if (edge > 1) paintWall(raster, edge, wall, width, rng, (c) => haze(c, 1));
  patches(raster, edge, base, plane, rng);
  if (rng.next() < 0.35) stripe(raster, edge, width, height, rng);
}

function paintGround(
  raster: Raster,
  edge: number,
  base: Colour,
  style: BackdropStyle,
  plane: GroundPlane,
  rng: Rng,
  haze: (colour: Colour, farness: number) => Colour,
): void {
  const { width, height, data } = raster;
  const contrast = rng.next() < style.tiles ? rng.uniform(0.03, 0.11) : 0;
  const tile = rng.uniform(0.7, 1.8);
  const shiftX = rng.uniform(0, 2);
  const shiftZ = rng.uniform(0, 2);
  const slant = rng.uniform(-0.4, 0.4);
  const fall = rng.uniform(0.04, 0.18);
  for (let y = Math.floor(edge); y < height; y++) {
    // Ground units an adult is high, so that tiles have one size on the plane.
    const unit = Math.max(2, plane.scale * (y + 0.5 - plane.horizon));
    const away = 1 - (y - edge) / (height - edge);
    const colour = haze(scaled(base, 1 - fall * away), away);
    const dark = scaled(colour, 1 - contrast * Math.min(1, unit / 18));
    // Distance along the ground for a pinhole camera goes with 1 / (row below the horizon).
    const z = plane.perspective ? (height * tile * 2.2) / unit : y / (unit * tile);
    const zi = Math.floor(z + shiftZ);
    for (let x = 0, p = y * width * 3; x < width; x++, p += 3) {
      const u = Math.floor(((x - width / 2) / unit) * (1 / (tile * 0.55)) + slant * z + shiftX);
      const c = contrast > 0 && ((u + zi) & 1) === 1 ? dark : colour;
      data[p] = c >> 16;
      data[p + 1] = (c >> 8) & 255;
      data[p + 2] = c & 255;
    }
  }
}

function paintWall(
  raster: Raster,
  edge: number,
  wall: Colour,
  width: number,
  rng: Rng,
  far: (colour: Colour) => Colour,
): void {
  raster.roundRect(width / 2, edge / 2 - 1, width, edge / 2 + 1, 0, far(wall));
  const glass = far(mix(wall, 0x1a2a3a, rng.uniform(0.3, 0.7)));
  const step = rng.uniform(0.09, 0.2) * width;
  const shift = rng.uniform(0, step);
  const door = rng.uniform(0.25, 0.42);
  if (rng.next() < 0.75) {
    for (let x = shift; x < width + step; x += step) {
      raster.roundRect(x, edge * 0.5, step * door, edge * rng.uniform(0.22, 0.34), 1, glass);
    }
  }
  raster.roundRect(width / 2, edge, width, Math.max(0.6, edge * 0.04), 0, far(scaled(wall, 0.6)));
}

/** Stains, lawns and shadows of things outside the picture. */
function patches(raster: Raster, edge: number, base: Colour, plane: GroundPlane, rng: Rng): void {
  const { width, height } = raster;
  const count = rng.int(0, 4);
  for (let i = 0; i < count; i++) {
    raster.alpha = rng.uniform(0.06, 0.3);
    const y = rng.uniform(edge, height);
    const reach = rng.uniform(0.08, 0.35) * width;
    const flat = plane.perspective ? rng.uniform(0.15, 0.4) : rng.uniform(0.5, 1);
    const colour = rng.next() < 0.6 ? scaled(base, 0.5) : rng.pick([0x4f7a3a, 0x8a7a5a, 0xd8d8d0, 0x3a3f46]);
    raster.ellipse(rng.uniform(0, width), y, reach, reach * flat, colour);
  }
  raster.alpha = 1;
}

function stripe(raster: Raster, edge: number, width: number, height: number, rng: Rng): void {
  raster.alpha = rng.uniform(0.3, 0.8);
  const y0 = rng.uniform(edge, height);
  const y1 = rng.uniform(edge, height);
  const thick = rng.uniform(0.004, 0.014) * height;
  raster.capsule(
    -5,
    y0,
    width + 5,
    y1,
    thick,
    thick * rng.uniform(0.8, 1.4),
    rng.pick([0xf0f0e8, 0xd9b640, 0x6a6a6a]),
  );
  raster.alpha = 1;
}
