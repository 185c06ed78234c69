/**
 * @file Where a picture stands on its stage: fitting, zooming about a point, panning within bounds. Pure; all of the
 * overlay's drawing and hit tests go through it.
 *
 * `scene` coordinates are those that boxes are given in (pixels of the image or of the frame of the answers); `stage`
 * coordinates are CSS pixels from the stage's upper left corner: stage = scale * scene + (x, y).
 */
import type { Box } from "../../../src/geometry/box.js";

/** Width and height. */
export interface Size {
  readonly width: number;
  readonly height: number;
}

/** A point. */
export interface Point {
  readonly x: number;
  readonly y: number;
}

/** The map from the scene to the stage. */
export interface Viewport {
  /** CSS pixels a unit of the scene, > 0. */
  readonly scale: number;
  /** Where the scene's upper left corner lies on the stage. */
  readonly x: number;
  readonly y: number;
}

/** How much further than fitted a picture can be zoomed in. */
const DEEPEST = 24;
/** ... and out. */
const SHALLOWEST = 0.5;

/** The whole scene, as large as the stage allows, in its middle. */
export function fitViewport(scene: Size, stage: Size, margin = 0): Viewport {
  const scale = Math.max(
    1e-6,
    Math.min((stage.width - 2 * margin) / scene.width, (stage.height - 2 * margin) / scene.height),
  );
  return {
    scale,
    x: (stage.width - scale * scene.width) / 2,
    y: (stage.height - scale * scene.height) / 2,
  };
}

function clampAxis(offset: number, length: number, room: number): number {
  // What fits stays wholly on the stage, what does not leaves no gap at its edges.
  const [low, high] = length <= room ? [0, room - length] : [room - length, 0];
  return Math.min(high, Math.max(low, offset));
}

/** Keeps the scene on the stage and the zoom within half to 24 times the fitted one. */
export function clampViewport(view: Viewport, scene: Size, stage: Size): Viewport {
  const fitted = fitViewport(scene, stage).scale;
  const scale = Math.min(DEEPEST * fitted, Math.max(SHALLOWEST * fitted, view.scale));
  return {
    scale,
    x: clampAxis(view.x, scale * scene.width, stage.width),
    y: clampAxis(view.y, scale * scene.height, stage.height),
  };
}

/** Zooms by a factor so that what lies under `about` (a point of the stage) stays there. */
export function zoomViewport(
  view: Viewport,
  factor: number,
  about: Point,
  scene: Size,
  stage: Size,
): Viewport {
  const fitted = fitViewport(scene, stage).scale;
  const scale = Math.min(DEEPEST * fitted, Math.max(SHALLOWEST * fitted, view.scale * factor));
  const by = scale / view.scale;
  return clampViewport(
    { scale, x: about.x - by * (about.x - view.x), y: about.y - by * (about.y - view.y) },
    scene,
    stage,
  );
}

/** Moves the scene by so many CSS pixels. */
export function panViewport(view: Viewport, by: Point, scene: Size, stage: Size): Viewport {
  return clampViewport({ ...view, x: view.x + by.x, y: view.y + by.y }, scene, stage);
}

/** A point of the stage in coordinates of the scene. */
export function toScene(view: Viewport, { x, y }: Point): Point {
  return { x: (x - view.x) / view.scale, y: (y - view.y) / view.scale };
}

/** A rectangle of the stage. */
export interface StageRect extends Size, Point {}

/** A box of the scene on the stage. */
export function toStage(view: Viewport, { x1, y1, x2, y2 }: Box): StageRect {
  return {
    x: view.x + view.scale * x1,
    y: view.y + view.scale * y1,
    width: view.scale * (x2 - x1),
    height: view.scale * (y2 - y1),
  };
}

/**
 * Brings a box into sight: nothing moves where it is wholly on the stage already; else it is moved to the middle, and
 * zoomed out where it is larger than the stage.
 */
export function revealBox(view: Viewport, box: Box, scene: Size, stage: Size): Viewport {
  const rect = toStage(view, box);
  const inside =
    rect.x >= 0 && rect.y >= 0 && rect.x + rect.width <= stage.width && rect.y + rect.height <= stage.height;
  if (inside) return view;
  const scale = Math.min(
    view.scale,
    stage.width / Math.max(1e-6, box.x2 - box.x1),
    stage.height / Math.max(1e-6, box.y2 - box.y1),
  );
  return clampViewport(
    {
      scale,
      x: stage.width / 2 - (scale * (box.x1 + box.x2)) / 2,
      y: stage.height / 2 - (scale * (box.y1 + box.y2)) / 2,
    },
    scene,
    stage,
  );
}
