import { mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { fixture } from "../../test/qwen-fixture.js";
import {
  openSafetensors,
  openSharded,
  readSafetensors,
  writeSafetensors,
  type StoredTensor,
} from "./safetensors.js";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "safetensors-"));
});
afterAll(() => rm(folder, { recursive: true }));

/** A file with this header and so many bytes of data. */
async function file(header: unknown, dataBytes: number, name = "x.safetensors"): Promise<string> {
  const json = Buffer.from(typeof header === "string" ? header : JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  const path = join(folder, name);
  await writeFile(path, Buffer.concat([length, json, Buffer.alloc(dataBytes)]));
  return path;
}
const f32 = (from: number, to: number, shape = [(to - from) / 4]) => ({
  dtype: "F32",
  shape,
  data_offsets: [from, to],
});

describe("reading", () => {
  it("reads the goldens of every type", async () => {
    const vision = await openSafetensors(fixture("golden/vision.safetensors"));
    expect(vision.tensors.get("a.resized_u8")).toMatchObject({ dtype: "U8", shape: [84, 140, 3] });
    expect(await vision.readInt32("a.grid_thw")).toEqual(new Int32Array([1, 6, 10]));
    expect(await vision.readInt32("a.cu_seqlens")).toEqual(new Int32Array([0, 60]));
    expect((await vision.readFloat32("a.pixel_values")).length).toBe(60 * 1176);
    expect((await vision.read("a.window_index")).data).toBeInstanceOf(BigInt64Array);
  });

  it("rewrites the fixture's own checkpoint byte for byte", async () => {
    const path = fixture("model/model.safetensors");
    const copy = join(folder, "copy.safetensors");
    await writeSafetensors(copy, await readSafetensors(path));
    expect(Buffer.compare(await readFile(copy), await readFile(path))).toBe(0);
  });

  it("names a missing tensor and a near one", async () => {
    const model = await openSafetensors(fixture("model/model.safetensors"));
    await expect(model.read("model.visual.merger.ln_q.weight")).rejects.toMatchObject({
      message: expect.stringContaining('no tensor "model.visual.merger.ln_q.weight"') as string,
      hint: 'It has "visual.merger.ln_q.weight".',
    });
  });

  it("refuses to take integers for fractions or the other way", async () => {
    const vision = await openSafetensors(fixture("golden/vision.safetensors"));
    await expect(vision.readFloat32("a.grid_thw")).rejects.toThrow("I64");
    await expect(vision.readInt32("a.merged")).rejects.toThrow("F32");
  });
});

describe("damaged files", () => {
  const cases: [string, () => Promise<string>, string][] = [
    ["no file", async () => join(folder, "none.safetensors"), "cannot be read"],
    [
      "an empty file",
      async () => {
        await writeFile(join(folder, "x.safetensors"), "");
        return join(folder, "x.safetensors");
      },
      "too few",
    ],
    [
      "a Git LFS pointer",
      async () => {
        await writeFile(join(folder, "x.safetensors"), "version https://git-lfs.github.com/spec/v1\n");
        return join(folder, "x.safetensors");
      },
      "says its header has",
    ],
    ["a header that is no JSON", () => file("{oops", 0), "not valid JSON"],
    ["a header that is a list", () => file([1], 0), "header"],
    ["an unknown type", () => file({ a: { dtype: "F4", shape: [1], data_offsets: [0, 1] } }, 1), "F4"],
    ["a wrong shape", () => file({ a: f32(0, 8, [3]) }, 8), "needs 12"],
    ["a negative size", () => file({ a: f32(0, 8, [-2]) }, 8), "shape"],
    ["overlapping tensors", () => file({ a: f32(0, 8), b: f32(4, 12) }, 12), '"b" overlaps "a"'],
    ["a hole", () => file({ a: f32(0, 8), b: f32(12, 16) }, 16), '"b" leaves a hole after "a"'],
    ["a file that was cut off", () => file({ a: f32(0, 8) }, 7), "is cut off"],
    ["a file that goes on", () => file({ a: f32(0, 8) }, 9), "goes on"],
  ];
  it.each(cases)("%s is an InputError", async (_, make, message) => {
    const path = await make();
    await expect(openSafetensors(path)).rejects.toMatchObject({
      name: "InputError",
      message: expect.stringContaining(message) as string,
    });
    await expect(openSafetensors(path)).rejects.toThrow(path);
  });
});

describe("writing", () => {
  it("gives back what it was given (property)", async () => {
    const tensor = fc.oneof(
      fc
        .float32Array({ maxLength: 20, noNaN: true })
        .map((data): StoredTensor => ({ dtype: "F32", shape: [data.length], data: Float32Array.from(data) })),
      fc
        .uint8Array({ maxLength: 9 })
        .map((data): StoredTensor => ({ dtype: "U8", shape: [1, data.length], data: Uint8Array.from(data) })),
      fc
        .bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })
        .map((value): StoredTensor => ({ dtype: "I64", shape: [], data: BigInt64Array.of(value) })),
      fc
        .int16Array({ maxLength: 5 })
        .map((data): StoredTensor => ({ dtype: "I16", shape: [data.length], data: Int16Array.from(data) })),
    );
    const path = join(folder, "p.safetensors");
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(fc.string({ minLength: 1 }), { maxLength: 6 }),
        fc.infiniteStream(tensor),
        async (names, stream) => {
          const safe = names.filter((name) => name !== "__metadata__" && name !== "__proto__");
          const tensors = new Map(safe.map((name) => [name, stream.next().value!] as const));
          await writeSafetensors(path, tensors, { metadata: { who: "test" } });
          expect(new Map([...(await readSafetensors(path))].sort())).toEqual(new Map([...tensors].sort()));
          expect((await openSafetensors(path)).metadata).toEqual({ who: "test" });
        },
      ),
      { numRuns: 40 },
    );
  });

  it("rounds to halves", async () => {
    const path = join(folder, "h.safetensors");
    const data = new Float32Array([1, 1.00390625, -0.1]);
    await writeSafetensors(
      path,
      new Map([
        ["b", { dtype: "BF16", shape: [3], data }],
        ["h", { dtype: "F16", shape: [3], data }],
      ]),
    );
    const read = await openSafetensors(path);
    expect(read.tensors.get("b")!.dtype).toBe("BF16");
    expect(await read.readFloat32("b")).toEqual(new Float32Array([1, 1, -0.10009765625]));
    expect(await read.readFloat32("h")).toEqual(new Float32Array([1, 1.00390625, -0.0999755859375]));
  });

  it("refuses what does not fit and leaves nothing behind", async () => {
    const own = await mkdtemp(join(folder, "own-"));
    const path = join(own, "o.safetensors");
    const write = (tensor: StoredTensor) => writeSafetensors(path, new Map([["w", tensor]]));
    await expect(write({ dtype: "F16", shape: [2], data: new Float32Array([1, 70000]) })).rejects.toThrow(
      'tensor "w": 70000 does not fit F16',
    );
    await expect(write({ dtype: "F32", shape: [2, 2], data: new Float32Array(3) })).rejects.toThrow("[2, 2]");
    await expect(write({ dtype: "I64", shape: [1], data: new Float32Array(1) })).rejects.toThrow(
      "BigInt64Array",
    );
    expect(await readdir(own)).toEqual([]);
  });
});

