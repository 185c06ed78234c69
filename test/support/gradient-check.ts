/** @file Holds an operator's gradient to finite differences of what it computes. */
import { expect } from "vitest";
import type { Rng } from "../../src/base/rng.js";
import {
  compile,
  gradients,
  input,
  multiply,
  sizeOf,
  sum,
  type Shape,
  type Tensor,
  type TensorData,
  type Values,
} from "../../src/tensor/index.js";

/** An operand: float32 ones are differentiated unless `fixed`. */
export interface Operand {
  readonly shape: Shape;
  readonly data: TensorData;
  readonly fixed?: boolean;
}

/** One application of an operator. */
export interface GradientCase {
  readonly operands: readonly Operand[];
  build(inputs: readonly Tensor[]): Tensor;
}

/** Steps are powers of two, so that moving an operand by one is nearly exact in float32. */
const STEP = 2 ** -5;

/**
 * Compares d sum(w * y) / d operand with central differences, extrapolated from two step sizes (Richardson) so that
 * the step can be large and float32's rounding small; the sum is taken in float64. Operands must keep 1/16 away from kinks.
 *
 * @param tolerance largest difference, relative to the largest gradient (at least 1).
 */
export async function checkGradient(
  { operands, build }: GradientCase,
  rng: Rng,
  tolerance = 3e-4,
): Promise<void> {
  const inputs = operands.map(({ shape, data }, i) =>
    input(
      `x${i}`,
      shape,
      data instanceof Float32Array ? "float32" : data instanceof Int32Array ? "int32" : "bool",
    ),
  );
  const y = build(inputs);
  const weights = floats(rng, y.shape, { low: 0.5, high: 1.5 });
  const wanted = operands.flatMap(({ data, fixed }, i) =>
    data instanceof Float32Array && !fixed ? [i] : [],
  );
  const found = gradients(
    sum(multiply(y, input("w", y.shape))),
    wanted.map((i) => inputs[i]!),
  );
  found.forEach((gradient, i) => expect(gradient.shape).toEqual(operands[wanted[i]!]!.shape));
  const forward = await compile({ y }, { threads: 1 });
  const backward = await compile(Object.fromEntries(found.map((g, i) => [`g${wanted[i]!}`, g])), {
    threads: 1,
  });
  const feeds: Record<string, TensorData> = { w: weights };
  operands.forEach(({ data }, i) => (feeds[`x${i}`] = data.slice()));
  try {
    const analytic = await backward.run(feeds);
    const differences: Record<string, number[]> = {};
    let largest = 1;
    for (const i of wanted) {
      const x = feeds[`x${i}`] as Float32Array;
      differences[i] = [];
      for (let at = 0; at < x.length; at++) {
        const numeric = await derivative(x, at, () => loss(forward.run(feeds as Values)));
        largest = Math.max(largest, Math.abs(numeric));
        differences[i].push(Math.abs((analytic[`g${i}`] as Float32Array)[at]! - numeric));
      }
    }
    for (const [i, list] of Object.entries(differences)) {
      const worst = Math.max(...list) / largest;
      expect({ operand: Number(i), wrong: worst < tolerance ? false : list }).toEqual({
        operand: Number(i),
        wrong: false,
      });
    }
  } finally {
    await Promise.all([forward.close(), backward.close()]);
  }

  async function loss(run: Promise<Record<string, TensorData>>): Promise<number> {
    const values = (await run).y as Float32Array;
    return values.reduce((total, value, i) => total + value * weights[i]!, 0);
  }
}

async function derivative(x: Float32Array, at: number, loss: () => Promise<number>): Promise<number> {
  const here = x[at]!;
  const central = async (step: number) => {
    x[at] = here + step;
    const high = x[at]!;
    const above = await loss();
    x[at] = here - step;
    const slope = (above - (await loss())) / (high - x[at]!);
    x[at] = here;
    return slope;
  };
  return (4 * (await central(STEP)) - (await central(2 * STEP))) / 3;
}

/** Random magnitudes within low..high, either sign unless `positive`. */
export function floats(
  rng: Rng,
  shape: Shape,
  { low = 0, high = 1.5, positive = false }: { low?: number; high?: number; positive?: boolean } = {},
): Float32Array {
  return Float32Array.from(
    { length: sizeOf(shape) },
    () => rng.uniform(low, high) * (positive || rng.next() < 0.5 ? 1 : -1),
  );
}

/** Random points of the grid offset + k / 4 within about -1.5..1.5: two grids with other offsets never meet. */
export function gridFloats(rng: Rng, shape: Shape, offset = 0): Float32Array {
  return Float32Array.from({ length: sizeOf(shape) }, () => offset + rng.int(-6, 6) / 4);
}
