/**
 * @file Broadcasting and its adjoint, summation, with the reshaping both need: each is in the gradient of another, so
 * they share a file.
 */
import { ShapeError } from "../../base/errors.js";
import { broadcastAxes, broadcastShapes, normalizeAxis } from "../shape.js";
import {
  formatShape,
  int64s,
  sameShape,
  scalar,
  singleOutput,
  sizeOf,
  type Shape,
  type Tensor,
} from "../tensor.js";

/** The same elements under another shape. */
export function reshape(x: Tensor, shape: Shape): Tensor {
  if (sizeOf(shape) !== sizeOf(x.shape)) {
    throw new ShapeError(`reshape: ${formatShape(x.shape)} has not the elements of ${formatShape(shape)}`);
  }
  if (sameShape(shape, x.shape)) return x;
  return singleOutput(
    "reshape",
    [x, int64s(shape)],
    shape,
    { opType: "Reshape" },
    (g) => [reshape(g, x.shape)],
    x.dtype,
  );
}

/** x repeated along axes of size 1 until it has this shape. */
export function broadcastTo(x: Tensor, shape: Shape): Tensor {
  if (sameShape(x.shape, shape)) return x;
  if (!sameShape(broadcastShapes("broadcastTo", x.shape, shape), shape)) {
    throw new ShapeError(`broadcastTo: ${formatShape(x.shape)} does not broadcast to ${formatShape(shape)}`);
  }
  return singleOutput(
    "broadcastTo",
    [x, int64s(shape)],
    shape,
    { opType: "Expand" },
    (g) => [reshape(sum(g, { axes: broadcastAxes(x.shape, shape), keepDims: true }), x.shape)],
    x.dtype,
  );
}

/** Zeros of a shape, held as one number until they are used. */
export function zeros(shape: Shape): Tensor {
  return broadcastTo(scalar(0), shape);
}

/** Which axes a reduction takes, and whether they stay. */
export interface ReduceOptions {
  /** Axes to sum over, negative ones counted from the end. @default all */
  readonly axes?: readonly number[];
  /** Keep the summed axes with size 1. @default false */
  readonly keepDims?: boolean;
}

/** The sum over `axes`. */
export function sum(x: Tensor, options: ReduceOptions = {}): Tensor {
  const { keepDims = false } = options;
  const named = (options.axes ?? x.shape.map((_, axis) => axis)).map((axis) =>
    normalizeAxis("sum", axis, x.shape.length),
  );
  const axes = [...new Set(named)];
  if (axes.length === 0) return keepDims ? x : reshape(x, x.shape);
  const kept = x.shape.map((dim, axis) => (axes.includes(axis) ? 1 : dim));
  const shape = keepDims ? kept : x.shape.filter((_, axis) => !axes.includes(axis));
  return singleOutput(
    "sum",
    [x, int64s(axes)],
    shape,
    { opType: "ReduceSum", attributes: { keepdims: { int: keepDims ? 1 : 0 } } },
    (g) => [broadcastTo(reshape(g, kept), x.shape)],
  );
}
