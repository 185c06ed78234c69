/**
 * @file Writes MAT-files of level 5 (versions 5 to 7), the other half of mat5.ts: numbers, text, cells, structs; compressed
 * or not, in either byte order.
 */
import { deflateSync } from "node:zlib";

/** A value to write; numbers are rows of one length, and `store` says how they are kept (@default "double"). */
export type MatInput =
  | { readonly numbers: readonly (readonly number[])[]; readonly store?: "double" | "uint8" | "uint16" }
  | { readonly text: string; readonly as?: "utf8" | "utf16" }
  | { readonly cells: readonly MatInput[] }
  | { readonly struct: Readonly<Record<string, MatInput>> };

/** How to write. */
export interface MatFileOptions {
  /** Each variable by zlib, as MATLAB's -v7 does. @default false */
  readonly compressed?: boolean;
  /** @default false */
  readonly bigEndian?: boolean;
  /** Writes up to four bytes of data into the tag, as MATLAB does. @default true */
  readonly small?: boolean;
}

const MI = {
  int8: 1,
  uint8: 2,
  uint16: 4,
  int32: 5,
  uint32: 6,
  double: 9,
  matrix: 14,
  compressed: 15,
  utf8: 16,
};
const MX = { cell: 1, struct: 2, char: 4, double: 6, uint16: 11 };

class Encoder {
  private readonly littleEndian: boolean;
  private readonly small: boolean;

  constructor({ bigEndian = false, small = true }: MatFileOptions) {
    this.littleEndian = !bigEndian;
    this.small = small;
  }

  u32(...values: number[]): Buffer {
    const view = new DataView(new ArrayBuffer(values.length * 4));
    for (const [i, value] of values.entries()) view.setUint32(i * 4, value >>> 0, this.littleEndian);
    return Buffer.from(view.buffer);
  }

  u16(...values: number[]): Buffer {
    const view = new DataView(new ArrayBuffer(values.length * 2));
    for (const [i, value] of values.entries()) view.setUint16(i * 2, value, this.littleEndian);
    return Buffer.from(view.buffer);
  }

  f64(...values: number[]): Buffer {
    const view = new DataView(new ArrayBuffer(values.length * 8));
    for (const [i, value] of values.entries()) view.setFloat64(i * 8, value, this.littleEndian);
    return Buffer.from(view.buffer);
  }

  element(type: number, data: Buffer): Buffer {
    if (this.small && data.length > 0 && data.length <= 4 && type !== MI.matrix) {
      const tag = this.u32((data.length << 16) | type);
      return Buffer.concat([tag, data, Buffer.alloc(4 - data.length)]);
    }
    return Buffer.concat([this.u32(type, data.length), data, Buffer.alloc((8 - (data.length % 8)) % 8)]);
  }

  matrix(value: MatInput, name = ""): Buffer {
    const { mxClass, dims, content } = this.content(value);
    return this.element(
      MI.matrix,
      Buffer.concat([
        this.element(MI.uint32, this.u32(mxClass, 0)),
        this.element(MI.int32, this.u32(...dims)),
        this.element(MI.int8, Buffer.from(name, "latin1")),
        ...content,
      ]),
    );
  }

  private content(value: MatInput): { mxClass: number; dims: number[]; content: Buffer[] } {
    if ("cells" in value) {
      const content = value.cells.map((cell) => this.matrix(cell));
      return { mxClass: MX.cell, dims: [1, content.length], content };
    }
    if ("struct" in value) {
      const names = Object.keys(value.struct);
      const content = [
        this.element(MI.int32, this.u32(32)),
        this.element(MI.int8, Buffer.from(names.map((name) => name.padEnd(32, "\0")).join(""), "latin1")),
        ...names.map((name) => this.matrix(value.struct[name]!)),
      ];
      return { mxClass: MX.struct, dims: [1, 1], content };
    }
    if ("text" in value) {
      const codes = Array.from({ length: value.text.length }, (_, i) => value.text.charCodeAt(i));
      const content =
        value.as === "utf8"
          ? this.element(MI.utf8, Buffer.from(value.text, "utf8"))
          : this.element(MI.uint16, this.u16(...codes));
      return { mxClass: MX.char, dims: [1, codes.length], content: [content] };
    }
    const rows = value.numbers;
    const columns = rows[0]?.length ?? 0;
    const byColumn = Array.from({ length: columns }, (_, c) => rows.map((row) => row[c]!)).flat();
    const dims = [rows.length, columns];
    if (value.store === "uint16")
      return { mxClass: MX.uint16, dims, content: [this.element(MI.uint16, this.u16(...byColumn))] };
    if (value.store === "uint8")
      return { mxClass: MX.double, dims, content: [this.element(MI.uint8, Buffer.from(byColumn))] };
    return { mxClass: MX.double, dims, content: [this.element(MI.double, this.f64(...byColumn))] };
  }
}

/**
 * The bytes of a MAT-file that holds these variables.
 * @example encodeMat5({ bbs: { numbers: [[1, 947, 406, 17, 40]], store: "uint16" } }, { compressed: true })
 */
export function encodeMat5(
  variables: Readonly<Record<string, MatInput>>,
  options: MatFileOptions = {},
): Buffer {
  const encoder = new Encoder(options);
  const header = Buffer.alloc(128, " ");
  header.write("MATLAB 5.0 MAT-file, written by dip-r1", "latin1");
  encoder.u16(0x0100, 0x4d49).copy(header, 124);
  const elements = Object.entries(variables).map(([name, value]) => {
    const matrix = encoder.matrix(value, name);
    if (options.compressed !== true) return matrix;
    const packed = deflateSync(matrix);
    return Buffer.concat([encoder.u32(MI.compressed, packed.length), packed]);
  });
  return Buffer.concat([header, ...elements]);
}
