/** @file Sums and means over axes. */
import { normalizeAxis } from "../shape.js";
import { int64s, scalar, singleOutput, sizeOf, type Tensor } from "../tensor.js";
import { multiply } from "./elementwise.js";
import { broadcastTo, reshape } from "./movement.js";

export interface ReduceOptions {
  /** Axes to sum over, negative ones counted from the end. @default all */
  readonly axes?: readonly number[];
  /** Keep the summed axes with size 1. @default false */
  readonly keepDims?: boolean;
}

/** The sum over `axes`. */
export function sum(x: Tensor, options: ReduceOptions = {}): Tensor {
  const { keepDims = false } = options;
  const axes = (options.axes ?? x.shape.map((_, axis) => axis)).map((axis) =>
    normalizeAxis("sum", axis, x.shape.length),
  );
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

/** The mean over `axes`. */
export function mean(x: Tensor, options: ReduceOptions = {}): Tensor {
  const total = sum(x, options);
  return multiply(total, scalar(sizeOf(total.shape) / sizeOf(x.shape)));
}
