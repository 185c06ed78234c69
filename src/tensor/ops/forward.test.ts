import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { floats } from "../../../test/support/gradient-check.js";
import { createRng } from "../../base/rng.js";
import {
  add,
  additiveKeyMask,
  attention,
  broadcastTo,
  causalAttention,
  clamp,
  compile,
  concat,
  constant,
  erf,
  gatherRows,
  gelu,
  gradients,
  input,
  int32s,
  lessOrEqual,
  linear,
  logSoftmax,
  matmul,
  mean,
  minimum,
  multiply,
  padAxis,
  putAlongRows,
  reshape,
  rmsNorm,
  rotary,
  scalar,
  sign,
  slice,
  softmax,
  sum,
  takeAlongRows,
  tokenLogprobs,
  transpose,
  where,
  zeros,
  type Shape,
  type Tensor,
} from "../index.js";

async function evaluate(y: Tensor): Promise<number[]> {
  const program = await compile({ y }, { threads: 1 });
  const out = await program.run({});
  await program.close();
  return Array.from(out.y as Float32Array);
}

const vector = (...values: number[]) => constant(Float32Array.from(values), [values.length]);
const count = (shape: Shape) =>
  constant(
    Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => i),
    shape,
  );

describe("what operators compute", () => {
  it("elementwise: signs, ranges, choices, the error function's known values", async () => {
    expect(await evaluate(sign(vector(-2, 0, 3)))).toEqual([-1, 0, 1]);
    expect(await evaluate(minimum(vector(1, 5), scalar(3)))).toEqual([1, 3]);
    expect(await evaluate(clamp(vector(-9, 0.5, 9), scalar(-1), scalar(1)))).toEqual([-1, 0.5, 1]);
    const condition = lessOrEqual(vector(1, 2, 3), scalar(2));
    expect(await evaluate(where(condition, vector(1, 1, 1), scalar(0)))).toEqual([1, 1, 0]);
    const values = await evaluate(concat([erf(vector(0.5, 1)), gelu(vector(1, -1))], 0));
    [0.5204999, 0.8427008, 0.8413447, -0.1586553].forEach((expected, i) =>
      expect(values[i]).toBeCloseTo(expected, 6),
    );
  });

  it("movement: rows, pads, transposes", async () => {
    expect(await evaluate(transpose(count([2, 3]), [1, 0]))).toEqual([0, 3, 1, 4, 2, 5]);
    expect(await evaluate(slice(count([2, 3]), -1, 1, 3))).toEqual([1, 2, 4, 5]);
    expect(await evaluate(padAxis(count([1, 2]), 0, 1, 0))).toEqual([0, 0, 0, 1]);
    expect(await evaluate(gatherRows(count([3, 2]), int32s([2, 0, 2])))).toEqual([4, 5, 0, 1, 4, 5]);
    expect(await evaluate(takeAlongRows(count([2, 3]), int32s([2, 0])))).toEqual([2, 3]);
    const put = putAlongRows(count([2, 2]), int32s([1, 0], [2, 1]), count([2, 1]));
    expect(await evaluate(put)).toEqual([0, 1, 3, 3]);
    expect(await evaluate(broadcastTo(count([2, 1]), [2, 2]))).toEqual([0, 0, 1, 1]);
    expect(await evaluate(zeros([2]))).toEqual([0, 0]);
  });

  it("sums and means, over any axes, an axis named twice counted once", async () => {
    expect(await evaluate(sum(count([2, 3])))).toEqual([15]);
    expect(await evaluate(sum(count([2, 3]), { axes: [-1] }))).toEqual([3, 12]);
    expect(await evaluate(mean(count([2, 3]), { axes: [0, -2] }))).toEqual([1.5, 2.5, 3.5]);
    expect(await evaluate(sum(count([2]), { axes: [] }))).toEqual([0, 1]);
  });

  it("softmax and its log agree, and tokenLogprobs picks from the latter, also at extremes", async () => {
    const logits = constant(Float32Array.of(1000, 0, -1000, 1, 2, 3), [2, 3]);
    const logs = await evaluate(logSoftmax(logits));
    expect(logs.slice(0, 3)).toEqual([0, -1000, -2000]);
    const shares = await evaluate(softmax(logits));
    logs.forEach((value, i) => expect(Math.exp(value)).toBeCloseTo(shares[i]!, 6));
    expect(await evaluate(tokenLogprobs(logits, int32s([2, 1])))).toEqual([-2000, logs[4]]);
  });

  it("rmsNorm has mean square 1 before its weight", async () => {
    const y = await evaluate(rmsNorm(constant(Float32Array.of(3, -4, 1, 7), [2, 2]), vector(1, 2), 0));
    expect((y[0]! ** 2 + (y[1]! / 2) ** 2) / 2).toBeCloseTo(1, 6);
    expect((y[2]! ** 2 + (y[3]! / 2) ** 2) / 2).toBeCloseTo(1, 6);
  });

  it("rotary turns pairs of halves by their angle", async () => {
    const angle = 0.3;
    const x = constant(Float32Array.of(1, 2), [1, 1, 2]);
    const table = (value: number) => constant(Float32Array.of(value), [1, 1]);
    const [a, b] = await evaluate(rotary(x, table(Math.cos(angle)), table(Math.sin(angle)), 1));
    expect(a).toBeCloseTo(Math.cos(angle) - 2 * Math.sin(angle), 6);
    expect(b).toBeCloseTo(2 * Math.cos(angle) + Math.sin(angle), 6);
  });

  it("blocks of causal attention equal one attention under the whole mask, whatever group and block", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer(),
        fc.integer({ min: 1, max: 7 }),
        fc.integer({ min: 1, max: 3 }),
        fc.integer({ min: 1, max: 9 }),
        async (seed, length, group, block) => {
          const rng = createRng(seed);
          const random = (shape: Shape) => constant(floats(rng, shape), shape);
          const keys = [2, 2, length, 3];
          const [q, k, v] = [random(keys.with(2, length * group)), random(keys), random(keys)];
          const mask = Float32Array.from({ length: length * group * length }, (_, i) =>
            i % length > Math.floor(i / length / group) ? -1e9 : 0,
          );
          const whole = attention(q, k, v, 0.5, constant(mask, [length * group, length]));
          const blocks = causalAttention(q, k, v, { scale: 0.5, group, block });
          const [expected, got] = [await evaluate(whole), await evaluate(blocks)];
          got.forEach((value, i) => expect(value).toBeCloseTo(expected[i]!, 5));
        },
      ),
      { numRuns: 20 },
    );
  });

  it("keys before a sequence are seen by all of it: the end of a longer sequence, padding left out", async () => {
    const rng = createRng(8);
    const random = (shape: Shape) => constant(floats(rng, shape), shape);
    const [before, length, group] = [3, 4, 2];
    const [k, v] = [random([2, 1, before + length, 3]), random([2, 1, before + length, 3])];
    const q = random([2, 1, (before + length) * group, 3]);
    const whole = causalAttention(q, k, v, { scale: 0.5, group, block: 2 });
    const tail = (x: Tensor, from: number) => slice(x, 2, from, x.shape[2]!);
    const expected = await evaluate(tail(whole, before * group));
    // A place of padding behind each prefix must change nothing.
    const padded = (x: Tensor) => concat([slice(x, 2, 0, before), random([2, 1, 1, 3])], 2);
    const mask = constant(additiveKeyMask([1, 1, 1, 0, 1, 1, 1, 0]), [2, 1, 1, before + 1]);
    const prefixes = [
      { key: slice(k, 2, 0, before), value: slice(v, 2, 0, before) },
      { key: padded(k), value: padded(v), mask },
    ];
    for (const prefix of prefixes) {
      const options = { scale: 0.5, group, block: 2, prefix };
      const got = await evaluate(
        causalAttention(tail(q, before * group), tail(k, before), tail(v, before), options),
      );
      got.forEach((value, i) => expect(value).toBeCloseTo(expected[i]!, 5));
    }
  });

  it("a row of keys that are all padding stays finite", async () => {
    const x = count([1, 2, 2]);
    const mask = constant(additiveKeyMask([0, 0]), [1, 1, 2]);
    expect((await evaluate(attention(x, x, x, 1, mask))).every(Number.isFinite)).toBe(true);
  });
});

