import { afterEach, describe, expect, it } from "vitest";
import {
  add,
  compile,
  gatherRows,
  input,
  multiply,
  scalar,
  sum,
  type Program,
  type ProgramOptions,
  type Tensor,
} from "./index.js";

const open: Program[] = [];
async function made(outputs: Record<string, Tensor>, options: ProgramOptions = {}): Promise<Program> {
  const program = await compile(outputs, { threads: 1, ...options });
  open.push(program);
  return program;
}
afterEach(async () => {
  await Promise.all(open.splice(0).map((program) => program.close()));
});

const x = input("x", [3]);
const doubled = multiply(x, scalar(2));
const of = (...values: number[]) => Float32Array.from(values);

describe("compile and run", () => {
  it("names what was not given, or has another size or type", async () => {
    const program = await made({ y: add(doubled, input("z", [3])) });
    expect(program.inputNames).toEqual(["x", "z"]);
    await expect(program.run({ x: of(1, 2, 3) })).rejects.toThrow('run: input "z" was not given');
    await expect(program.run({ x: of(1, 2), z: of(1, 2, 3) })).rejects.toThrow(
      'run: input "x" wants 3 of float32, got 2 in a Float32Array',
    );
    await expect(program.run({ x: Int32Array.of(1, 2, 3), z: of(1, 2, 3) })).rejects.toThrow(
      "got 3 in a Int32Array",
    );
  });

  it("writes to the same buffers run after run", async () => {
    const program = await made({ y: doubled });
    const first = await program.run({ x: of(1, 2, 3) });
    expect([...(first.y as Float32Array)]).toEqual([2, 4, 6]);
    const second = await program.run({ x: of(0, 0, 1) });
    expect(second.y).toBe(first.y);
    expect([...(first.y as Float32Array)]).toEqual([0, 0, 2]);
  });

  it("writes where it is told to, and updates a feed in place", async () => {
    const program = await made({ y: doubled, total: sum(doubled) });
    const y = new Float32Array(3);
    expect((await program.run({ x: of(1, 2, 3) }, { y })).y).toBe(y);
    const state = of(1, 2, 3);
    await program.run({ x: state }, { y: state });
    await program.run({ x: state }, { y: state });
    expect([...state]).toEqual([4, 8, 12]);
    // A view into a larger array, as the decoder's cache is.
    const large = of(9, 1, 1, 1, 9);
    await program.run({ x: large.subarray(1, 4) }, { y: large.subarray(1, 4) });
    expect([...large]).toEqual([9, 2, 2, 2, 9]);
  });

  it("refuses output arrays that do not fit, and outputs there are none of", async () => {
    const program = await made({ y: doubled });
    await expect(program.run({ x: of(1, 2, 3) }, { y: new Float32Array(2) })).rejects.toThrow(
      'run: output "y" wants 3 of float32, got 2',
    );
    await expect(program.run({ x: of(1, 2, 3) }, { z: new Float32Array(3) })).rejects.toThrow(
      'there is no output "z"',
    );
  });

  it("gives an input back as an output, and one tensor under two names", async () => {
    const program = await made({ same: x, a: doubled, b: doubled });
    const out = await program.run({ x: of(1, 2, 3) });
    expect([...(out.same as Float32Array)]).toEqual([1, 2, 3]);
    expect(out.a).toEqual(out.b);
    expect(out.a).not.toBe(out.b);
  });

  it("takes inputs of other types", async () => {
    const rows = gatherRows(input("table", [2, 2]), input("ids", [3], "int32"));
    const program = await made({ rows });
    const { rows: got } = await program.run({ table: of(1, 2, 3, 4), ids: Int32Array.of(1, 0, 1) });
    expect([...(got as Float32Array)]).toEqual([3, 4, 1, 2, 3, 4]);
  });

  it("binds inputs for good: they are no longer asked for, and later changes do not reach them", async () => {
    const weight = of(1, 10, 100);
    const program = await made(
      { y: multiply(x, input("w", [3])) },
      {
        bound: new Map([
          ["w", weight],
          ["unused", of(1)],
        ]),
      },
    );
    expect(program.inputNames).toEqual(["x"]);
    weight.fill(0);
    const { y } = await program.run({ x: of(1, 2, 3) });
    expect([...(y as Float32Array)]).toEqual([1, 20, 300]);
  });
});
