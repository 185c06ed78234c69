/** @file Matrix products: batched, with transposes and a scale folded in, and the linear layer. */
import { ShapeError } from "../../base/errors.js";
import { sameShape, formatShape, singleOutput, type Tensor } from "../tensor.js";
import { sum } from "./broadcast.js";

/** Options of {@link matmul}. */
export interface MatmulOptions {
  /** Use a with its last two axes exchanged. @default false */
  readonly transposeA?: boolean;
  /** Use b with its last two axes exchanged. @default false */
  readonly transposeB?: boolean;
  /** Multiplies the product. @default 1 */
  readonly scale?: number;
}

/** a [...batch, m, k] times b [...batch, k, n], with equal batch axes: [...batch, m, n]. */
export function matmul(a: Tensor, b: Tensor, options: MatmulOptions = {}): Tensor {
  const { transposeA = false, transposeB = false, scale = 1 } = options;
  const rank = a.shape.length;
  const batch = a.shape.slice(0, -2);
  const [m, k] = transposeA
    ? [a.shape[rank - 1]!, a.shape[rank - 2]!]
    : [a.shape[rank - 2]!, a.shape[rank - 1]!];
  const [k2, n] = transposeB
    ? [b.shape[rank - 1]!, b.shape[rank - 2]!]
    : [b.shape[rank - 2]!, b.shape[rank - 1]!];
  if (rank < 2 || b.shape.length !== rank || k !== k2 || !sameShape(batch, b.shape.slice(0, -2))) {
    const mark = (t: Tensor, transposed: boolean) =>
      `${formatShape(t.shape)}${transposed ? " transposed" : ""}`;
    throw new ShapeError(`matmul: ${mark(a, transposeA)} times ${mark(b, transposeB)} does not fit`);
  }
  const attributes = {
    transA: { int: transposeA ? 1 : 0 },
    transB: { int: transposeB ? 1 : 0 },
    alpha: { float: scale },
  };
  return singleOutput(
    "matmul",
    [a, b],
    [...batch, m, n],
    { opType: "FusedMatMul", domain: "com.microsoft", attributes },
    (g, [needA, needB]) => [
      needA
        ? transposeA
          ? matmul(b, g, { transposeA: transposeB, transposeB: true, scale })
          : matmul(g, b, { transposeB: !transposeB, scale })
        : undefined,
      needB
        ? transposeB
          ? matmul(g, a, { transposeA: true, transposeB: transposeA, scale })
          : matmul(a, g, { transposeA: !transposeA, scale })
        : undefined,
    ],
  );
}

function gemm(a: Tensor, b: Tensor, transA: boolean, transB: boolean, bias?: Tensor): Tensor {
  const m = a.shape[transA ? 1 : 0]!;
  const n = b.shape[transB ? 0 : 1]!;
  return singleOutput(
    "gemm",
    bias === undefined ? [a, b] : [a, b, bias],
    [m, n],
    { opType: "Gemm", attributes: { transA: { int: transA ? 1 : 0 }, transB: { int: transB ? 1 : 0 } } },
    (g, [needA, needB, needBias]) => [
      needA ? (transA ? gemm(b, g, transB, true) : gemm(g, b, false, !transB)) : undefined,
      needB ? (transB ? gemm(g, a, true, transA) : gemm(a, g, !transA, false)) : undefined,
      needBias ? sum(g, { axes: [0] }) : undefined,
    ],
  );
}

/** x [n, in] through a layer with weight [out, in] and bias [out], as PyTorch stores them: [n, out]. */
export function linear(x: Tensor, weight: Tensor, bias?: Tensor): Tensor {
  const fits =
    x.shape.length === 2 &&
    weight.shape.length === 2 &&
    x.shape[1] === weight.shape[1] &&
    (bias === undefined || sameShape(bias.shape, [weight.shape[0]!]));
  if (!fits) {
    const parts = [x, weight, ...(bias ? [bias] : [])].map((t) => formatShape(t.shape));
    throw new ShapeError(`linear: x, weight, bias of ${parts.join(", ")} do not fit`);
  }
  return gemm(x, weight, false, true, bias);
}
