import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { encodeMat5, type MatInput } from "./mat5-encode.js";
import { readMat5 } from "./mat5.js";

const variables: Record<string, MatInput> = {
  a: {
    numbers: [
      [1, 2, 3],
      [4, 5, 6.5],
    ],
  },
  bytes: { numbers: [[7, 255]], store: "uint8" },
  words: { numbers: [[1], [65535], [3]], store: "uint16" },
  empty: { numbers: [] },
  name: { text: "frankfurt" },
  umlaut: { text: "Tübingen", as: "utf8" },
  c: { cells: [{ text: "x" }, { cells: [] }, { struct: { f: { numbers: [[1]] }, g: { text: "yy" } } }] },
};

function outcome(bytes: Uint8Array): string {
  try {
    readMat5(bytes, "t.mat");
    return "read";
  } catch (error) {
    return (error as Error).name;
  }
}

describe("readMat5", () => {
  it.each([
    { compressed: false },
    { compressed: true },
    { compressed: false, bigEndian: true },
    { compressed: true, bigEndian: true },
    { compressed: false, small: false },
  ])("reads numbers, text, cells and structs: %j", (options) => {
    const found = readMat5(encodeMat5(variables, options), "t.mat");
    expect([...found.keys()]).toEqual(Object.keys(variables));
    expect(found.get("a")).toEqual({
      kind: "number",
      dims: [2, 3],
      data: Float64Array.of(1, 4, 2, 5, 3, 6.5),
    });
    expect(found.get("bytes")).toMatchObject({ dims: [1, 2], data: Float64Array.of(7, 255) });
    expect(found.get("words")).toMatchObject({ dims: [3, 1], data: Float64Array.of(1, 65535, 3) });
    expect(found.get("empty")).toMatchObject({ dims: [0, 0], data: new Float64Array(0) });
    expect(found.get("name")).toMatchObject({ kind: "text", rows: ["frankfurt"] });
    expect(found.get("umlaut")).toMatchObject({ kind: "text", rows: ["Tübingen"] });
    const cell = found.get("c");
    expect(cell).toMatchObject({ kind: "cell", dims: [1, 3] });
    if (cell?.kind !== "cell") throw new Error("no cell");
    expect(cell.cells.map((one) => one.kind)).toEqual(["text", "cell", "struct"]);
    const struct = cell.cells[2]!;
    if (struct.kind !== "struct") throw new Error("no struct");
    expect([...struct.elements[0]!.keys()]).toEqual(["f", "g"]);
    expect(struct.elements[0]!.get("g")).toMatchObject({ rows: ["yy"] });
  });

  it("names versions that it does not read", () => {
    const header73 = Buffer.alloc(600);
    header73.write("MATLAB 7.3 MAT-file, Platform: GLNXA64, HDF5 schema 1.00 .");
    expect(() => readMat5(header73, "t.mat")).toThrow("t.mat: is a MAT-file of version 7.3 (HDF5)");
    expect(() => readMat5(Buffer.from([0x89, 0x48, 0x44, 0x46, 13, 10, 26, 10]), "t.mat")).toThrow("7.3");
    const version4 = Buffer.alloc(200);
    for (const [i, value] of [0, 2, 3, 0, 2].entries()) version4.writeInt32LE(value, i * 4);
    version4.write("A", 20);
    expect(() => readMat5(version4, "t.mat")).toThrow("is a MAT-file of version 4");
  });

  it("says of other files what they are", () => {
    const padded = (text: string) => Buffer.from(text.padEnd(400, " "));
    expect(() => readMat5(padded('{"images": []}'), "t.mat")).toThrow("t.mat: is no MAT-file");
    expect(() => readMat5(Buffer.alloc(400), "t.mat")).toThrow("t.mat: is no MAT-file");
    expect(() => readMat5(padded("<!DOCTYPE html>"), "t.mat")).toThrow("is a web page");
    expect(() => readMat5(padded("version https://git-lfs.github.com/spec/v1\n"), "t.mat")).toThrow(
      "Git LFS",
    );
    expect(() => readMat5(Buffer.from("MATLAB 5.0"), "t.mat")).toThrow(
      "has 10 bytes, a header alone has 128",
    );
  });

  it("says where a cut-off file ends", () => {
    const bytes = encodeMat5(variables);
    expect(() => readMat5(bytes.subarray(0, bytes.length - 50), "t.mat")).toThrow(
      /an element of \d+ bytes is announced, \d+ are there \(at byte \d+\)/,
    );
    const packed = encodeMat5(variables, { compressed: true });
    packed[128 + 8 + 10]! ^= 0xff;
    expect(() => readMat5(packed, "t.mat")).toThrow(/cannot be unpacked/);
  });

  it("refuses absurd counts before it makes room for them", () => {
    const bytes = encodeMat5({ c: { cells: [{ numbers: [[1]] }] } });
    // Behind the header: tag, flags, then the shape's tag; its second number is the count of cells.
    bytes.writeUInt32LE(2 ** 31 - 1, 128 + 8 + 16 + 8 + 4);
    expect(() => readMat5(bytes, "t.mat")).toThrow(/2147483647 cells are announced/);
  });

  it("never crashes on broken bytes: an answer or an error for people", () => {
    const whole = encodeMat5(variables);
    fc.assert(
      fc.property(
        fc.array(
          fc.tuple(fc.integer({ min: 128, max: whole.length - 1 }), fc.integer({ min: 0, max: 255 })),
          {
            maxLength: 8,
          },
        ),
        fc.integer({ min: 130, max: whole.length }),
        (changes, length) => {
          const bytes = Buffer.from(whole);
          for (const [at, value] of changes) bytes[at] = value;
          expect(["read", "InputError"]).toContain(outcome(bytes.subarray(0, length)));
        },
      ),
      { numRuns: 500 },
    );
  });
});
