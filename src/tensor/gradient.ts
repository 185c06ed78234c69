/** @file Reverse-mode differentiation: the gradient graph of a scalar, built from every operator's vjp. */
import { ShapeError } from "../base/errors.js";
import { zeros } from "./ops/broadcast.js";
import { add } from "./ops/elementwise.js";
import { constant, formatShape, sizeOf, type Operation, type Tensor } from "./tensor.js";

/** Operations that `outputs` depend on, each after those it takes from. */
export function operationsOf(outputs: readonly Tensor[]): Operation[] {
  const order: Operation[] = [];
  const done = new Set<Operation>();
  // An explicit stack: deep models would overflow the call stack.
  const stack: { operation: Operation; next: number }[] = [];
  const push = (tensor: Tensor) => {
    if (tensor.source.kind !== "operation") return;
    const { operation } = tensor.source;
    if (done.has(operation)) return;
    done.add(operation);
    stack.push({ operation, next: 0 });
  };
  for (const output of outputs) {
    push(output);
    while (stack.length > 0) {
      const top = stack[stack.length - 1]!;
      if (top.next < top.operation.inputs.length) {
        push(top.operation.inputs[top.next++]!);
      } else {
        order.push(top.operation);
        stack.pop();
      }
    }
  }
  return order;
}

/**
 * d loss / d each of `wrt`, as tensors of their shapes. Only operators on a path from a `wrt` to the loss are
 * differentiated, so a frozen weight costs nothing.
 *
 * @throws ShapeError where the loss is no scalar, or an operator on the path cannot be differentiated.
 */
export function gradients(loss: Tensor, wrt: readonly Tensor[]): Tensor[] {
  if (sizeOf(loss.shape) !== 1 || loss.dtype !== "float32") {
    throw new ShapeError(
      `gradients: the loss must be a float32 scalar, got ${loss.dtype} ${formatShape(loss.shape)}`,
    );
  }
  const active = new Set<Tensor>(wrt);
  const order = operationsOf([loss]);
  for (const operation of order) {
    if (operation.inputs.some((tensor) => active.has(tensor))) {
      for (const output of operation.outputs) active.add(output);
    }
  }
  const gradientOf = new Map<Tensor, Tensor>();
  gradientOf.set(loss, constant(Float32Array.of(1), loss.shape));
  for (const operation of order.toReversed()) {
    const gradient = gradientOf.get(operation.outputs[0]!);
    if (gradient === undefined) continue;
    const needs = operation.inputs.map((tensor) => active.has(tensor));
    if (!needs.includes(true)) continue;
    if (operation.vjp === undefined) {
      throw new ShapeError(`gradients: ${operation.name} has no derivative`);
    }
    const parts = operation.vjp(gradient, needs);
    operation.inputs.forEach((tensor, index) => {
      const part = parts[index];
      if (!needs[index] || part === undefined) return;
      const sum = gradientOf.get(tensor);
      gradientOf.set(tensor, sum === undefined ? part : add(sum, part));
    });
  }
  return wrt.map((tensor) => gradientOf.get(tensor) ?? zeros(tensor.shape));
}
