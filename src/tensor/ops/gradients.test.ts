import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  checkGradient,
  floats,
  gridFloats,
  type GradientCase,
  type Operand,
} from "../../../test/support/gradient-check.js";
import { createRng, shuffled, type Rng } from "../../base/rng.js";
import {
  compile,
  constant,
  gradients,
  input,
  multiply,
  scalar,
  singleOutput,
  sizeOf,
  sum,
  type Shape,
  type Tensor,
} from "../index.js";
import * as attentionOps from "./attention.js";
import * as broadcastOps from "./broadcast.js";
import * as elementwiseOps from "./elementwise.js";
import * as matmulOps from "./matmul.js";
import * as movementOps from "./movement.js";
import * as nnOps from "./nn.js";
import * as reduceOps from "./reduce.js";

const operators = {
  ...attentionOps,
  ...broadcastOps,
  ...elementwiseOps,
  ...matmulOps,
  ...movementOps,
  ...nnOps,
  ...reduceOps,
};
type Name = keyof typeof operators;
/** Makes a random application of an operator. */
type Maker = (rng: Rng) => GradientCase;

const {
  absolute,
  add,
  attention,
  broadcastTo,
  causalAttention,
  clamp,
  concat,
  divide,
  erf,
  exp,
  gatherRows,
  gelu,
  linear,
  log,
  logSoftmax,
  matmul,
  mean,
  minimum,
  negate,
  padAxis,
  putAlongRows,
  reshape,
  rmsNorm,
  rotary,
  sigmoid,
  sign,
  silu,
  slice,
  softmax,
  sqrt,
  subtract,
  takeAlongRows,
  tanh,
  tokenLogprobs,
  transpose,
  where,
} = operators;

type Values = (rng: Rng, shape: Shape) => Float32Array;
const usual: Values = (rng, shape) => floats(rng, shape);
const awayFromZero: Values = (rng, shape) => floats(rng, shape, { low: 0.75, high: 2 });
const positive: Values = (rng, shape) => floats(rng, shape, { low: 0.75, high: 3, positive: true });

const shapeOf = (rng: Rng, minRank = 0, maxRank = 3): number[] =>
  Array.from({ length: rng.int(minRank, maxRank) }, () => rng.int(1, 4));
/** A shape that broadcasts to `shape`: axes made 1, leading ones dropped. */
function broadcasting(rng: Rng, shape: Shape): number[] {
  const from = rng.int(0, shape.length);
  return shape.slice(from).map((dim) => (rng.next() < 0.4 ? 1 : dim));
}
const operand = (rng: Rng, shape: Shape, values: Values = usual): Operand => ({
  shape,
  data: values(rng, shape),
});
const indices = (rng: Rng, shape: Shape, below: number): Operand => ({
  shape,
  data: Int32Array.from({ length: sizeOf(shape) }, () => rng.int(0, below - 1)),
});

function unaryCase(op: (x: Tensor) => Tensor, values: Values = usual, minRank = 0): Maker {
  return (rng) => ({ operands: [operand(rng, shapeOf(rng, minRank), values)], build: ([x]) => op(x!) });
}

/** Operands that broadcast against each other, in either direction. */
function binaryCase(op: (a: Tensor, b: Tensor) => Tensor, valuesA: Values = usual, valuesB = valuesA): Maker {
  return (rng) => {
    const shape = shapeOf(rng);
    const [a, b] = shuffled([shape, broadcasting(rng, shape)], rng) as [number[], number[]];
    return { operands: [operand(rng, a, valuesA), operand(rng, b, valuesB)], build: ([x, y]) => op(x!, y!) };
  };
}

