/** @file Scaled dot-product attention with a gradient that reads the score matrix as few times as it can. */
import { ShapeError } from "../../base/errors.js";
import { constant, formatShape, sameShape, singleOutput, type Tensor } from "../tensor.js";
import { broadcastTo, sum } from "./broadcast.js";
import { add, multiply, subtract } from "./elementwise.js";
import { matmul } from "./matmul.js";
import { concat, padAxis, slice } from "./movement.js";

/** Added to the score of a key that must not be seen: finite, so that a row with no key at all stays finite. */
const MASKED = -1e9;

/**
 * softmax(scale * q k^T + mask) v: q [...batch, queries, d], k and v [...batch, keys, d], mask broadcasting to
 * [...batch, queries, keys] (0 = seen, very negative = not). The mask gets no gradient.
 */
export function attention(q: Tensor, k: Tensor, v: Tensor, scale: number, mask?: Tensor): Tensor {
  const scores = matmul(q, k, { transposeB: true, scale });
  if (!sameShape(v.shape.slice(0, -1), k.shape.slice(0, -1))) {
    throw new ShapeError(`attention: values ${formatShape(v.shape)} for keys ${formatShape(k.shape)}`);
  }
  const masked = mask === undefined ? scores : add(scores, mask);
  if (!sameShape(masked.shape, scores.shape)) {
    throw new ShapeError(
      `attention: mask ${formatShape(mask!.shape)} does not broadcast to scores ${formatShape(scores.shape)}`,
    );
  }
  const weights = singleOutput("attentionWeights", [masked], masked.shape, {
    opType: "Softmax",
    attributes: { axis: { int: -1 } },
  });
  const out: Tensor = singleOutput("attention", [weights, v], [...q.shape.slice(0, -1), v.shape.at(-1)!], {
    opType: "FusedMatMul",
    domain: "com.microsoft",
    attributes: { transA: { int: 0 }, transB: { int: 0 }, alpha: { float: 1 } },
  });
  return withGradient(out, [q, k, v], (g, [needQ, needK, needV]) => {
    // sum_j dP_ij P_ij = g_i . out_i: saves a pass over the scores (Dao et al., 2205.14135, section 3.1).
    const row = sum(multiply(g, out), { axes: [-1], keepDims: true });
    const dScores = multiply(weights, subtract(matmul(g, v, { transposeB: true }), row));
    return [
      needQ ? matmul(dScores, k, { scale }) : undefined,
      needK ? matmul(dScores, q, { transposeA: true, scale }) : undefined,
      needV ? matmul(weights, g, { transposeA: true }) : undefined,
    ];
  });
}

/** `value`, as if it were one operator of `inputs` with this gradient. */
function withGradient(
  value: Tensor,
  inputs: readonly Tensor[],
  vjp: (g: Tensor, needs: readonly boolean[]) => readonly (Tensor | undefined)[],
): Tensor {
  return singleOutput(
    "withGradient",
    [value, ...inputs],
    value.shape,
    { opType: "Identity", arity: 1 },
    (g, needs) => [undefined, ...vjp(g, needs.slice(1))],
  );
}

/** Keys that every query sees, before those of its own sequence. */
export interface AttentionPrefix {
  /** [batch, keyHeads, prefixLength, d] */
  readonly key: Tensor;
  readonly value: Tensor;
  /** [batch, 1, 1, prefixLength]: 0 = seen, very negative = padding; absent where there is no padding. */
  readonly mask?: Tensor;
}

/** Options of {@link causalAttention}. */
export interface CausalOptions {
  readonly scale: number;
  /** Query heads that share a key head; their rows lie next to each other: row = position * group + head. @default 1 */
  readonly group?: number;
  /** Positions a block of queries holds: a block never multiplies keys that lie wholly in its future. @default 128 */
  readonly block?: number;
  readonly prefix?: AttentionPrefix;
}

/** Queries at positions start..end against keys 0..end, [1, 1, (end - start) * group, end]: 0 where the key is not in the query's future. */
function causalMask(start: number, end: number, group: number): Tensor {
  const mask = new Float32Array((end - start) * group * end);
  for (let row = 0; row < (end - start) * group; row++) {
    const position = start + Math.floor(row / group);
    mask.fill(MASKED, row * end + position + 1, (row + 1) * end);
  }
  return constant(mask, [1, 1, (end - start) * group, end]);
}

/** The mask of a block's own keys with that of the prefix before it. */
function withPrefixMask(own: Tensor, prefix: AttentionPrefix): Tensor {
  const [batch, , length] = prefix.key.shape as [number, number, number];
  const queries = own.shape[2]!;
  if (prefix.mask === undefined) return padAxis(own, 3, length, 0);
  return concat(
    [
      broadcastTo(prefix.mask, [batch, 1, queries, length]),
      broadcastTo(own, [batch, 1, queries, own.shape[3]!]),
    ],
    3,
  );
}

/**
 * Causal attention in blocks of queries: q [batch, keyHeads, length * group, d], k and v [batch, keyHeads, length, d].
 * Padding on the right needs no mask of its own: no real query sees it.
 */
export function causalAttention(q: Tensor, k: Tensor, v: Tensor, options: CausalOptions): Tensor {
  const { scale, group = 1, block = 128, prefix } = options;
  const length = k.shape[2]!;
  if (q.shape.length !== 4 || q.shape[2] !== length * group) {
    throw new ShapeError(
      `causalAttention: q ${formatShape(q.shape)} for ${length} keys in groups of ${group}`,
    );
  }
  const before = prefix?.key.shape[2] ?? 0;
  const keys = prefix === undefined ? k : concat([prefix.key, k], 2);
  const values = prefix === undefined ? v : concat([prefix.value, v], 2);
  const blocks = Math.max(1, Math.round(length / block));
  const parts = Array.from({ length: blocks }, (_, index) => {
    const start = Math.floor((length * index) / blocks);
    const end = Math.floor((length * (index + 1)) / blocks);
    const own = causalMask(start, end, group);
    const mask = prefix === undefined ? own : withPrefixMask(own, prefix);
    const rows = slice(q, 2, start * group, end * group);
    return attention(rows, slice(keys, 2, 0, before + end), slice(values, 2, 0, before + end), scale, mask);
  });
  return concat(parts, 2);
}

/** The additive form of a key mask: 1 = a real key, 0 = padding. */
export function additiveKeyMask(seen: ArrayLike<number>): Float32Array {
  return Float32Array.from({ length: seen.length }, (_, i) => (seen[i] ? 0 : MASKED));
}
