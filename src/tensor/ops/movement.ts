/** @file Operators that move elements about without computing: transpose, slice, concat, gather. */
import { ShapeError } from "../../base/errors.js";
import { normalizeAxis } from "../shape.js";
import {
  constant,
  formatShape,
  int64s,
  sameShape,
  singleOutput,
  sizeOf,
  type Shape,
  type Tensor,
} from "../tensor.js";
import { broadcastTo, reshape, zeros } from "./broadcast.js";

/** Axis i of the result is axis `permutation[i]` of x. */
export function transpose(x: Tensor, permutation: readonly number[]): Tensor {
  const rank = x.shape.length;
  if (permutation.toSorted((a, b) => a - b).some((axis, i) => axis !== i) || permutation.length !== rank) {
    throw new ShapeError(`transpose: [${permutation.join(", ")}] does not permute ${rank} axes`);
  }
  const inverse = permutation.map((_, axis) => permutation.indexOf(axis));
  return singleOutput(
    "transpose",
    [x],
    permutation.map((axis) => x.shape[axis]!),
    { opType: "Transpose", attributes: { perm: { ints: permutation } } },
    (g) => [transpose(g, inverse)],
    x.dtype,
  );
}

/** Elements start..end (end not included) along one axis. */
export function slice(x: Tensor, axis: number, start: number, end: number): Tensor {
  const at = normalizeAxis("slice", axis, x.shape.length);
  const size = x.shape[at]!;
  if (!(Number.isInteger(start) && Number.isInteger(end) && start >= 0 && start < end && end <= size)) {
    throw new ShapeError(`slice: ${start}..${end} is not within axis ${at} of ${formatShape(x.shape)}`);
  }
  if (start === 0 && end === size) return x;
  return singleOutput(
    "slice",
    [x, int64s([start]), int64s([end]), int64s([at])],
    x.shape.with(at, end - start),
    { opType: "Slice" },
    (g) => [padAxis(g, at, start, size - end)],
    x.dtype,
  );
}

/** Zeros before and after along one axis. */
export function padAxis(x: Tensor, axis: number, before: number, after: number): Tensor {
  const at = normalizeAxis("padAxis", axis, x.shape.length);
  const size = x.shape[at]!;
  if (!(Number.isInteger(before) && Number.isInteger(after) && before >= 0 && after >= 0)) {
    throw new ShapeError(`padAxis: ${before} before and ${after} after are no counts`);
  }
  const pads = Array.from({ length: x.shape.length * 2 }, () => 0);
  pads[at] = before;
  pads[at + x.shape.length] = after;
  return singleOutput(
    "pad",
    [x, int64s(pads)],
    x.shape.with(at, before + size + after),
    { opType: "Pad", attributes: { mode: { string: "constant" } } },
    (g) => [slice(g, at, before, before + size)],
    x.dtype,
  );
}

/** Tensors one after another along one axis. */
export function concat(parts: readonly Tensor[], axis: number): Tensor {
  const first = parts[0];
  if (first === undefined) throw new ShapeError("concat: nothing to join");
  if (parts.length === 1) return first;
  const at = normalizeAxis("concat", axis, first.shape.length);
  for (const part of parts) {
    const fits =
      part.shape.length === first.shape.length &&
      part.shape.every((dim, axis) => axis === at || dim === first.shape[axis]);
    if (!fits || part.dtype !== first.dtype) {
      throw new ShapeError(
        `concat: ${part.dtype} ${formatShape(part.shape)} does not fit ${first.dtype} ${formatShape(first.shape)}`,
      );
    }
  }
  const ends: number[] = [];
  for (const part of parts) ends.push((ends.at(-1) ?? 0) + part.shape[at]!);
  return singleOutput(
    "concat",
    parts,
    first.shape.with(at, ends.at(-1)!),
    { opType: "Concat", attributes: { axis: { int: at } } },
    (g, needs) =>
      parts.map((part, i) => (needs[i] ? slice(g, at, ends[i]! - part.shape[at]!, ends[i]!) : undefined)),
    first.dtype,
  );
}

/**
 * Rows of a table: `table` [rows, ...width], `indices` int32 of any shape; the result is [...indices, ...width].
 * Indices must lie in 0..rows-1. The gradient adds up the rows that were taken more than once.
 */
export function gatherRows(table: Tensor, indices: Tensor): Tensor {
  if (indices.dtype !== "int32") throw new ShapeError(`gatherRows: indices are ${indices.dtype}, not int32`);
  if (table.shape.length === 0) throw new ShapeError("gatherRows: a scalar has no rows");
  const width = table.shape.slice(1);
  return singleOutput(
    "gatherRows",
    [table, indices],
    [...indices.shape, ...width],
    { opType: "Gather", attributes: { axis: { int: 0 } } },
    (g) => [scatterAddRows(g, indices, table.shape)],
    table.dtype,
  );
}

/** Adds `rows` [...indices, ...width] into zeros of `shape` [n, ...width] at the given indices. */
function scatterAddRows(rows: Tensor, indices: Tensor, shape: Shape): Tensor {
  const count = sizeOf(indices.shape);
  const width = sizeOf(shape.slice(1));
  const flat = reshape(rows, [count, width]);
  // ScatterElements and not ScatterND: the latter's "add" races over repeated indices on the CPU provider.
  const spread = broadcastTo(reshape(indices, [count, 1]), [count, width]);
  const into = zeros([shape[0]!, width]);
  const summed = singleOutput(
    "scatterAddRows",
    [into, spread, flat],
    into.shape,
    { opType: "ScatterElements", attributes: { axis: { int: 0 }, reduction: { string: "add" } } },
    (g) => [g, undefined, reshape(gatherRows(g, reshape(indices, [count])), flat.shape)],
  );
  return reshape(summed, shape);
}

/** For each row of x [rows, n], its element at `indices` [rows] (int32): the result is [rows]. */
export function takeAlongRows(x: Tensor, indices: Tensor): Tensor {
  const [rows, columns] = x.shape;
  if (x.shape.length !== 2 || !sameShape(indices.shape, [rows!])) {
    throw new ShapeError(
      `takeAlongRows: wants [rows, n] and [rows], got ${formatShape(x.shape)} and ${formatShape(indices.shape)}`,
    );
  }
  const index = reshape(indices, [rows!, 1]);
  const taken = singleOutput(
    "takeAlongRows",
    [x, index],
    [rows!, 1],
    { opType: "GatherElements", attributes: { axis: { int: 1 } } },
    (g) => [putAlongRows(zeros([rows!, columns!]), index, g)],
  );
  return reshape(taken, [rows!]);
}

/** x [rows, n] with `values` [rows, 1] added at `index` [rows, 1] (int32). */
export function putAlongRows(x: Tensor, index: Tensor, values: Tensor): Tensor {
  const column = [x.shape[0]!, 1];
  if (x.shape.length !== 2 || !sameShape(index.shape, column) || !sameShape(values.shape, column)) {
    throw new ShapeError(
      `putAlongRows: wants [rows, n] and twice [rows, 1], got ${[x, index, values].map((t) => formatShape(t.shape)).join(", ")}`,
    );
  }
  return singleOutput(
    "putAlongRows",
    [x, index, values],
    x.shape,
    { opType: "ScatterElements", attributes: { axis: { int: 1 }, reduction: { string: "add" } } },
    (g) => [g, undefined, reshape(takeAlongRows(g, reshape(index, [x.shape[0]!])), values.shape)],
  );
}

/** An int32 vector of constants. */
export function int32s(values: ArrayLike<number>, shape: Shape = [values.length]): Tensor {
  return constant(Int32Array.from(values), shape);
}