const cases: Record<string, Maker> = {
  add: binaryCase(add),
  subtract: binaryCase(subtract),
  multiply: binaryCase(multiply),
  divide: binaryCase(divide, usual, awayFromZero),
  minimum: binaryCase(
    minimum,
    (rng, shape) => gridFloats(rng, shape),
    (rng, shape) => gridFloats(rng, shape, 0.125),
  ),
  clamp: unaryCase(
    (x) => clamp(x, scalar(-0.625), scalar(0.875)),
    (rng, shape) => gridFloats(rng, shape),
  ),
  negate: unaryCase(negate),
  exp: unaryCase(exp),
  log: unaryCase(log, positive),
  sqrt: unaryCase(sqrt, positive),
  tanh: unaryCase(tanh),
  sigmoid: unaryCase(sigmoid),
  absolute: unaryCase(absolute, awayFromZero),
  sign: unaryCase(sign, awayFromZero),
  erf: unaryCase(erf),
  silu: unaryCase(silu),
  gelu: unaryCase(gelu),
  softmax: unaryCase(softmax, usual, 1),
  logSoftmax: unaryCase(logSoftmax, usual, 1),
  where: (rng) => {
    const shape = shapeOf(rng);
    const [c, a, b] = shuffled([shape, broadcasting(rng, shape), broadcasting(rng, shape)], rng);
    const condition = constant(
      Uint8Array.from({ length: sizeOf(c!) }, () => rng.int(0, 1)),
      c!,
    );
    return { operands: [operand(rng, a!), operand(rng, b!)], build: ([x, y]) => where(condition, x!, y!) };
  },
  sum: reduction(sum),
  mean: reduction(mean),
  reshape: (rng) => {
    const shape = shapeOf(rng, 1, 4);
    const to = shuffled(rng.next() < 0.5 ? [1, ...shape] : [sizeOf(shape)], rng);
    return { operands: [operand(rng, shape)], build: ([x]) => reshape(x!, to) };
  },
  transpose: (rng) => {
    const shape = shapeOf(rng, 1, 4);
    const permutation = shuffled(
      shape.map((_, axis) => axis),
      rng,
    );
    return { operands: [operand(rng, shape)], build: ([x]) => transpose(x!, permutation) };
  },
  broadcastTo: (rng) => {
    const shape = shapeOf(rng);
    return { operands: [operand(rng, broadcasting(rng, shape))], build: ([x]) => broadcastTo(x!, shape) };
  },
  slice: (rng) => {
    const shape = shapeOf(rng, 1);
    const axis = rng.int(-shape.length, shape.length - 1);
    const start = rng.int(0, shape.at(axis)! - 1);
    const end = rng.int(start + 1, shape.at(axis)!);
    return { operands: [operand(rng, shape)], build: ([x]) => slice(x!, axis, start, end) };
  },
  padAxis: (rng) => {
    const shape = shapeOf(rng, 1);
    const axis = rng.int(-shape.length, shape.length - 1);
    const [before, after] = [rng.int(0, 2), rng.int(0, 2)];
    return { operands: [operand(rng, shape)], build: ([x]) => padAxis(x!, axis, before, after) };
  },
  concat: (rng) => {
    const shape = shapeOf(rng, 1);
    const axis = rng.int(0, shape.length - 1);
    const parts = Array.from({ length: rng.int(1, 3) }, () => operand(rng, shape.with(axis, rng.int(1, 3))));
    // The first part once more at the end: its gradients must add up.
    return { operands: parts, build: (x) => concat([...x, x[0]!], axis) };
  },
  gatherRows: (rng) => {
    const table = shapeOf(rng, 1);
    // More indices than rows: some come twice.
    const places = [...shapeOf(rng, 0, 1), table[0]! + 1];
    return {
      operands: [operand(rng, table), indices(rng, places, table[0]!)],
      build: ([x, at]) => gatherRows(x!, at!),
    };
  },
  takeAlongRows: (rng) => {
    const [rows, columns] = shapeOf(rng, 2, 2) as [number, number];
    return {
      operands: [operand(rng, [rows, columns]), indices(rng, [rows], columns)],
      build: ([x, at]) => takeAlongRows(x!, at!),
    };
  },
  putAlongRows: (rng) => {
    const [rows, columns] = shapeOf(rng, 2, 2) as [number, number];
    return {
      operands: [operand(rng, [rows, columns]), indices(rng, [rows, 1], columns), operand(rng, [rows, 1])],
      build: ([x, at, values]) => putAlongRows(x!, at!, values!),
    };
  },
  matmul: (rng) => {
    const batch = shapeOf(rng, 0, 2);
    const [m, k, n] = [rng.int(1, 4), rng.int(1, 4), rng.int(1, 4)];
    const [transposeA, transposeB] = [rng.next() < 0.5, rng.next() < 0.5];
    const scale = rng.pick([1, 0.5, -2]);
    return {
      operands: [
        operand(rng, [...batch, ...(transposeA ? [k, m] : [m, k])]),
        operand(rng, [...batch, ...(transposeB ? [n, k] : [k, n])]),
      ],
      build: ([a, b]) => matmul(a!, b!, { transposeA, transposeB, scale }),
    };
  },
  linear: (rng) => {
    const [n, into, out] = [rng.int(1, 4), rng.int(1, 4), rng.int(1, 4)];
    const bias = rng.next() < 0.5 ? [operand(rng, [out])] : [];
    return {
      operands: [operand(rng, [n, into]), operand(rng, [out, into]), ...bias],
      build: ([x, weight, b]) => linear(x!, weight!, b),
    };
  },
  tokenLogprobs: (rng) => {
    const [rows, vocabulary] = [rng.int(1, 4), rng.int(1, 6)];
    return {
      operands: [operand(rng, [rows, vocabulary]), indices(rng, [rows], vocabulary)],
      build: ([logits, targets]) => tokenLogprobs(logits!, targets!),
    };
  },
  rmsNorm: (rng) => {
    const shape = shapeOf(rng, 1);
    const epsilon = rng.pick([1e-6, 0.1]);
    return {
      operands: [operand(rng, shape, awayFromZero), operand(rng, [shape.at(-1)!])],
      build: ([x, weight]) => rmsNorm(x!, weight!, epsilon),
    };
  },
  rotary: (rng) => {
    const [batch, length, heads, half] = [rng.int(1, 2), rng.int(1, 3), rng.int(1, 3), rng.int(1, 3)];
    const angles = floats(rng, [batch * length * half], { high: 3 });
    const table = (f: (angle: number) => number) => constant(angles.map(f), [batch * length, half]);
    return {
      operands: [operand(rng, [batch, length, heads * half * 2])],
      build: ([x]) => rotary(x!, table(Math.cos), table(Math.sin), heads),
    };
  },
  attention: (rng) => {
    const batch = shapeOf(rng, 1, 2);
    const [queries, keys, width, out] = [rng.int(1, 4), rng.int(2, 4), rng.int(1, 3), rng.int(1, 3)];
    // One key out of sight, for all batches alike.
    const mask = Float32Array.from({ length: queries * keys }, (_, i) => (i % keys === 1 ? -1e9 : 0));
    const masks = rng.next() < 0.5 ? [{ shape: [queries, keys], data: mask, fixed: true }] : [];
    return {
      operands: [
        operand(rng, [...batch, queries, width]),
        operand(rng, [...batch, keys, width]),
        operand(rng, [...batch, keys, out]),
        ...masks,
      ],
      build: ([q, k, v, seen]) => attention(q!, k!, v!, 0.8, seen),
    };
  },
  causalAttention: (rng) => {
    const [batch, heads, length, group, width] = [1, 2, 6, 3, 3].map((most) => rng.int(1, most));
    const block = rng.int(1, 8);
    const keys = [batch!, heads!, length!, width!];
    const own = [operand(rng, keys.with(2, length! * group!)), operand(rng, keys), operand(rng, keys)];
    const before = rng.int(0, 3);
    if (before === 0) {
      return {
        operands: own,
        build: ([q, k, v]) => causalAttention(q!, k!, v!, { scale: 0.7, group: group!, block }),
      };
    }
    const shape = keys.with(2, before);
    // The last key of the prefix is padding, where there are others.
    const hidden = Float32Array.from({ length: batch! * before }, (_, i) =>
      before > 1 && i % before === before - 1 ? -1e9 : 0,
    );
    const mask = rng.next() < 0.5 ? constant(hidden, [batch!, 1, 1, before]) : undefined;
    return {
      operands: [...own, operand(rng, shape), operand(rng, shape)],
      build: ([q, k, v, key, value]) =>
        causalAttention(q!, k!, v!, {
          scale: 0.7,
          group: group!,
          block,
          prefix: { key: key!, value: value!, mask },
        }),
    };
  },
} satisfies Partial<Record<Name, Maker>>;

