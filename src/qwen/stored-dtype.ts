/**
 * @file The number types of a safetensors file and the conversions between fp32 and its halves (round to nearest,
 * ties to even, as IEEE 754 and PyTorch do).
 */

/** The types the format names, and their width in bytes. */
export const DTYPE_BYTES = {
  F64: 8,
  I64: 8,
  U64: 8,
  F32: 4,
  I32: 4,
  U32: 4,
  F16: 2,
  BF16: 2,
  I16: 2,
  U16: 2,
  I8: 1,
  U8: 1,
  BOOL: 1,
} as const;

/** A type's name in the header. */
export type Dtype = keyof typeof DTYPE_BYTES;

/** The floating-point types. */
export type FloatDtype = "F32" | "F16" | "BF16";

/** What a tensor's numbers are held in once read: halves are widened to fp32. */
export type TensorData =
  | Float32Array
  | Float64Array
  | Int8Array
  | Int16Array
  | Int32Array
  | Uint8Array
  | Uint16Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array;

/** Whether a header's type name is known. */
export function isDtype(name: string): name is Dtype {
  return Object.hasOwn(DTYPE_BYTES, name);
}

/** bf16 bits to fp32. Exact. */
export function fromBf16(bits: Uint16Array): Float32Array {
  const out = new Uint32Array(bits.length);
  for (let i = 0; i < bits.length; i++) out[i] = bits[i]! << 16;
  return new Float32Array(out.buffer);
}

/** fp32 to bf16 bits. A finite number beyond the range becomes infinite; NaN stays NaN. */
export function toBf16(values: Float32Array): Uint16Array {
  const bits = bitsOf(values);
  const out = new Uint16Array(values.length);
  for (let i = 0; i < values.length; i++) {
    const x = bits[i]!;
    // A NaN whose payload is in the lower half must not become infinite.
    out[i] = (x & 0x7fffffff) > 0x7f800000 ? (x >>> 16) | 0x40 : (x + 0x7fff + ((x >>> 16) & 1)) >>> 16;
  }
  return out;
}

/** fp16 bits to fp32. Exact. */
export function fromF16(bits: Uint16Array): Float32Array {
  const words = new Uint32Array(bits.length);
  const out = new Float32Array(words.buffer);
  for (let i = 0; i < bits.length; i++) {
    const half = bits[i]!;
    const sign = (half & 0x8000) << 16;
    const exponent = (half >>> 10) & 31;
    const fraction = half & 0x3ff;
    if (exponent === 0) out[i] = (sign === 0 ? 1 : -1) * fraction * 2 ** -24;
    else words[i] = sign | ((exponent === 31 ? 255 : exponent + 112) << 23) | (fraction << 13);
  }
  return out;
}

/** fp32 to fp16 bits, subnormals included. A finite number beyond 65504 becomes infinite; NaN stays NaN. */
export function toF16(values: Float32Array): Uint16Array {
  const bits = bitsOf(values);
  const out = new Uint16Array(values.length);
  for (let i = 0; i < values.length; i++) {
    const x = bits[i]!;
    const magnitude = x & 0x7fffffff;
    let half: number;
    if (magnitude > 0x7f800000) half = 0x7e00;
    // 65520 and more are nearer to infinity than to 65504.
    else if (magnitude >= 0x477ff000) half = 0x7c00;
    else if (magnitude >= 0x38800000) {
      half = (magnitude + 0xfff + ((magnitude >>> 13) & 1) - (112 << 23)) >>> 13;
    } else {
      // Subnormal halves are multiples of 2^-24; the product is exact in a double.
      half = roundHalfEven(Math.abs(values[i]!) * 2 ** 24);
    }
    out[i] = ((x >>> 16) & 0x8000) | half;
  }
  return out;
}

/** Rounds to the nearest whole number, ties to the even one (Python's `round`, IEEE 754's default). */
export function roundHalfEven(x: number): number {
  const floor = Math.floor(x);
  const rest = x - floor;
  if (rest !== 0.5) return rest < 0.5 ? floor : floor + 1;
  return floor % 2 === 0 ? floor : floor + 1;
}

function bitsOf(values: Float32Array): Uint32Array {
  return new Uint32Array(values.buffer, values.byteOffset, values.length);
}