describe("shape errors say what does not fit", () => {
  const x23 = input("a", [2, 3]);
  const x45 = input("b", [4, 5]);
  const ids = input("i", [2], "int32");
  it.each<[string, () => unknown, string]>([
    ["add", () => add(x23, x45), "Add: [2, 3] and [4, 5] do not broadcast"],
    ["mixed types", () => add(x23, ids), "Add: wants float32, got int32"],
    ["matmul", () => matmul(x23, x45), "matmul: [2, 3] times [4, 5] does not fit"],
    ["transposes", () => matmul(x23, x45, { transposeB: true }), "[2, 3] times [4, 5] transposed"],
    ["batches", () => matmul(input("p", [2, 3, 3]), input("q", [3, 3, 3])), "does not fit"],
    ["ranks", () => matmul(x23, input("q", [1, 3, 2])), "does not fit"],
    ["linear", () => linear(x23, x45), "linear: x, weight, bias of [2, 3], [4, 5] do not fit"],
    ["bias", () => linear(x23, input("w", [4, 3]), input("c", [3])), "[2, 3], [4, 3], [3]"],
    ["reshape", () => reshape(x23, [4]), "reshape: [2, 3] has not the elements of [4]"],
    ["negative", () => reshape(x23, [-2, -3]), "must be a positive integer"],
    ["transpose", () => transpose(x23, [0, 0]), "transpose: [0, 0] does not permute 2 axes"],
    ["broadcastTo", () => broadcastTo(x23, [2, 1]), "[2, 3] does not broadcast to [2, 1]"],
    ["slice", () => slice(x23, 1, 2, 4), "slice: 2..4 is not within axis 1 of [2, 3]"],
    ["fractions", () => slice(x23, 1, 0.5, 1), "slice: 0.5..1"],
    ["axis", () => sum(x23, { axes: [2] }), "sum: axis 2 is outside a tensor of rank 2"],
    ["padAxis", () => padAxis(x23, 0, -1, 0), "padAxis: -1 before"],
    ["concat", () => concat([x23, x45], 0), "concat: float32 [4, 5] does not fit float32 [2, 3]"],
    ["concat ranks", () => concat([x23, input("v", [2])], 1), "float32 [2] does not fit"],
    ["concat types", () => concat([input("v", [2]), ids], 0), "int32 [2] does not fit float32 [2]"],
    ["concat nothing", () => concat([], 0), "nothing to join"],
    ["gatherRows", () => gatherRows(x23, x23), "indices are float32, not int32"],
    ["rows of a scalar", () => gatherRows(scalar(1), ids), "a scalar has no rows"],
    ["takeAlongRows", () => takeAlongRows(x45, ids), "got [4, 5] and [2]"],
    ["putAlongRows", () => putAlongRows(x23, ids, x23), "got [2, 3], [2], [2, 3]"],
    ["tokenLogprobs", () => tokenLogprobs(x45, ids), "want int32 targets of [4], got int32 [2]"],
    ["rmsNorm", () => rmsNorm(x23, input("w", [2]), 0), "rmsNorm: weight [2] for x [2, 3]"],
    ["rotary", () => rotary(input("h", [1, 2, 4]), x23, x23, 1), "wants cos and sin of [2, 2], got [2, 3]"],
    ["clamp", () => clamp(x23, x23, scalar(1)), "bounds must be scalars, got [2, 3] and []"],
    ["where", () => where(x23, x23, x23), "the condition is float32, not bool"],
    ["attention values", () => attention(x23, x23, x45, 1), "values [4, 5] for keys [2, 3]"],
    ["attention mask", () => attention(x23, x23, x23, 1, input("m", [3, 2, 2])), "mask [3, 2, 2] does not"],
    [
      "causalAttention",
      () =>
        causalAttention(input("q", [1, 1, 3, 2]), input("k", [1, 1, 2, 2]), input("v", [1, 1, 2, 2]), {
          scale: 1,
        }),
      "q [1, 1, 3, 2] for 2 keys in groups of 1",
    ],
    ["input", () => input("z", [2, 0]), 'input "z": every dimension must be a positive integer, got [2, 0]'],
    ["constant", () => constant(new Float32Array(3), [2]), "3 elements do not fill [2]"],
  ])("%s", (_, build, message) => {
    expect(build).toThrow(message);
  });

  it("and rules that would drop a gradient silently refuse", () => {
    const [low, cos] = [input("low", []), input("cos", [1, 1])];
    expect(() => gradients(sum(clamp(x23, low, scalar(1))), [low])).toThrow("bounds are not differentiable");
    const turned = rotary(input("h", [1, 1, 2]), cos, cos, 1);
    expect(() => gradients(sum(multiply(turned, turned)), [cos])).toThrow(
      "cos and sin are not differentiable",
    );
  });
});
