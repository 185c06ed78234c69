/** @file Cosines and sines of rotary positions, computed as the reference does: angles rounded to fp32 first. */

/** Tables of [rows, headDim / 2] each. */
export interface RopeTables {
  readonly cos: Float32Array;
  readonly sin: Float32Array;
}

/** theta^(-2i / headDim) for i = 0 .. headDim/2 - 1, in fp32. */
function inverseFrequencies(headDim: number, theta: number): Float32Array {
  return Float32Array.from({ length: headDim / 2 }, (_, i) => 1 / Math.fround(theta ** ((2 * i) / headDim)));
}

function fill(rows: number, width: number, angle: (row: number, i: number) => number): RopeTables {
  const cos = new Float32Array(rows * width);
  const sin = new Float32Array(rows * width);
  for (let row = 0; row < rows; row++) {
    for (let i = 0; i < width; i++) {
      const a = Math.fround(angle(row, i));
      cos[row * width + i] = Math.cos(a);
      sin[row * width + i] = Math.sin(a);
    }
  }
  return { cos, sin };
}

/**
 * Tables for M-RoPE positions [3, rows] (time, height, width): the first `section[0]` frequencies turn with time, the
 * next `section[1]` with height, the rest with width.
 */
export function textRopeTables(
  positions: ArrayLike<number>,
  config: {
    readonly headDim: number;
    readonly ropeTheta: number;
    readonly mropeSection: readonly [number, number, number];
  },
): RopeTables {
  const rows = positions.length / 3;
  const frequencies = inverseFrequencies(config.headDim, config.ropeTheta);
  const [time, height] = config.mropeSection;
  const axisOf = Int32Array.from(frequencies, (_, i) => (i < time ? 0 : i < time + height ? 1 : 2));
  return fill(rows, frequencies.length, (row, i) => positions[axisOf[i]! * rows + row]! * frequencies[i]!);
}

/** Tables for patches at [rows, 2] (row, column): half of the frequencies turn with each. */
export function visionRopeTables(positions: ArrayLike<number>, headDim: number, theta: number): RopeTables {
  const frequencies = inverseFrequencies(headDim / 2, theta);
  const count = frequencies.length;
  return fill(positions.length / 2, headDim / 2, (row, i) =>
    i < count ? positions[2 * row]! * frequencies[i]! : positions[2 * row + 1]! * frequencies[i - count]!,
  );
}
