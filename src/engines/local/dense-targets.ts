/** @file What the auxiliary head of pretraining should say of each cell. */
import type { RgbImage } from "../../base/rgb-image.js";
import type { Box } from "../../geometry/box.js";
import { DENSE_SLOTS } from "./dense-head.js";

/** An image with the feature rows of its cells, in reading order. */
export interface DenseImage {
  readonly image: RgbImage;
  readonly rows: Int32Array;
  readonly instances: readonly Box<"model">[];
}

/** How boxes of images become targets of cells. */
export interface DenseTargetOptions {
  /** Rows of merged tokens, padding included. */
  readonly features: number;
  /** Side of a cell in pixels. */
  readonly cell: number;
  /** The whole loss is multiplied by this. */
  readonly scale: number;
}

/** A centre that lies outside the picture belongs to the nearest cell. */
const within = (index: number, count: number) => Math.max(0, Math.min(count - 1, index));

/**
 * Each instance belongs to the cell of its centre; a cell's slots are filled left to right. Objectness weighs as a
 * mean over all cells, edges as a mean over all edges that have a target.
 */
export function denseTargets(images: readonly DenseImage[], { features, cell, scale }: DenseTargetOptions) {
  const denseObject = new Float32Array(features * DENSE_SLOTS);
  const denseObjectWeight = new Float32Array(features * DENSE_SLOTS);
  const denseBoxes = new Float32Array(features * DENSE_SLOTS * 4);
  const denseBoxWeight = new Float32Array(features * DENSE_SLOTS * 4);
  const cells = images.reduce((sum, { rows }) => sum + rows.length, 0);
  let placed = 0;
  for (const { image, rows, instances } of images) {
    const columns = image.width / cell;
    for (const row of rows) {
      denseObjectWeight.fill(scale / (cells * DENSE_SLOTS), row * DENSE_SLOTS, (row + 1) * DENSE_SLOTS);
    }
    const taken = new Map<number, number>();
    const byCentre = instances.toSorted((a, b) => a.x1 + a.x2 - (b.x1 + b.x2));
    for (const { x1, y1, x2, y2 } of byCentre) {
      const column = within(Math.floor((x1 + x2) / 2 / cell), columns);
      const line = within(Math.floor((y1 + y2) / 2 / cell), image.height / cell);
      const row = rows[line * columns + column]!;
      const slot = taken.get(row) ?? 0;
      if (slot >= DENSE_SLOTS) continue;
      taken.set(row, slot + 1);
      const place = row * DENSE_SLOTS + slot;
      denseObject[place] = 1;
      const centre = [(column + 0.5) * cell, (line + 0.5) * cell] as const;
      [x1, y1, x2, y2].forEach((edge, i) => {
        denseBoxes[place * 4 + i] = (edge - centre[i % 2]!) / cell;
        denseBoxWeight[place * 4 + i] = scale;
      });
      placed++;
    }
  }
  for (let i = 0; i < denseBoxWeight.length; i++) denseBoxWeight[i]! /= Math.max(1, placed * 4);
  return { denseObject, denseObjectWeight, denseBoxes, denseBoxWeight };
}