describe("shards", () => {
  it("reads through the index and tells a wrong one", async () => {
    const own = await mkdtemp(join(folder, "sh-"));
    const one = (value: number): StoredTensor => ({
      dtype: "F32",
      shape: [1],
      data: new Float32Array([value]),
    });
    await writeSafetensors(join(own, "s1.safetensors"), new Map([["a", one(1)]]));
    await writeSafetensors(join(own, "s2.safetensors"), new Map([["b", one(2)]]));
    const index = join(own, "model.safetensors.index.json");
    await writeFile(index, JSON.stringify({ weight_map: { a: "s1.safetensors", b: "s2.safetensors" } }));
    const both = await openSharded(own);
    expect([...both.tensors.keys()]).toEqual(["a", "b"]);
    expect(await both.readFloat32("b")).toEqual(new Float32Array([2]));
    await expect(both.read("c")).rejects.toThrow('no tensor "c"');
    await writeFile(index, JSON.stringify({ weight_map: { a: "s2.safetensors" } }));
    await expect(openSharded(own)).rejects.toThrow('"a" is not in s2.safetensors');
    await writeFile(index, JSON.stringify({ weight_map: { a: "../s2.safetensors" } }));
    await expect(openSharded(own)).rejects.toThrow("leaves the folder");
    await rm(index);
    await expect(openSharded(own)).rejects.toThrow("neither");
  });
});
