/** Graphs rewritten for WebGPU: equal to the original on the CPU wherever that can be, and on WebGPU itself. */
import { describe, expect, it } from "vitest";
import { missingAdapter } from "../../test/support/webgpu-adapter.js";
import { createRng } from "../base/rng.js";
import { ShapeError } from "../base/errors.js";
import {
  absolute,
  attention,
  compile,
  constant,
  createDeviceMemory,
  gradients,
  input,
  logSoftmax,
  matmul,
  multiply,
  rmsNorm,
  sign,
  singleOutput,
  sizeOf,
  sum,
  type Device,
  type DeviceTensor,
  type Tensor,
} from "./index.js";
import { forWebgpu } from "./webgpu.js";

const missing = await missingAdapter();
if (missing !== undefined) console.warn(`SKIPPED: operators on WebGPU: ${missing}`);

const rng = createRng(7);
/** Values of the inputs made so far. Inputs, not constants: a graph of constants is computed on the CPU beforehand. */
const feeds: Record<string, Float32Array> = {};
function noise(...shape: number[]): Tensor {
  const name = `noise${Object.keys(feeds).length}`;
  const x = input(name, shape);
  feeds[name] = Float32Array.from({ length: sizeOf(shape) }, () => rng.uniform(-2, 2));
  return x;
}
function given(...values: number[]): Tensor {
  const x = noise(values.length);
  feeds[Object.keys(feeds).at(-1)!] = Float32Array.from(values);
  return x;
}

/** y = f(x) and its gradient under a weighting that treats no element like another. */
function withGradient(f: (x: Tensor) => Tensor, ...shape: number[]): Record<string, Tensor> {
  const x = noise(...shape);
  const y = f(x);
  return { y, dx: gradients(sum(multiply(y, noise(...y.shape))), [x])[0]! };
}

const CASES: Readonly<Record<string, () => Record<string, Tensor>>> = {
  "matmul, a transposed, scaled": () =>
    withGradient((x) => matmul(x, noise(3, 6, 4), { transposeA: true, scale: 0.3 }), 3, 6, 5),
  "matmul, b transposed, the product smallest": () =>
    withGradient((x) => matmul(x, noise(2, 4, 9), { transposeB: true, scale: 3 }), 2, 3, 9),
  "matmul, both transposed": () =>
    withGradient((x) => matmul(x, noise(4, 6), { transposeA: true, transposeB: true }), 6, 5),
  attention: () =>
    withGradient(
      (x) => attention(x, noise(2, 3, 7, 8), noise(2, 3, 7, 8), 0.35, noise(2, 1, 1, 7)),
      2,
      3,
      5,
      8,
    ),
  "log-softmax of large numbers": () =>
    withGradient((x) => logSoftmax(multiply(x, constant(Float32Array.of(60), []))), 4, 33),
  "rms norm": () => withGradient((x) => rmsNorm(x, noise(16), 1e-6), 5, 16),
  sign: () => ({ y: sign(given(-3, -0, 0, 2, 1e-30, -1e-30)) }),
  absolute: () => withGradient(absolute, 3, 4),
};

async function valuesOf(outputs: Record<string, Tensor>, device: Device): Promise<Record<string, number[]>> {
  const program = await compile(outputs, { device });
  const values = await program.run(feeds);
  const copied = Object.fromEntries(
    Object.entries(values).map(([name, data]) => [name, Array.from(data as Float32Array)]),
  );
  await program.close();
  return copied;
}

/** Outputs whose largest difference is not below 1e-5 of their largest element. */
function different(ours: Record<string, number[]>, theirs: Record<string, number[]>): unknown[] {
  expect(Object.keys(ours)).toEqual(Object.keys(theirs));
  return Object.entries(theirs).flatMap(([name, values]) => {
    const off = Math.max(...values.map((value, i) => Math.abs(ours[name]![i]! - value)));
    const largest = Math.max(...values.map(Math.abs));
    return largest > 0 && off < 1e-5 * largest ? [] : [{ name, off, largest }];
  });
}

describe("graphs for WebGPU", () => {
  it.each(Object.keys(CASES))("%s: rewritten, equal on the CPU", async (name) => {
    const outputs = CASES[name]!();
    const rewritten = await valuesOf(forWebgpu(outputs), "cpu");
    expect(different(rewritten, await valuesOf(outputs, "cpu"))).toEqual([]);
  });
});

describe.skipIf(missing !== undefined)("WebGPU", () => {
  it.each(Object.keys(CASES))("%s: equal to the CPU", async (name) => {
    const outputs = CASES[name]!();
    const ours = await valuesOf(outputs, "webgpu");
    expect(different(ours, await valuesOf(outputs, "cpu"))).toEqual([]);
  });

  it("refuses an operator without a GPU kernel, instead of running it on the CPU", async () => {
    const y = singleOutput("hardmax", [input("x", [2, 3])], [2, 3], { opType: "Hardmax" });
    await expect(compile({ y }, { device: "webgpu" })).rejects.toThrow(ShapeError);
  });

  it("keeps values on the device, from run to run, until they change", async () => {
    const memory = createDeviceMemory("webgpu")!;
    const x = input("x", [2, 2]);
    const twice = await compile(
      { y: multiply(x, constant(Float32Array.of(2), [])), seen: x },
      { device: "webgpu", kept: ["y"], resident: { memory, names: ["x"] } },
    );
    const array = Float32Array.of(1, 2, 3, 4);
    const run = async (value: Float32Array | DeviceTensor) => {
      const kept: Record<string, DeviceTensor> = {};
      const { seen } = await twice.run({ x: value }, {}, kept);
      const back = new Float32Array(4);
      await memory.download(kept.y!, back);
      return { seen: Array.from(seen as Float32Array), back: Array.from(back), y: kept.y! };
    };
    const first = await run(array);
    expect(first.back).toEqual([2, 4, 6, 8]);
    expect((await run(first.y)).back).toEqual([4, 8, 12, 16]);
    array[0] = 10;
    expect((await run(array)).seen).toEqual([1, 2, 3, 4]);
    memory.changed([array]);
    expect((await run(array)).seen).toEqual([10, 2, 3, 4]);
    await expect(twice.run({ x: { ...first.y, shape: [5] } })).rejects.toThrow(ShapeError);
    await twice.close();
    await memory.close();
  });
});
