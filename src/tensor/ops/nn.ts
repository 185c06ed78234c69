/** @file The layers of a transformer, with gradients written out where the chain rule alone would waste memory traffic. */
import { ShapeError } from "../../base/errors.js";
import { constant, formatShape, operation, sameShape, scalar, singleOutput, type Tensor } from "../tensor.js";
import { reshape, sum } from "./broadcast.js";
import { add, erf, exp, multiply, negate, sigmoid, subtract } from "./elementwise.js";
import { putAlongRows } from "./movement.js";
import { mean } from "./reduce.js";

/** Softmax over the last axis. */
export function softmax(x: Tensor): Tensor {
  const y: Tensor = singleOutput(
    "softmax",
    [x],
    x.shape,
    { opType: "Softmax", attributes: { axis: { int: -1 } } },
    (g) => [multiply(y, subtract(g, sum(multiply(g, y), { axes: [-1], keepDims: true })))],
  );
  return y;
}

/** Log of the softmax over the last axis. */
export function logSoftmax(x: Tensor): Tensor {
  const y: Tensor = singleOutput(
    "logSoftmax",
    [x],
    x.shape,
    { opType: "LogSoftmax", attributes: { axis: { int: -1 } } },
    (g) => [subtract(g, multiply(exp(y), sum(g, { axes: [-1], keepDims: true })))],
  );
  return y;
}

/**
 * Log-probability of one token a row: logits [rows, vocabulary], targets int32 [rows]; the result is [rows].
 * One gradient for log-softmax and selection together: onehot - softmax.
 */
export function tokenLogprobs(logits: Tensor, targets: Tensor): Tensor {
  const rows = logits.shape[0]!;
  if (logits.shape.length !== 2 || !sameShape(targets.shape, [rows]) || targets.dtype !== "int32") {
    throw new ShapeError(
      `tokenLogprobs: logits ${formatShape(logits.shape)} want int32 targets of ${formatShape([rows])}, got ${targets.dtype} ${formatShape(targets.shape)}`,
    );
  }
  const all = singleOutput("logSoftmax", [logits], logits.shape, {
    opType: "LogSoftmax",
    attributes: { axis: { int: -1 } },
  });
  const index = reshape(targets, [rows, 1]);
  const taken = singleOutput(
    "tokenLogprobs",
    [all, index, logits],
    [rows, 1],
    { opType: "GatherElements", attributes: { axis: { int: 1 } }, arity: 2 },
    (g) => [undefined, undefined, putAlongRows(negate(multiply(exp(all), g)), index, g)],
  );
  return reshape(taken, [rows]);
}

/** x over the root of its mean square along the last axis, times `weight` [width] (Zhang and Sennrich, 1910.07467). */
export function rmsNorm(x: Tensor, weight: Tensor, epsilon: number): Tensor {
  const width = x.shape.at(-1)!;
  if (!sameShape(weight.shape, [width])) {
    throw new ShapeError(`rmsNorm: weight ${formatShape(weight.shape)} for x ${formatShape(x.shape)}`);
  }
  const [y, inverse] = operation({
    name: "rmsNorm",
    inputs: [x, weight],
    outputs: [{ shape: x.shape }, { shape: x.shape.with(-1, 1) }],
    node: {
      opType: "SimplifiedLayerNormalization",
      attributes: { axis: { int: -1 }, epsilon: { float: epsilon } },
    },
    vjp: (g, [needX, needWeight]) => {
      const normalized = multiply(x, inverse!);
      const weighted = multiply(g, weight);
      const projection = mean(multiply(weighted, normalized), { axes: [-1], keepDims: true });
      return [
        needX ? multiply(inverse!, subtract(weighted, multiply(normalized, projection))) : undefined,
        needWeight
          ? sum(multiply(g, normalized), { axes: x.shape.slice(0, -1).map((_, axis) => axis) })
          : undefined,
      ];
    },
  });
  return y!;
}

/** x * sigmoid(x). */
export function silu(x: Tensor): Tensor {
  const s = sigmoid(x);
  const y: Tensor = singleOutput("silu", [x, s], x.shape, { opType: "Mul" }, (g) => [
    // s + y - y*s, without differentiating through s
    multiply(g, add(s, multiply(y, subtract(scalar(1), s)))),
  ]);
  return y;
}

/** The exact (erf) GELU. */
export function gelu(x: Tensor): Tensor {
  return multiply(multiply(x, scalar(0.5)), add(erf(multiply(x, scalar(Math.SQRT1_2))), scalar(1)));
}

/**
 * Rotary positions, halves rotated against each other: x [batch, length, heads * headDim], cos and sin
 * [batch * length, headDim / 2]. The gradient is the same rotation turned back.
 */
export function rotary(x: Tensor, cos: Tensor, sin: Tensor, heads: number): Tensor {
  const [batch, length, width] = x.shape;
  const half = width! / heads / 2;
  if (
    x.shape.length !== 3 ||
    !sameShape(cos.shape, [batch! * length!, half]) ||
    !sameShape(sin.shape, cos.shape)
  ) {
    throw new ShapeError(
      `rotary: x ${formatShape(x.shape)} with ${heads} heads wants cos and sin of ${formatShape([batch! * length!, half])}, got ${formatShape(cos.shape)}`,
    );
  }
  const rows = constant(
    BigInt64Array.from({ length: batch! * length! }, (_, i) => BigInt(i)),
    [batch!, length!],
  );
  return singleOutput(
    "rotary",
    [x, rows, cos, sin],
    x.shape,
    {
      opType: "RotaryEmbedding",
      domain: "com.microsoft",
      attributes: { interleaved: { int: 0 }, num_heads: { int: heads } },
    },
    (g, needs) => {
      if (needs[2] || needs[3]) throw new ShapeError("rotary: cos and sin are not differentiable");
      return [rotary(g, cos, negate(sin), heads), undefined, undefined, undefined];
    },
  );
}
