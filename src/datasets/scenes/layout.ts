/** @file Where people stand: a ground plane, chosen neighbours for crowding, and a rough estimate of who hides whom. */
import type { Rng } from "../../base/rng.js";
import type { Figure } from "./figure.js";
import type { ResolvedSceneOptions } from "./options.js";

/** How far things are: an adult whose feet are at picture row y is `scale * (y - horizon)` pixels high. */
export interface GroundPlane {
  /** Row of the horizon in pixels, may lie above the picture. */
  readonly horizon: number;
  readonly scale: number;
  /** Rows of the farthest and the nearest feet. */
  readonly far: number;
  readonly near: number;
  /** False where the camera looks straight down: one size everywhere. */
  readonly perspective: boolean;
}

/** A figure with its place. */
export interface Standing {
  readonly figure: Figure;
  /** Ground point and height in pixels. */
  readonly x: number;
  readonly y: number;
  readonly height: number;
  readonly facing: 1 | -1;
}

/** Draws the camera of a scene. */
export function groundPlane(options: ResolvedSceneOptions, rng: Rng): GroundPlane {
  const { width, height, personHeight } = options;
  if (options.look === "aerial") {
    // A steep camera: people shrink only slightly towards the top. Their size follows the shorter side.
    const side = Math.min(width, height);
    const tall = side * personHeight.max * rng.uniform(0.9, 1);
    const small = side * Math.min(personHeight.min, personHeight.max * 0.85);
    const near = height * 1.01;
    const far = small;
    const scale = (tall - small) / (near - far);
    return { horizon: near - tall / scale, scale, near, far, perspective: false };
  }
  const near = height * rng.uniform(0.94, 1.06);
  const tall = Math.min(height * personHeight.max * rng.uniform(0.8, 1), width * 1.6);
  const small = Math.min(height * personHeight.min, tall * 0.8);
  const horizon = height * rng.uniform(0.02, 0.22);
  const scale = tall / (near - horizon);
  return { horizon, scale, near, far: horizon + small / scale, perspective: true };
}

/** Pixels of an adult whose feet are at row y. */
export function adultHeight(plane: GroundPlane, y: number): number {
  return Math.max(2, plane.scale * (y - plane.horizon));
}

/** 0 for the nearest feet, 1 for the farthest. */
export function farness(plane: GroundPlane, y: number): number {
  const t = (plane.near - y) / (plane.near - plane.far);
  return t < 0 ? 0 : t > 1 ? 1 : t;
}

/** Estimated visible share below which a place is not taken. Estimates are rough, the id-buffer has the last word. */
const ROOM = 0.3;
const TRIES = 12;
/** Largest IoU of the rough boxes of people who were not put together. */
const APART = 0.08;

/** Finds a place for one more figure among those standing. */
export function place(
  figure: Figure,
  others: readonly Standing[],
  plane: GroundPlane,
  options: ResolvedSceneOptions,
  rng: Rng,
): Standing {
  const facing = rng.next() < 0.5 ? 1 : -1;
  const crowded = others.length > 0 && rng.next() < options.crowding;
  let best: Standing | undefined;
  let bestRoom = -1;
  for (let attempt = 0; attempt < TRIES; attempt++) {
    const candidate = crowded
      ? beside(figure, rng.pick(others), plane, facing, rng)
      : anywhere(figure, plane, facing, options.width, rng);
    const margin = candidate.height * figure.halfWidth * 0.5;
    if (candidate.x < margin || candidate.x > options.width - margin) continue;
    // Away from the crowd means apart: chance alone would put most people of a full scene behind another.
    const apart = crowded || others.every((other) => overlap(candidate, other) <= APART);
    const room = apart ? leastVisible(candidate, others) : 0;
    if (room > bestRoom) {
      bestRoom = room;
      best = candidate;
    }
    if (room >= ROOM) return candidate;
  }
  return best ?? anywhere(figure, plane, facing, options.width, rng);
}

function anywhere(figure: Figure, plane: GroundPlane, facing: 1 | -1, width: number, rng: Rng): Standing {
  const y = rng.uniform(plane.far, plane.near);
  const height = adultHeight(plane, y) * figure.stature;
  const margin = Math.min(height * figure.halfWidth * 0.7, width / 2);
  return { figure, x: rng.uniform(margin, width - margin), y, height, facing };
}

function beside(figure: Figure, anchor: Standing, plane: GroundPlane, facing: 1 | -1, rng: Rng): Standing {
  const reach = anchor.height * (anchor.figure.halfWidth + figure.halfWidth);
  const side = rng.next() < 0.5 ? -1 : 1;
  const depth = plane.perspective ? rng.uniform(-0.13, 0.13) : rng.uniform(-0.3, 0.3);
  const y = Math.min(plane.near, Math.max(plane.far, anchor.y + depth * anchor.height));
  return {
    figure,
    x: anchor.x + side * reach * rng.uniform(0.25, 0.72),
    y,
    height: adultHeight(plane, y) * figure.stature,
    facing,
  };
}

/** The smallest estimated visible share over the candidate and everyone standing near it. */
function leastVisible(candidate: Standing, others: readonly Standing[]): number {
  let least = visibleShare(candidate, others, undefined);
  for (const other of others) {
    if (!touches(other, candidate) || other.y >= candidate.y) continue;
    least = Math.min(least, visibleShare(other, others, candidate));
    if (least < ROOM) return least;
  }
  return least;
}

const ROWS = 8;
const COLUMNS = 4;

/** Share of a lattice over the body that nobody nearer covers. */
function visibleShare(one: Standing, others: readonly Standing[], extra: Standing | undefined): number {
  const front = others.filter((o) => o !== one && o.y > one.y && touches(o, one));
  if (extra !== undefined && extra.y > one.y) front.push(extra);
  if (front.length === 0) return 1;
  const half = one.height * one.figure.halfWidth * 0.8;
  let free = 0;
  for (let r = 0; r < ROWS; r++) {
    const y = one.y - (one.height * (r + 0.5)) / ROWS;
    for (let c = 0; c < COLUMNS; c++) {
      const x = one.x - half + (2 * half * (c + 0.5)) / COLUMNS;
      if (!front.some((o) => covers(o, x, y))) free++;
    }
  }
  return free / (ROWS * COLUMNS);
}

function covers(standing: Standing, x: number, y: number): boolean {
  return (
    y <= standing.y &&
    y >= standing.y - standing.height &&
    Math.abs(x - standing.x) <= standing.height * standing.figure.halfWidth * 0.8
  );
}

/** IoU of the rough boxes. */
function overlap(a: Standing, b: Standing): number {
  const halfA = a.height * a.figure.halfWidth;
  const halfB = b.height * b.figure.halfWidth;
  const w = Math.min(a.x + halfA, b.x + halfB) - Math.max(a.x - halfA, b.x - halfB);
  const h = Math.min(a.y, b.y) - Math.max(a.y - a.height, b.y - b.height);
  if (w <= 0 || h <= 0) return 0;
  return (w * h) / (2 * halfA * a.height + 2 * halfB * b.height - w * h);
}

function touches(a: Standing, b: Standing): boolean {
  return (
    Math.abs(a.x - b.x) < a.height * a.figure.halfWidth + b.height * b.figure.halfWidth &&
    a.y - a.height < b.y &&
    b.y - b.height < a.y
  );
}