/** Exported beside the operators: what makes constants, and what no gradient passes. */
const WITHOUT_GRADIENT = ["additiveKeyMask", "int32s", "lessOrEqual", "zeros"] satisfies Name[];

function reduction(op: typeof sum): Maker {
  return (rng) => {
    const shape = shapeOf(rng);
    const axes = shape.flatMap((_, axis) =>
      rng.next() < 0.5 ? [rng.next() < 0.5 ? axis : axis - shape.length] : [],
    );
    const options = { keepDims: rng.next() < 0.5, ...(rng.next() < 0.7 && { axes }) };
    return { operands: [operand(rng, shape)], build: ([x]) => op(x!, options) };
  };
}

describe("gradients of operators equal finite differences", () => {
  it("has a case for every exported operator", () => {
    expect([...Object.keys(cases), ...WITHOUT_GRADIENT].toSorted()).toEqual(
      Object.keys(operators).toSorted(),
    );
  });

  it.each(Object.keys(cases))("%s", async (name) => {
    expect.hasAssertions();
    await fc.assert(
      fc.asyncProperty(fc.integer(), async (seed) => {
        const rng = createRng(seed);
        await checkGradient(cases[name]!(rng), rng);
      }),
      { numRuns: 12 },
    );
  });

  it("notices a gradient that is one percent off", async () => {
    const rng = createRng(1);
    const wrong = (x: Tensor): Tensor => {
      const y: Tensor = singleOutput("wrong", [x], x.shape, { opType: "Exp" }, (g) => [
        multiply(scalar(1.01), multiply(g, y)),
      ]);
      return y;
    };
    await expect(
      checkGradient({ operands: [operand(rng, [2])], build: ([x]) => wrong(x!) }, rng),
    ).rejects.toThrow("operand");
  });

  it("gatherRows, twice: the scatter in its gradient is itself differentiable", async () => {
    expect.hasAssertions();
    const rng = createRng(5);
    const at = constant(Int32Array.of(2, 0, 2, 1, 2), [5]);
    // sum(u * dL/dtable) for L = sum(rows^3 / 3): its gradient passes the scatter once more.
    const u = constant(floats(rng, [3, 2]), [3, 2]);
    await checkGradient(
      {
        operands: [operand(rng, [3, 2])],
        build: ([table]) => {
          const rows = gatherRows(table!, at);
          const [first] = gradients(sum(multiply(rows, multiply(rows, rows))), [table!]);
          return multiply(u, first!);
        },
      },
      rng,
    );
  });
});

describe("gradients at kinks", () => {
  it("go to the first of two equal numbers, and pass both ends of a range; |x| has none at 0", async () => {
    const x = input("x", [3]);
    const ones = constant(Float32Array.of(1, 1, 1), [3]);
    const at = async (y: Tensor, wrt: readonly Tensor[], values: number[]) => {
      const found = gradients(sum(y), wrt);
      const program = await compile(Object.fromEntries(found.map((g, i) => [`g${i}`, g])), { threads: 1 });
      const out = await program.run({ x: Float32Array.from(values) });
      await program.close();
      return found.map((_, i) => [...(out[`g${i}`] as Float32Array)]);
    };
    expect(await at(minimum(x, ones), [x, ones], [1, 0, 2])).toEqual([
      [1, 1, 0],
      [0, 0, 1],
    ]);
    expect(await at(clamp(x, scalar(-1), scalar(1)), [x], [-1, 1, 1.5])).toEqual([[1, 1, 0]]);
    expect(await at(absolute(x), [x], [0, -2, 3])).toEqual([[0, -1, 1]]);
  });
});
