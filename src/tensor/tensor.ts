/** @file Symbolic tensors: nodes of a graph whose shapes are known, and checked, while it is built. */
import { ShapeError } from "../base/errors.js";
import type { Attribute } from "./onnx/proto.js";

/** Sizes of a tensor's axes, outermost first, each at least 1; [] is a single number. */
export type Shape = readonly number[];
/** Element types. Only float32 is differentiated; int64 is what ONNX takes for shapes and axes. */
export type DType = "float32" | "int32" | "int64" | "bool";
/** The array that holds a tensor's elements on the host. */
export type TensorData = Float32Array | Int32Array | BigInt64Array | Uint8Array;

/** Where a tensor's value comes from. */
export type Source =
  | { readonly kind: "input"; readonly name: string }
  | { readonly kind: "constant"; readonly data: TensorData }
  | { readonly kind: "operation"; readonly operation: Operation; readonly index: number };

/** A value that a graph will compute. Immutable; two tensors are the same only if they are the same object. */
export interface Tensor {
  readonly id: number;
  readonly shape: Shape;
  readonly dtype: DType;
  readonly source: Source;
}

/**
 * One operator applied. `lower` says which ONNX node computes it. `vjp` builds the gradients of its inputs
 * from the gradient of its first output, only where `needs` says so; absent = not differentiable.
 */
export interface Operation {
  readonly name: string;
  readonly inputs: readonly Tensor[];
  readonly outputs: readonly Tensor[];
  readonly node: OnnxCall;
  readonly vjp?: Vjp;
}

/** The ONNX operator an operation becomes. */
export interface OnnxCall {
  readonly opType: string;
  readonly domain?: string;
  readonly attributes?: Readonly<Record<string, Attribute>>;
  /** How many of the operation's inputs the ONNX operator takes; the rest only receive gradients. @default all */
  readonly arity?: number;
}

/**
 * A vector-Jacobian product: from the gradient of an operation's first output (of its shape) to that of each input, in
 * their order and shapes; undefined where `needs` does not ask for it, or the input has none.
 */
export type Vjp = (gradient: Tensor, needs: readonly boolean[]) => readonly (Tensor | undefined)[];

let nextId = 0;

/** How many elements a shape holds. */
export function sizeOf(shape: Shape): number {
  return shape.reduce((product, dim) => product * dim, 1);
}

/** Shapes as people write them: `[2, 3]`. */
export function formatShape(shape: Shape): string {
  return `[${shape.join(", ")}]`;
}

/** Whether two shapes have the same sizes in the same order. */
export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((dim, axis) => dim === b[axis]);
}

function checkShape(name: string, shape: Shape): void {
  if (!shape.every((dim) => Number.isInteger(dim) && dim > 0)) {
    throw new ShapeError(`${name}: every dimension must be a positive integer, got ${formatShape(shape)}`);
  }
}

/** A value handed over at run time under this name: data, or a weight. */
export function input(name: string, shape: Shape, dtype: DType = "float32"): Tensor {
  checkShape(`input "${name}"`, shape);
  return { id: nextId++, shape, dtype, source: { kind: "input", name } };
}

/** A value known now. */
export function constant(data: TensorData, shape: Shape): Tensor {
  if (data.length !== sizeOf(shape)) {
    throw new ShapeError(`constant: ${data.length} elements do not fill ${formatShape(shape)}`);
  }
  const dtype: DType =
    data instanceof Float32Array
      ? "float32"
      : data instanceof Int32Array
        ? "int32"
        : data instanceof BigInt64Array
          ? "int64"
          : "bool";
  return { id: nextId++, shape, dtype, source: { kind: "constant", data } };
}

/** A constant number, of rank 0. */
export function scalar(value: number): Tensor {
  return constant(Float32Array.of(value), []);
}

/** A shape or a list of axes, as ONNX takes them. */
export function int64s(values: readonly number[]): Tensor {
  return constant(BigInt64Array.from(values, BigInt), [values.length]);
}

/** Makes an operation and gives its outputs. Operators call this; users call operators. */
export function operation(options: {
  readonly name: string;
  readonly inputs: readonly Tensor[];
  readonly outputs: readonly { readonly shape: Shape; readonly dtype?: DType }[];
  readonly node: OnnxCall;
  readonly vjp?: Vjp;
}): readonly Tensor[] {
  const outputs: Tensor[] = [];
  const made: Operation = { ...options, outputs };
  options.outputs.forEach(({ shape, dtype = "float32" }, index) => {
    checkShape(options.name, shape);
    outputs.push({ id: nextId++, shape, dtype, source: { kind: "operation", operation: made, index } });
  });
  return outputs;
}

/** {@link operation} for the usual case of one output. */
export function singleOutput(
  name: string,
  inputs: readonly Tensor[],
  shape: Shape,
  node: OnnxCall,
  vjp?: Vjp,
  dtype: DType = "float32",
): Tensor {
  return operation({ name, inputs, outputs: [{ shape, dtype }], node, ...(vjp && { vjp }) })[0]!;
}
