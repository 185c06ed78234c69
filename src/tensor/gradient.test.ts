import { describe, expect, it } from "vitest";
import { lower } from "./onnx/lower.js";
import {
  add,
  compile,
  constant,
  exp,
  gradients,
  input,
  lessOrEqual,
  linear,
  multiply,
  operation,
  operationsOf,
  reshape,
  rmsNorm,
  silu,
  sum,
  where,
  type Tensor,
} from "./index.js";

const scalarLoss = (x: Tensor) => sum(multiply(x, x));

async function valuesOf(
  tensors: readonly Tensor[],
  feeds: Record<string, Float32Array>,
): Promise<number[][]> {
  const program = await compile(Object.fromEntries(tensors.map((t, i) => [`y${i}`, t])), { threads: 1 });
  const wanted = Object.fromEntries(program.inputNames.map((name) => [name, feeds[name]!]));
  const out = await program.run(wanted);
  await program.close();
  return tensors.map((_, i) => [...(out[`y${i}`] as Float32Array)]);
}

/** A stack of layers: x [4, 8] through `depth` norms, products and gates. */
function tower(depth: number) {
  const weights: Tensor[] = [];
  const hidden: Tensor[] = [];
  let x = input("x", [4, 8]);
  for (let layer = 0; layer < depth; layer++) {
    const weight = input(`w${layer}`, [8, 8]);
    weights.push(weight);
    const norm = input(`n${layer}`, [8]);
    x = add(x, silu(linear(rmsNorm(x, norm, 1e-6), weight)));
    hidden.push(x);
  }
  return { loss: scalarLoss(x), weights, hidden };
}

describe("gradients", () => {
  it("of a later layer hold no backward operation of earlier ones", () => {
    const { loss, weights } = tower(6);
    const forward = operationsOf([loss]).length;
    const backward = weights.map(
      (weight) => operationsOf([loss, ...gradients(loss, [weight])]).length - forward,
    );
    // The further down the weight, the longer the way back; the last layer's way is as long as a one-layer model's.
    expect(backward).toEqual(backward.toSorted((a, b) => b - a));
    expect(new Set(backward).size).toBe(6);
    const single = tower(1);
    const alone = operationsOf([single.loss, ...gradients(single.loss, [single.weights[0]!])]).length;
    expect(backward[5]).toBe(alone - operationsOf([single.loss]).length);
    // With every other weight and the input frozen, nothing of theirs is computed in the lowered graph either.
    const all = lower({ loss, ...named(gradients(loss, weights)) }).nodeCount;
    const last = lower({ loss, ...named(gradients(loss, [weights[5]!])) }).nodeCount;
    expect(last - forward).toBeLessThan((all - forward) / 5);
  });

  it("of a tensor in the middle stop there", () => {
    const { loss, hidden } = tower(4);
    const [found] = gradients(loss, [hidden[2]!]);
    const below = new Set(operationsOf([hidden[2]!]));
    const backward = operationsOf([found!]).filter((made) => !below.has(made));
    const whole = operationsOf([loss]).filter((made) => !below.has(made));
    expect(backward.length).toBeLessThan(4 * whole.length);
    expect(found!.shape).toEqual(hidden[2]!.shape);
  });

  it("of what the loss does not depend on are zeros, without any operation of the loss", async () => {
    const x = input("x", [2]);
    const other = input("other", [2, 3]);
    const [gx, gother] = gradients(scalarLoss(x), [x, other]);
    expect(gother!.shape).toEqual([2, 3]);
    expect(await valuesOf([gx!, gother!], { x: Float32Array.of(3, -1) })).toEqual([
      [6, -2],
      [0, 0, 0, 0, 0, 0],
    ]);
  });

  it("add up over every use of a shared expression, which is differentiated once", async () => {
    const x = input("x", [2]);
    const shared = exp(x);
    // (e + e * e) and the expression used twice in one product: 1 + 2e + 2e
    const loss = sum(add(add(shared, multiply(shared, shared)), multiply(shared, shared)));
    const [found] = gradients(loss, [x]);
    const e = [0.5, -1].map(Math.exp);
    const [values] = await valuesOf([found!], { x: Float32Array.of(0.5, -1) });
    values!.forEach((value, i) => expect(value).toBeCloseTo(e[i]! * (1 + 4 * e[i]!), 5));
    const outside = operationsOf([shared]);
    const products = operationsOf([found!]).filter(
      (made) => made.name === "Mul" && made.inputs[1] === shared && !outside.includes(made),
    );
    // Two rules of each of the two products, and exp's own once, applied to the summed gradient.
    expect(products.filter((made) => made.inputs[0] !== shared).length).toBe(5);
  });

  it("of the loss itself are 1, and the same tensor may be asked for twice", async () => {
    const x = input("x", [1]);
    const loss = reshape(multiply(x, x), []);
    const found = gradients(loss, [loss, x, x]);
    expect(await valuesOf(found, { x: Float32Array.of(4) })).toEqual([[1], [8], [8]]);
  });

  it("pass by conditions", async () => {
    const x = input("x", [2]);
    const loss = sum(where(lessOrEqual(x, constant(Float32Array.of(0), [])), x, multiply(x, x)));
    const [found] = gradients(loss, [x]);
    expect(await valuesOf([found!], { x: Float32Array.of(-3, 3) })).toEqual([[1, 6]]);
  });

  it("refuse what is no scalar or cannot be differentiated", () => {
    const x = input("x", [2]);
    expect(() => gradients(x, [x])).toThrow("the loss must be a float32 scalar, got float32 [2]");
    expect(() => gradients(input("i", [], "int32"), [])).toThrow("got int32 []");
    const [opaque] = operation({
      name: "opaque",
      inputs: [x],
      outputs: [{ shape: [2] }],
      node: { opType: "Relu" },
    });
    expect(() => gradients(sum(opaque!), [x])).toThrow("opaque has no derivative");
    expect(gradients(sum(opaque!), [input("y", [1])])[0]!.shape).toEqual([1]);
  });

  it("reach through thousands of operations", () => {
    let y = input("x", []);
    for (let i = 0; i < 20_000; i++) y = add(y, y);
    expect(gradients(y, [y])).toHaveLength(1);
    expect(operationsOf([y])).toHaveLength(20_000);
  });
});

const named = (tensors: readonly Tensor[]) => Object.fromEntries(tensors.map((t, i) => [`g${i}`, t]));
