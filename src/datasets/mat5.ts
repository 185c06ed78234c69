/**
 * @file Reads MATLAB's MAT-file level 5 (versions 5 to 7): the container of CityPersons' annotations. Numbers, text, cells
 * and structs, compressed or not, in either byte order; written after MathWorks' "MAT-File Format". Every length is
 * checked against the bytes that are there, so a broken file is an error that says where.
 */
import { inflateSync } from "node:zlib";
import { InputError, toError } from "../base/errors.js";
import { knownFile } from "./text-bytes.js";

/** A value of a MAT-file; `dims` are rows, columns and so on, and elements lie column by column. */
export type MatValue =
  | { readonly kind: "number"; readonly dims: readonly number[]; readonly data: Float64Array }
  | { readonly kind: "text"; readonly dims: readonly number[]; readonly rows: readonly string[] }
  | { readonly kind: "cell"; readonly dims: readonly number[]; readonly cells: readonly MatValue[] }
  | {
      readonly kind: "struct";
      readonly dims: readonly number[];
      readonly elements: readonly ReadonlyMap<string, MatValue>[];
    }
  | { readonly kind: "other"; readonly dims: readonly number[]; readonly className: string };

/** Longest that one compressed variable may become. */
const MAX_INFLATED_BYTES = 2 ** 30;
/** Deeper nesting than any annotation file has. */
const MAX_DEPTH = 32;

const MI = { matrix: 14, compressed: 15 } as const;
const MX = { cell: 1, struct: 2, object: 3, char: 4 } as const;
const MX_NUMBERS = { first: 6, last: 15 } as const;
const MX_NAMES: Readonly<Record<number, string>> = {
  3: "object",
  5: "sparse array",
  16: "function handle",
  17: "opaque object",
};

/**
 * The variables of a MAT-file by name.
 * @param name of the file, for errors
 * @throws InputError where it is no MAT-file, is of another version (4, 7.3) or is broken
 */
export function readMat5(bytes: Uint8Array, name: string): Map<string, MatValue> {
  const littleEndian = checkHeader(bytes, name);
  const variables = new Map<string, MatValue>();
  const reader: Reader = { view: viewOf(bytes), littleEndian, name };
  for (let at = 128; at < bytes.length;) {
    const element = readTag(reader, at, bytes.length);
    at = element.next;
    let found: { readonly name: string; readonly value: MatValue } | undefined;
    if (element.type === MI.compressed) {
      const inner: Reader = { ...reader, view: viewOf(inflate(reader, element)) };
      const tag = readTag(inner, 0, inner.view.byteLength);
      if (tag.type === MI.matrix) found = readMatrix(inner, tag, 0);
    } else if (element.type === MI.matrix) found = readMatrix(reader, element, 0);
    if (found !== undefined) variables.set(found.name, found.value);
  }
  return variables;
}

interface Reader {
  readonly view: DataView;
  readonly littleEndian: boolean;
  /** The file's. */
  readonly name: string;
}

