/** @file Operators that work element by element, broadcasting as NumPy does. */
import { broadcastAxes, broadcastShapes } from "../shape.js";
import { ShapeError } from "../../base/errors.js";
import { formatShape, sameShape, scalar, singleOutput, type Tensor } from "../tensor.js";
import { reshape, sum } from "./broadcast.js";

/** Sums a gradient back to the shape its operand had before broadcasting. */
function sumTo(gradient: Tensor, like: Tensor): Tensor {
  if (sameShape(gradient.shape, like.shape)) return gradient;
  const axes = broadcastAxes(like.shape, gradient.shape);
  const summed = axes.length === 0 ? gradient : sum(gradient, { axes, keepDims: true });
  return sameShape(summed.shape, like.shape) ? summed : reshape(summed, like.shape);
}

function requireFloats(name: string, ...tensors: readonly Tensor[]): void {
  const other = tensors.find(({ dtype }) => dtype !== "float32");
  if (other !== undefined) throw new ShapeError(`${name}: wants float32, got ${other.dtype}`);
}

function binary(
  opType: string,
  a: Tensor,
  b: Tensor,
  vjpA: (g: Tensor) => Tensor,
  vjpB: (g: Tensor) => Tensor,
): Tensor {
  requireFloats(opType, a, b);
  const shape = broadcastShapes(opType, a.shape, b.shape);
  return singleOutput(opType, [a, b], shape, { opType }, (g, [needA, needB]) => [
    needA ? sumTo(vjpA(g), a) : undefined,
    needB ? sumTo(vjpB(g), b) : undefined,
  ]);
}

function unary(opType: string, x: Tensor, vjp: (g: Tensor, y: Tensor) => Tensor): Tensor {
  requireFloats(opType, x);
  const y: Tensor = singleOutput(opType, [x], x.shape, { opType }, (g) => [vjp(g, y)]);
  return y;
}

/** a + b, float32. @throws ShapeError where the shapes do not broadcast, as do all operators of two tensors here. */
export function add(a: Tensor, b: Tensor): Tensor {
  return binary(
    "Add",
    a,
    b,
    (g) => g,
    (g) => g,
  );
}

/** a - b, float32. */
export function subtract(a: Tensor, b: Tensor): Tensor {
  return binary("Sub", a, b, (g) => g, negate);
}

/** a * b, float32. */
export function multiply(a: Tensor, b: Tensor): Tensor {
  return binary(
    "Mul",
    a,
    b,
    (g) => multiply(g, b),
    (g) => multiply(g, a),
  );
}

/** a / b, float32; by 0 it gives what IEEE 754 says, an infinity or NaN. */
export function divide(a: Tensor, b: Tensor): Tensor {
  return binary(
    "Div",
    a,
    b,
    (g) => divide(g, b),
    (g) => negate(multiply(g, divide(a, multiply(b, b)))),
  );
}

/** The smaller of the two; at a tie the gradient goes to `a`. */
export function minimum(a: Tensor, b: Tensor): Tensor {
  const zero = scalar(0);
  return binary(
    "Min",
    a,
    b,
    (g) => where(lessOrEqual(a, b), g, zero),
    (g) => where(lessOrEqual(a, b), zero, g),
  );
}

/** x held within [low, high], two scalars; the gradient is 1 inside, both ends included, and 0 outside. */
export function clamp(x: Tensor, low: Tensor, high: Tensor): Tensor {
  if (low.shape.length > 0 || high.shape.length > 0) {
    throw new ShapeError(
      `clamp: bounds must be scalars, got ${formatShape(low.shape)} and ${formatShape(high.shape)}`,
    );
  }
  requireFloats("clamp", x, low, high);
  return singleOutput("Clip", [x, low, high], x.shape, { opType: "Clip" }, (g, needs) => {
    if (needs[1] || needs[2]) throw new ShapeError("clamp: bounds are not differentiable");
    const zero = scalar(0);
    return [where(lessOrEqual(low, x), where(lessOrEqual(x, high), g, zero), zero), undefined, undefined];
  });
}

/** -x, float32. */
export function negate(x: Tensor): Tensor {
  return unary("Neg", x, negate);
}

/** e to the x, float32: infinite above about 88.7. */
export function exp(x: Tensor): Tensor {
  return unary("Exp", x, (g, y) => multiply(g, y));
}

/** The natural logarithm, float32: -infinity at 0, NaN below. */
export function log(x: Tensor): Tensor {
  return unary("Log", x, (g) => divide(g, x));
}

/** The square root, float32: NaN below 0. Its gradient is infinite at 0. */
export function sqrt(x: Tensor): Tensor {
  return unary("Sqrt", x, (g, y) => divide(multiply(g, scalar(0.5)), y));
}

/** The hyperbolic tangent, float32, in [-1, 1]. */
export function tanh(x: Tensor): Tensor {
  return unary("Tanh", x, (g, y) => multiply(g, subtract(scalar(1), multiply(y, y))));
}

/** 1 / (1 + exp(-x)), float32, in [0, 1]. */
export function sigmoid(x: Tensor): Tensor {
  return unary("Sigmoid", x, (g, y) => multiply(g, multiply(y, subtract(scalar(1), y))));
}

/** |x|, float32; its gradient at 0 is 0. */
export function absolute(x: Tensor): Tensor {
  return unary("Abs", x, (g) => multiply(g, sign(x)));
}

/** -1, 0 or 1; its derivative is 0 everywhere. */
export function sign(x: Tensor): Tensor {
  return singleOutput("Sign", [x], x.shape, { opType: "Sign" }, () => [undefined]);
}

/** The error function. */
export function erf(x: Tensor): Tensor {
  return unary("Erf", x, (g) =>
    multiply(g, multiply(scalar(2 / Math.sqrt(Math.PI)), exp(negate(multiply(x, x))))),
  );
}

/** 1 where a <= b. Not differentiable. */
export function lessOrEqual(a: Tensor, b: Tensor): Tensor {
  const shape = broadcastShapes("LessOrEqual", a.shape, b.shape);
  return singleOutput("LessOrEqual", [a, b], shape, { opType: "LessOrEqual" }, undefined, "bool");
}

/** a where the condition (bool) holds, else b. */
export function where(condition: Tensor, a: Tensor, b: Tensor): Tensor {
  if (condition.dtype !== "bool")
    throw new ShapeError(`where: the condition is ${condition.dtype}, not bool`);
  requireFloats("where", a, b);
  const shape = broadcastShapes("Where", condition.shape, broadcastShapes("Where", a.shape, b.shape));
  return singleOutput("Where", [condition, a, b], shape, { opType: "Where" }, (g, [, needA, needB]) => {
    const zero = scalar(0);
    return [
      undefined,
      needA ? sumTo(where(condition, g, zero), a) : undefined,
      needB ? sumTo(where(condition, zero, g), b) : undefined,
    ];
  });
}
