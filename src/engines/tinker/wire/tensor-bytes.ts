/** @file Numbers as little-endian bytes and back, with every length checked: a cut-off answer must not pass for a short one. */
import { protocolError } from "../errors.js";
import type { WireDtype, WireTensor } from "./types.js";

/** Bytes of one element. */
export const ELEMENT_BYTES: Readonly<Record<WireDtype, number>> = {
  float32: 4,
  int64: 8,
  int32: 4,
  bfloat16: 2,
};

function view(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function count(bytes: Uint8Array, dtype: WireDtype): number {
  const elements = bytes.length / ELEMENT_BYTES[dtype];
  if (!Number.isInteger(elements))
    throw protocolError(`${bytes.length} bytes are no whole number of ${dtype} values`);
  return elements;
}

/** 4 bytes each, as written: tokens. */
export function int32Bytes(values: Int32Array): Uint8Array {
  const bytes = new Uint8Array(values.length * 4);
  const out = view(bytes);
  values.forEach((value, i) => out.setInt32(4 * i, value, true));
  return bytes;
}

/** @throws TinkerError (`protocol`) for a length that is no multiple of 4. */
export function int32FromBytes(bytes: Uint8Array): Int32Array {
  const input = view(bytes);
  return Int32Array.from({ length: count(bytes, "int32") }, (_, i) => input.getInt32(4 * i, true));
}

/** 4 bytes each. */
export function float32Bytes(values: Float32Array): Uint8Array {
  const bytes = new Uint8Array(values.length * 4);
  const out = view(bytes);
  values.forEach((value, i) => out.setFloat32(4 * i, value, true));
  return bytes;
}

/** @throws TinkerError (`protocol`) for a length that is no multiple of 4. */
export function float32FromBytes(bytes: Uint8Array): Float32Array {
  const input = view(bytes);
  return Float32Array.from({ length: count(bytes, "float32") }, (_, i) => input.getFloat32(4 * i, true));
}

/** 8 bytes each; safe integers only. */
export function int64Bytes(values: ArrayLike<number>): Uint8Array {
  const bytes = new Uint8Array(values.length * 8);
  const out = view(bytes);
  for (let i = 0; i < values.length; i++) out.setBigInt64(8 * i, BigInt(values[i]!), true);
  return bytes;
}

/** @throws TinkerError (`protocol`) for a wrong length or a value that is no safe integer. */
export function int64FromBytes(bytes: Uint8Array): number[] {
  const input = view(bytes);
  return Array.from({ length: count(bytes, "int64") }, (_, i) => {
    const value = Number(input.getBigInt64(8 * i, true));
    if (!Number.isSafeInteger(value)) throw protocolError(`${value} is too large an integer`);
    return value;
  });
}

/** The elements of a tensor as bytes of its type. */
export function tensorBytes({ dtype, data }: WireTensor): Uint8Array {
  switch (dtype) {
    case "float32":
      return float32Bytes(Float32Array.from(data));
    case "int32":
      return int32Bytes(Int32Array.from(data));
    case "int64":
      return int64Bytes(data);
    case "bfloat16": {
      const bytes = new Uint8Array(data.length * 2);
      const out = view(bytes);
      const bits = new Uint32Array(Float32Array.from(data).buffer);
      // Round half to even, as every accelerator does.
      bits.forEach((b, i) => out.setUint16(2 * i, ((b + 0x7fff + ((b >>> 16) & 1)) >>> 16) & 0xffff, true));
      return bytes;
    }
  }
}

/** @throws TinkerError (`protocol`) for bytes that are no such values. */
export function tensorData(bytes: Uint8Array, dtype: WireDtype): Float32Array | Int32Array {
  switch (dtype) {
    case "float32":
      return float32FromBytes(bytes);
    case "int32":
      return int32FromBytes(bytes);
    case "int64":
      return Int32Array.from(int64FromBytes(bytes), (value) => {
        if ((value | 0) !== value) throw protocolError(`${value} does not fit 32 bits`);
        return value;
      });
    case "bfloat16": {
      const input = view(bytes);
      const bits = Uint32Array.from(
        { length: count(bytes, dtype) },
        (_, i) => (input.getUint16(2 * i, true) << 16) >>> 0,
      );
      return new Float32Array(bits.buffer);
    }
  }
}