/** Where an element's data lies. */
interface Element {
  readonly type: number;
  readonly start: number;
  readonly end: number;
  /** Where the element after it begins. */
  readonly next: number;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Returns whether numbers are little-endian. */
function checkHeader(bytes: Uint8Array, name: string): boolean {
  const text = new TextDecoder("latin1").decode(bytes.subarray(0, 116));
  const is73 = text.startsWith("MATLAB 7.3") || text.includes("HDF5");
  if (is73 || (bytes[0] === 0x89 && bytes[1] === 0x48)) {
    throw new InputError(`${name}: is a MAT-file of version 7.3 (HDF5), and versions 5 to 7 are read`, {
      hint: "Save it once more in MATLAB: save('FILE.mat', '-v7'), or in Python: scipy.io.savemat.",
    });
  }
  if (bytes.length < 128) {
    throw new InputError(`${name}: is no MAT-file: it has ${bytes.length} bytes, a header alone has 128`, {
      hint: "The file was cut off: fetch it again.",
    });
  }
  const order = String.fromCharCode(bytes[126]!, bytes[127]!);
  if (order !== "IM" && order !== "MI") {
    if (isVersion4(bytes)) {
      throw new InputError(`${name}: is a MAT-file of version 4, and versions 5 to 7 are read`, {
        hint: "Save it once more in MATLAB: save('FILE.mat', '-v7').",
      });
    }
    const other = knownFile(bytes.subarray(0, 4096));
    throw new InputError(`${name}: ${other === undefined ? "is no MAT-file" : other.problem}`, {
      hint: other?.hint ?? "A MAT-file of versions 5 to 7 has the letters IM or MI at bytes 126 and 127.",
    });
  }
  return order === "IM";
}

/** Version 4 has no header: its first number is 1000 M + 100 O + 10 P + T, then rows, columns, a flag, a name's length. */
function isVersion4(bytes: Uint8Array): boolean {
  const view = viewOf(bytes);
  return [true, false].some((little) => {
    const type = view.getInt32(0, little);
    const [rows, columns, imaginary, nameLength] = [4, 8, 12, 16].map((at) => view.getInt32(at, little));
    return (
      type >= 0 &&
      type <= 4052 &&
      type % 10 <= 2 &&
      Math.trunc(type / 10) % 10 <= 5 &&
      rows! >= 0 &&
      columns! >= 0 &&
      (imaginary === 0 || imaginary === 1) &&
      nameLength! > 0 &&
      nameLength! < 128
    );
  });
}

function broken(reader: Reader, at: number, problem: string): InputError {
  return new InputError(`${reader.name}: ${problem} (at byte ${at})`, {
    hint: "The file is broken or was cut off: fetch it again.",
  });
}

/** Reads the tag at `at`; its data must end before `limit`. */
function readTag(reader: Reader, at: number, limit: number): Element {
  const { view, littleEndian } = reader;
  if (at + 8 > limit) throw broken(reader, at, "ends in the middle of an element");
  const first = view.getUint32(at, littleEndian);
  const small = first >>> 16;
  if (small !== 0) {
    if (small > 4) throw broken(reader, at, `a small element of ${small} bytes is longer than its 4`);
    return { type: first & 0xffff, start: at + 4, end: at + 4 + small, next: at + 8 };
  }
  const length = view.getUint32(at + 4, littleEndian);
  const start = at + 8;
  const end = start + length;
  if (end > limit)
    throw broken(reader, at, `an element of ${length} bytes is announced, ${limit - start} are there`);
  // Padded to 8 bytes, but for compressed ones; the last one's padding may be missing.
  const next = first === MI.compressed ? end : Math.min(limit, end + ((8 - (length % 8)) % 8));
  return { type: first, start, end, next };
}

function inflate(reader: Reader, { start, end }: Element): Uint8Array {
  const { buffer, byteOffset } = reader.view;
  try {
    return inflateSync(new Uint8Array(buffer, byteOffset + start, end - start), {
      maxOutputLength: MAX_INFLATED_BYTES,
    });
  } catch (error) {
    throw broken(reader, start, `a compressed variable cannot be unpacked: ${toError(error).message}`);
  }
}

const EMPTY: MatValue = { kind: "number", dims: [0, 0], data: new Float64Array(0) };

function readMatrix(reader: Reader, matrix: Element, depth: number): { name: string; value: MatValue } {
  const { start, end } = matrix;
  if (end === start) return { name: "", value: EMPTY };
  if (depth > MAX_DEPTH) throw broken(reader, start, `values are nested more than ${MAX_DEPTH} deep`);
  const flags = readTag(reader, start, end);
  const shape = readTag(reader, flags.next, end);
  const label = readTag(reader, shape.next, end);
  if (flags.end - flags.start < 8) throw broken(reader, flags.start, "an array has no flags");
  const mxClass = reader.view.getUint32(flags.start, reader.littleEndian) & 0xff;
  const dims = Array.from(numbersOf(reader, shape));
  if (dims.length < 2 || dims.some((n) => n < 0)) throw broken(reader, shape.start, "an array has no shape");
  const count = dims.reduce((product, n) => product * n, 1);
  const name = String.fromCharCode(...numbersOf(reader, label));
  const value = readContent(reader, { mxClass, dims, count, at: label.next, end, depth });
  return { name, value };
}

interface Content {
  readonly mxClass: number;
  readonly dims: readonly number[];
  readonly count: number;
  readonly at: number;
  readonly end: number;
  readonly depth: number;
}

function readContent(reader: Reader, content: Content): MatValue {
  const { mxClass, dims, count, at, end, depth } = content;
  if (mxClass >= MX_NUMBERS.first && mxClass <= MX_NUMBERS.last)
    return { kind: "number", dims, data: expect(reader, at, end, count) };
  if (mxClass === MX.char) return { kind: "text", dims, rows: textRows(reader, content) };
  if (mxClass === MX.cell) {
    // Each cell takes 8 bytes at least: an absurd count is refused before anything is made for it.
    if (count * 8 > end - at)
      throw broken(reader, at, `${count} cells are announced, and the file is too short`);
    const cells: MatValue[] = [];
    let next = at;
    for (let i = 0; i < count; i++) {
      const cell = readTag(reader, next, end);
      cells.push(readMatrix(reader, cell, depth + 1).value);
      next = cell.next;
    }
    return { kind: "cell", dims, cells };
  }
  if (mxClass === MX.struct || mxClass === MX.object) {
    // An object is a struct behind the name of its class.
    const fieldsAt = mxClass === MX.object ? readTag(reader, at, end).next : at;
    return { kind: "struct", dims, elements: readStruct(reader, { ...content, at: fieldsAt }) };
  }
  return { kind: "other", dims, className: MX_NAMES[mxClass] ?? `class ${mxClass}` };
}

function readStruct(reader: Reader, { count, at, end, depth }: Content): Map<string, MatValue>[] {
  const lengthTag = readTag(reader, at, end);
  const nameLength = numbersOf(reader, lengthTag)[0] ?? 0;
  const namesTag = readTag(reader, lengthTag.next, end);
  const bytes = numbersOf(reader, namesTag);
  if (nameLength < 1 && bytes.length > 0) throw broken(reader, at, "a struct's field names have no length");
  const names: string[] = [];
  for (let from = 0; from + nameLength <= bytes.length && nameLength > 0; from += nameLength) {
    const name = String.fromCharCode(...bytes.subarray(from, from + nameLength));
    names.push(name.split("\0")[0]!);
  }
  if (names.length > 0 && count * names.length * 8 > end - namesTag.next)
    throw broken(reader, at, `${count} structs are announced, and the file is too short`);
  const elements: Map<string, MatValue>[] = [];
  let next = namesTag.next;
  for (let i = 0; i < count && names.length > 0; i++) {
    const element = new Map<string, MatValue>();
    for (const name of names) {
      const field = readTag(reader, next, end);
      element.set(name, readMatrix(reader, field, depth + 1).value);
      next = field.next;
    }
    elements.push(element);
  }
  return elements;
}

function expect(reader: Reader, at: number, end: number, count: number): Float64Array {
  const data = numbersOf(reader, readTag(reader, at, end));
  if (data.length !== count)
    throw broken(reader, at, `an array of ${count} numbers has ${data.length} of them`);
  return data;
}

/** Text of characters that lie column by column, row by row. */
function textRows(reader: Reader, { dims, count, at, end }: Content): string[] {
  const element = readTag(reader, at, end);
  const utf8 = element.type === 16;
  const { buffer, byteOffset } = reader.view;
  const units = utf8
    ? [
        ...new TextDecoder().decode(
          new Uint8Array(buffer, byteOffset + element.start, element.end - element.start),
        ),
      ]
    : Array.from(numbersOf(reader, element), (code) => String.fromCodePoint(code));
  const [rows, columns] = [dims[0]!, count / Math.max(1, dims[0]!)];
  // UTF-8 may need fewer letters than the shape says: a surrogate pair is one letter here.
  if (rows <= 1) return [units.join("")];
  if (units.length !== count)
    throw broken(reader, at, `a text of ${count} letters has ${units.length} of them`);
  return Array.from({ length: rows }, (_, r) =>
    Array.from({ length: columns }, (_unused, c) => units[c * rows + r]!).join(""),
  );
}

interface NumberType {
  readonly size: number;
  readonly get: (view: DataView, at: number, littleEndian: boolean) => number;
}

const NUMBER_TYPES: Readonly<Record<number, NumberType>> = {
  1: { size: 1, get: (view, at) => view.getInt8(at) },
  2: { size: 1, get: (view, at) => view.getUint8(at) },
  3: { size: 2, get: (view, at, le) => view.getInt16(at, le) },
  4: { size: 2, get: (view, at, le) => view.getUint16(at, le) },
  5: { size: 4, get: (view, at, le) => view.getInt32(at, le) },
  6: { size: 4, get: (view, at, le) => view.getUint32(at, le) },
  7: { size: 4, get: (view, at, le) => view.getFloat32(at, le) },
  9: { size: 8, get: (view, at, le) => view.getFloat64(at, le) },
  12: { size: 8, get: (view, at, le) => Number(view.getBigInt64(at, le)) },
  13: { size: 8, get: (view, at, le) => Number(view.getBigUint64(at, le)) },
  16: { size: 1, get: (view, at) => view.getUint8(at) },
  17: { size: 2, get: (view, at, le) => view.getUint16(at, le) },
  18: { size: 4, get: (view, at, le) => view.getUint32(at, le) },
};

/** The numbers of an element, whatever type they are stored as: MATLAB stores small numbers in few bytes. */
function numbersOf({ view, littleEndian, name }: Reader, { type, start, end }: Element): Float64Array {
  const found = NUMBER_TYPES[type];
  if (found === undefined) {
    throw broken({ view, littleEndian, name }, start, `numbers of the unknown type ${type}`);
  }
  const { size, get } = found;
  const numbers = new Float64Array(Math.trunc((end - start) / size));
  for (let i = 0; i < numbers.length; i++) numbers[i] = get(view, start + i * size, littleEndian);
  return numbers;
}
