/**
 * @file Bicubic resize with antialiasing of 8-bit pictures, equal bit for bit to torchvision's
 * `resize(BICUBIC, antialias=True)` on uint8: fixed-point weights, first along rows, then along columns, rounded and
 * clipped to 8 bits after each. (Pillow's resize differs by a grey level and more.)
 */
import type { RgbImage } from "../base/rgb-image.js";

/** Keys' kernel with a = -1/2. */
const A = -0.5;
/** Weights have at most this many fractional bits, and must fit 16 bits with sign. */
const MAX_BITS = 22;
const WEIGHT_LIMIT = 1 << 15;

function cubic(distance: number): number {
  const x = Math.abs(distance);
  if (x < 1) return ((A + 2) * x - (A + 3)) * x * x + 1;
  if (x < 2) return (((x - 5) * x + 8) * x - 4) * A;
  return 0;
}

/** For each output position which inputs it takes and with which weight. */
interface Taps {
  /** First input of each output. */
  readonly first: Int32Array;
  /** How many inputs each output takes. */
  readonly length: Int32Array;
  /** Fixed-point weights, `stride` apart for neighbouring outputs. */
  readonly weights: Int32Array;
  readonly stride: number;
  /** Fractional bits of the weights. */
  readonly bits: number;
}

function taps(from: number, to: number): Taps {
  const scale = from / to;
  const filterScale = Math.max(scale, 1);
  const support = 2 * filterScale;
  const stride = Math.ceil(support) * 2 + 1;
  const first = new Int32Array(to);
  const length = new Int32Array(to);
  const real = new Float64Array(to * stride);
  let largest = 0;
  for (let o = 0; o < to; o++) {
    const centre = (o + 0.5) * scale;
    const low = Math.max(Math.trunc(centre - support + 0.5), 0);
    const high = Math.min(Math.trunc(centre + support + 0.5), from);
    let sum = 0;
    for (let i = low; i < high; i++) {
      const weight = cubic((i - centre + 0.5) * (1 / filterScale));
      real[o * stride + i - low] = weight;
      sum += weight;
    }
    for (let k = 0; k < high - low; k++) {
      real[o * stride + k]! /= sum;
      largest = Math.max(largest, real[o * stride + k]!);
    }
    first[o] = low;
    length[o] = high - low;
  }
  let bits = 0;
  while (bits < MAX_BITS && Math.trunc(0.5 + largest * 2 ** (bits + 1)) < WEIGHT_LIMIT) bits++;
  const one = 2 ** bits;
  const weights = new Int32Array(real.length);
  for (let i = 0; i < real.length; i++) weights[i] = Math.trunc(real[i]! * one + (real[i]! < 0 ? -0.5 : 0.5));
  return { first, length, weights, stride, bits };
}

function alongRows(data: Uint8Array, width: number, height: number, toWidth: number): Uint8Array {
  const { first, length, weights, stride, bits } = taps(width, toWidth);
  const half = 1 << (bits - 1);
  // A clamped array clips to 0..255 as it is written.
  const out = new Uint8ClampedArray(toWidth * height * 3);
  let to = 0;
  for (let y = 0; y < height; y++) {
    const row = y * width * 3;
    for (let x = 0; x < toWidth; x++) {
      let red = half;
      let green = half;
      let blue = half;
      let at = row + first[x]! * 3;
      const end = x * stride + length[x]!;
      for (let k = x * stride; k < end; k++) {
        const weight = weights[k]!;
        red += weight * data[at]!;
        green += weight * data[at + 1]!;
        blue += weight * data[at + 2]!;
        at += 3;
      }
      out[to++] = red >> bits;
      out[to++] = green >> bits;
      out[to++] = blue >> bits;
    }
  }
  return new Uint8Array(out.buffer);
}

function alongColumns(data: Uint8Array, width: number, height: number, toHeight: number): Uint8Array {
  const { first, length, weights, stride, bits } = taps(height, toHeight);
  const half = 1 << (bits - 1);
  const rowLength = width * 3;
  const sums = new Int32Array(rowLength);
  const out = new Uint8ClampedArray(toHeight * rowLength);
  for (let y = 0; y < toHeight; y++) {
    sums.fill(half);
    for (let k = 0; k < length[y]!; k++) {
      const weight = weights[y * stride + k]!;
      const row = (first[y]! + k) * rowLength;
      for (let i = 0; i < rowLength; i++) sums[i]! += weight * data[row + i]!;
    }
    const row = y * rowLength;
    for (let i = 0; i < rowLength; i++) out[row + i] = sums[i]! >> bits;
  }
  return new Uint8Array(out.buffer);
}

/**
 * The picture at another size. The same size gives the picture back unchanged.
 * @param size Whole positive numbers of pixels.
 */
export function resizeBicubic(
  image: RgbImage,
  size: { readonly width: number; readonly height: number },
): RgbImage {
  let { data } = image;
  if (size.width !== image.width) data = alongRows(data, image.width, image.height, size.width);
  if (size.height !== image.height) data = alongColumns(data, size.width, image.height, size.height);
  return { width: size.width, height: size.height, data };
}
