/** @file Shape arithmetic: broadcasting (NumPy's rule) and axes. */
import { ShapeError } from "../base/errors.js";
import { formatShape, type Shape } from "./tensor.js";

/** The shape that a and b broadcast to. */
export function broadcastShapes(name: string, a: Shape, b: Shape): Shape {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, axis) => {
    const da = a[axis - rank + a.length] ?? 1;
    const db = b[axis - rank + b.length] ?? 1;
    if (da !== db && da !== 1 && db !== 1) {
      throw new ShapeError(`${name}: ${formatShape(a)} and ${formatShape(b)} do not broadcast`);
    }
    return Math.max(da, db);
  });
}

/** An axis counted from the front, from one that may be negative. */
export function normalizeAxis(name: string, axis: number, rank: number): number {
  const from = axis < 0 ? axis + rank : axis;
  if (!Number.isInteger(axis) || from < 0 || from >= rank) {
    throw new ShapeError(`${name}: axis ${axis} is outside a tensor of rank ${rank}`);
  }
  return from;
}

/** Axes along which `from` was broadcast to become `to`, counted in `to`. */
export function broadcastAxes(from: Shape, to: Shape): number[] {
  const offset = to.length - from.length;
  return to.flatMap((dim, axis) => (axis < offset || (from[axis - offset] === 1 && dim !== 1) ? [axis] : []));
}
