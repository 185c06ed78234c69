/**
 * @file The header of a safetensors file: a little-endian u64 length, JSON, then the tensors' bytes without holes
 * (the format's own rules: huggingface/safetensors, README "Format").
 */
import { z } from "zod";
import { InputError, toError } from "../base/errors.js";
import { readWith } from "./schema.js";
import { DTYPE_BYTES, isDtype, type Dtype } from "./stored-dtype.js";

/** One tensor's place and form. */
export interface TensorInfo {
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  /** First byte, counted from the start of the file. */
  readonly start: number;
  /** Byte after the last. */
  readonly end: number;
}

/** A header, checked. */
export interface SafetensorsHeader {
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  /** Free text a writer left under `__metadata__`. */
  readonly metadata: Readonly<Record<string, string>>;
}

/** The format's own bound on a header's length. */
const MAX_HEADER_BYTES = 100_000_000;
const HINT =
  "The file is damaged, cut off or not a safetensors file (a Git LFS pointer?); download it again.";

const entrySchema = z.looseObject({
  dtype: z.string(),
  shape: z.array(z.int().nonnegative()),
  data_offsets: z.tuple([z.int().nonnegative(), z.int().nonnegative()]),
});
const headerSchema = z.record(z.string(), z.unknown());
const metadataSchema = z.record(z.string(), z.string());

/** Number of elements of a shape; a scalar's is 1. */
export function elements(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

/**
 * Reads the length in front of the header.
 * @param prefix The file's first 8 bytes (fewer where the file is shorter).
 * @throws InputError when the file cannot hold such a header.
 */
export function headerLength(prefix: Uint8Array, fileBytes: number, path: string): number {
  if (prefix.length < 8) {
    throw new InputError(`${path}: ${fileBytes} bytes are too few for a safetensors file`, { hint: HINT });
  }
  const length = new DataView(prefix.buffer, prefix.byteOffset).getBigUint64(0, true);
  if (length > MAX_HEADER_BYTES || Number(length) > fileBytes - 8) {
    throw new InputError(`${path}: says its header has ${length} bytes, the file has ${fileBytes}`, {
      hint: HINT,
    });
  }
  return Number(length);
}

/**
 * Reads and checks a header.
 * @param json The header's bytes.
 * @param fileBytes Size of the whole file.
 * @throws InputError when a tensor's type, shape or place is wrong, tensors overlap or leave holes, or the file is
 * shorter or longer than they need.
 */
export function parseHeader(json: Uint8Array, fileBytes: number, path: string): SafetensorsHeader {
  let parsed: unknown;
  try {
    parsed = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(json));
  } catch (error) {
    throw new InputError(`${path}: the header is not valid JSON: ${toError(error).message}`, {
      hint: HINT,
      cause: error,
    });
  }
  const { __metadata__: metadata, ...entries } = readWith(headerSchema, parsed, `${path}: header`, HINT);
  const origin = 8 + json.length;
  const tensors = new Map<string, TensorInfo>();
  for (const [name, value] of Object.entries(entries)) {
    const where = `${path}: tensor "${name}"`;
    const entry = readWith(entrySchema, value, where, HINT);
    const [from, to] = entry.data_offsets;
    if (!isDtype(entry.dtype)) {
      throw new InputError(`${where}: type ${entry.dtype} is not supported`, {
        hint: `Supported: ${Object.keys(DTYPE_BYTES).join(", ")}. Quantised checkpoints are not.`,
      });
    }
    const bytes = elements(entry.shape) * DTYPE_BYTES[entry.dtype];
    if (to - from !== bytes) {
      throw new InputError(
        `${where}: offsets ${from} to ${to} hold ${to - from} bytes, ${entry.dtype} [${entry.shape.join(", ")}] needs ${bytes}`,
        { hint: HINT },
      );
    }
    tensors.set(name, { dtype: entry.dtype, shape: entry.shape, start: origin + from, end: origin + to });
  }
  checkPlaces(tensors, origin, fileBytes, path);
  return {
    tensors,
    metadata: metadata === undefined ? {} : readWith(metadataSchema, metadata, `${path}: __metadata__`, HINT),
  };
}

function checkPlaces(
  tensors: ReadonlyMap<string, TensorInfo>,
  origin: number,
  fileBytes: number,
  path: string,
): void {
  let end = origin;
  let previous = "the header";
  const inOrder = [...tensors].sort(([, a], [, b]) => a.start - b.start || a.end - b.end);
  for (const [name, info] of inOrder) {
    if (info.start !== end) {
      const what = info.start < end ? "overlaps" : "leaves a hole after";
      throw new InputError(`${path}: tensor "${name}" ${what} ${previous}`, { hint: HINT });
    }
    end = info.end;
    previous = `"${name}"`;
  }
  if (end !== fileBytes) {
    const what = end > fileBytes ? "is cut off" : "goes on after its last tensor";
    throw new InputError(`${path}: the file ${what}: ${fileBytes} bytes, its header needs ${end}`, {
      hint: HINT,
    });
  }
}

/** One tensor to be written. */
export interface TensorForm {
  readonly name: string;
  readonly dtype: Dtype;
  readonly shape: readonly number[];
}

/**
 * The bytes in front of the tensors, padded with spaces so that data begin at a multiple of 8, for tensors that are
 * written in the given order.
 */
export function formatHeader(
  tensors: readonly TensorForm[],
  metadata: Readonly<Record<string, string>>,
): Uint8Array {
  const header: Record<string, unknown> = {};
  if (Object.keys(metadata).length > 0) header.__metadata__ = metadata;
  let offset = 0;
  for (const { name, dtype, shape } of tensors) {
    const end = offset + elements(shape) * DTYPE_BYTES[dtype];
    header[name] = { dtype, shape, data_offsets: [offset, end] };
    offset = end;
  }
  const json = new TextEncoder().encode(JSON.stringify(header));
  const out = new Uint8Array(8 + Math.ceil(json.length / 8) * 8).fill(0x20);
  new DataView(out.buffer).setBigUint64(0, BigInt(out.length - 8), true);
  out.set(json, 8);
  return out;
}
