/** @file Reads golden tensors (safetensors, fp32) for tests, on its own, so that no test leans on the reader under test. */
import { readFileSync } from "node:fs";

/** A golden tensor: row-major values and their shape. */
export interface GoldenTensor {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/** All fp32 tensors of a safetensors file, by name. */
export function readGolden(file: URL): Map<string, GoldenTensor> {
  const bytes = readFileSync(file);
  const headerLength = Number(bytes.readBigUInt64LE(0));
  const header = JSON.parse(bytes.toString("utf8", 8, 8 + headerLength)) as Record<
    string,
    { dtype: string; shape: number[]; data_offsets: [number, number] }
  >;
  const tensors = new Map<string, GoldenTensor>();
  for (const [name, entry] of Object.entries(header)) {
    if (name === "__metadata__" || entry.dtype !== "F32") continue;
    const [start, end] = entry.data_offsets;
    // Copied: the file's offset need not be a multiple of four.
    const copy = Uint8Array.from(bytes.subarray(8 + headerLength + start, 8 + headerLength + end));
    tensors.set(name, { shape: entry.shape, data: new Float32Array(copy.buffer) });
  }
  return tensors;
}

/** Rows of a golden matrix. */
export function rows(tensor: GoldenTensor): Float32Array[] {
  const [height, width] = tensor.shape as [number, number];
  return Array.from({ length: height }, (_, y) => tensor.data.slice(y * width, (y + 1) * width));
}
