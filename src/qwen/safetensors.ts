/**
 * @file Safetensors files, one or sharded with an index, read lazily tensor by tensor and written atomically.
 * Numbers are little-endian, as on every machine Node runs on.
 */
import { open, stat } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { InputError, toError } from "../base/errors.js";
import { readJsonIfAny, streamFileAtomic } from "./files.js";
import {
  elements,
  formatHeader,
  headerLength,
  parseHeader,
  type SafetensorsHeader,
  type TensorInfo,
} from "./safetensors-header.js";
import { readWith } from "./schema.js";
import {
  DTYPE_BYTES,
  fromBf16,
  fromF16,
  toBf16,
  toF16,
  type Dtype,
  type TensorData,
} from "./stored-dtype.js";

/** A tensor in memory. */
export interface StoredTensor {
  readonly shape: readonly number[];
  /** How it is (to be) stored; `data` of the halves is fp32. */
  readonly dtype: Dtype;
  readonly data: TensorData;
}

/** One file or a set of shards: what is inside is known, the numbers are read when asked for. */
export interface TensorSource {
  /** Every tensor's form. */
  readonly tensors: ReadonlyMap<string, Pick<TensorInfo, "dtype" | "shape">>;
  readonly metadata: Readonly<Record<string, string>>;
  /** One tensor, the halves widened to fp32. @throws InputError when there is none of that name. */
  read(name: string): Promise<StoredTensor>;
  /** A floating-point tensor as fp32. @throws InputError when it holds integers. */
  readFloat32(name: string): Promise<Float32Array>;
  /** An integer or boolean tensor as int32. @throws InputError when it holds fractions or a number that does not fit. */
  readInt32(name: string): Promise<Int32Array>;
}

/** One read is at most this long: Node refuses 2 GiB and more. */
const READ_BYTES = 2 ** 30;

/**
 * Opens a safetensors file: reads and checks its header only. No file stays open.
 * @throws InputError when the file is missing, cut off or its header is wrong.
 */
export async function openSafetensors(path: string): Promise<TensorSource> {
  let fileBytes: number;
  try {
    fileBytes = (await stat(path)).size;
  } catch (error) {
    throw new InputError(`${path}: cannot be read: ${toError(error).message}`, { cause: error });
  }
  const length = headerLength(await readRange(path, 0, Math.min(8, fileBytes)), fileBytes, path);
  const header = parseHeader(await readRange(path, 8, 8 + length), fileBytes, path);
  return source(header, path, (info) => readRange(path, info.start, info.end));
}

/** Reads a whole file into memory. */
export async function readSafetensors(path: string): Promise<Map<string, StoredTensor>> {
  const file = await openSafetensors(path);
  const out = new Map<string, StoredTensor>();
  for (const name of file.tensors.keys()) out.set(name, await file.read(name));
  return out;
}

const indexSchema = z.looseObject({ weight_map: z.record(z.string(), z.string()) });

/**
 * Opens a folder's tensors: `<stem>.safetensors`, or the shards that `<stem>.safetensors.index.json` names.
 * @throws InputError when neither is there, or a shard lacks a tensor that the index puts into it.
 */
export async function openSharded(directory: string, stem = "model"): Promise<TensorSource> {
  const single = join(directory, `${stem}.safetensors`);
  if (await stat(single).catch(() => undefined)) return openSafetensors(single);
  const indexPath = `${single}.index.json`;
  const json = await readJsonIfAny(indexPath);
  if (json === undefined) {
    throw new InputError(
      `${directory}: holds neither ${stem}.safetensors nor ${stem}.safetensors.index.json`,
      {
        hint: "Only safetensors checkpoints are read; convert .bin files with transformers' save_pretrained.",
      },
    );
  }
  const index = readWith(indexSchema, json, indexPath).weight_map;
  const shards = new Map<string, TensorSource>();
  for (const file of new Set(Object.values(index))) {
    if (file.includes("/") || file.includes("\\")) {
      throw new InputError(`${indexPath}: weight_map: "${file}" leaves the folder`);
    }
    shards.set(file, await openSafetensors(join(directory, file)));
  }
  const tensors = new Map<string, Pick<TensorInfo, "dtype" | "shape">>();
  for (const [name, file] of Object.entries(index)) {
    const info = shards.get(file)!.tensors.get(name);
    if (info === undefined) throw new InputError(`${indexPath}: "${name}" is not in ${file}`);
    tensors.set(name, info);
  }
  const shardOf = (name: string): TensorSource => {
    const file = index[name];
    if (!tensors.has(name) || file === undefined) throw missing(name, indexPath, [...tensors.keys()]);
    return shards.get(file)!;
  };
  return {
    tensors,
    metadata: Object.assign({}, ...[...shards.values()].map((shard) => shard.metadata)) as Record<
      string,
      string
    >,
    read: async (name) => shardOf(name).read(name),
    readFloat32: async (name) => shardOf(name).readFloat32(name),
    readInt32: async (name) => shardOf(name).readInt32(name),
  };
}

/** Options of {@link writeSafetensors}. */
export interface WriteSafetensorsOptions {
  /** @default {"format": "pt"}, which transformers asks for */
  readonly metadata?: Readonly<Record<string, string>>;
}

/**
 * Writes one file atomically; fp32 data is rounded to the tensor's dtype (ties to even).
 * @throws InputError when data do not fill a shape, or a finite number does not fit the dtype.
 */
export async function writeSafetensors(
  path: string,
  tensors: ReadonlyMap<string, StoredTensor>,
  { metadata = { format: "pt" } }: WriteSafetensorsOptions = {},
): Promise<void> {
  // The official writer's order: wide types first, so that each is aligned, then by name.
  const inOrder = [...tensors].sort(
    ([a, { dtype: ta }], [b, { dtype: tb }]) =>
      DTYPE_BYTES[tb] - DTYPE_BYTES[ta] || (ta < tb ? -1 : ta > tb ? 1 : 0) || (a < b ? -1 : 1),
  );
  for (const [name, tensor] of inOrder) {
    if (elements(tensor.shape) !== tensor.data.length) {
      throw new InputError(
        `${path}: tensor "${name}": ${tensor.data.length} numbers do not fill the shape [${tensor.shape.join(", ")}]`,
      );
    }
  }
  function* pieces(): Generator<Uint8Array> {
    yield formatHeader(
      inOrder.map(([name, { dtype, shape }]) => ({ name, dtype, shape })),
      metadata,
    );
    for (const [name, tensor] of inOrder) yield encode(tensor, `${path}: tensor "${name}"`);
  }
  await streamFileAtomic(path, pieces());
}

async function readRange(path: string, start: number, end: number): Promise<Uint8Array<ArrayBuffer>> {
  const out = new Uint8Array(end - start);
  const file = await open(path, "r");
  try {
    for (let at = 0; at < out.length;) {
      const { bytesRead } = await file.read(out, at, Math.min(READ_BYTES, out.length - at), start + at);
      if (bytesRead === 0) throw new InputError(`${path}: became shorter while it was read`);
      at += bytesRead;
    }
  } finally {
    await file.close();
  }
  return out;
}

function missing(name: string, path: string, names: readonly string[]): InputError {
  const last = name.slice(name.lastIndexOf(".", name.lastIndexOf(".") - 1) + 1);
  const near = names.filter((other) => other.endsWith(last)).slice(0, 3);
  return new InputError(
    `${path}: has no tensor "${name}"`,
    near.length === 0 ? {} : { hint: `It has ${near.map((other) => `"${other}"`).join(", ")}.` },
  );
}

function source(
  header: SafetensorsHeader,
  path: string,
  bytesOf: (info: TensorInfo) => Promise<Uint8Array<ArrayBuffer>>,
): TensorSource {
  const read = async (name: string): Promise<StoredTensor> => {
    const info = header.tensors.get(name);
    if (info === undefined) throw missing(name, path, [...header.tensors.keys()]);
    return { dtype: info.dtype, shape: info.shape, data: decode(info.dtype, (await bytesOf(info)).buffer) };
  };
  return {
    tensors: header.tensors,
    metadata: header.metadata,
    read,
    readFloat32: async (name) => {
      const { data, dtype } = await read(name);
      if (data instanceof Float32Array) return data;
      if (data instanceof Float64Array) return Float32Array.from(data);
      throw new InputError(`${path}: tensor "${name}" holds ${dtype}, not floating-point numbers`);
    },
    readInt32: async (name) => toInt32(await read(name), `${path}: tensor "${name}"`),
  };
}

function toInt32({ data, dtype }: StoredTensor, where: string): Int32Array {
  if (data instanceof Int32Array) return data;
  if (data instanceof Float32Array || data instanceof Float64Array) {
    throw new InputError(`${where} holds ${dtype}, not whole numbers`);
  }
  const out = new Int32Array(data.length);
  for (let i = 0; i < data.length; i++) {
    out[i] = Number(data[i]);
    if (out[i] !== Number(data[i])) throw new InputError(`${where}: ${data[i]} does not fit 32 bits`);
  }
  return out;
}

function decode(dtype: Dtype, buffer: ArrayBuffer): TensorData {
  switch (dtype) {
    case "F64":
      return new Float64Array(buffer);
    case "F32":
      return new Float32Array(buffer);
    case "F16":
      return fromF16(new Uint16Array(buffer));
    case "BF16":
      return fromBf16(new Uint16Array(buffer));
    case "I64":
      return new BigInt64Array(buffer);
    case "U64":
      return new BigUint64Array(buffer);
    case "I32":
      return new Int32Array(buffer);
    case "U32":
      return new Uint32Array(buffer);
    case "I16":
      return new Int16Array(buffer);
    case "U16":
      return new Uint16Array(buffer);
    case "I8":
      return new Int8Array(buffer);
    case "U8":
    case "BOOL":
      return new Uint8Array(buffer);
  }
}

const ARRAY_OF = {
  F64: Float64Array,
  F32: Float32Array,
  F16: Float32Array,
  BF16: Float32Array,
  I64: BigInt64Array,
  U64: BigUint64Array,
  I32: Int32Array,
  U32: Uint32Array,
  I16: Int16Array,
  U16: Uint16Array,
  I8: Int8Array,
  U8: Uint8Array,
  BOOL: Uint8Array,
} as const satisfies Record<Dtype, unknown>;

function encode({ dtype, data }: StoredTensor, where: string): Uint8Array {
  if (!(data instanceof ARRAY_OF[dtype])) {
    throw new InputError(
      `${where}: ${dtype} is written from ${ARRAY_OF[dtype].name}, not ${data.constructor.name}`,
    );
  }
  if ((dtype === "F16" || dtype === "BF16") && data instanceof Float32Array) {
    const half = dtype === "F16" ? toF16(data) : toBf16(data);
    const infinite = dtype === "F16" ? 0x7c00 : 0x7f80;
    const lost = half.findIndex((bits, i) => (bits & 0x7fff) === infinite && Number.isFinite(data[i]));
    if (lost >= 0) {
      throw new InputError(`${where}: ${data[lost]} does not fit ${dtype}`, {
        hint: "Write float32 instead.",
      });
    }
    return bytes(half);
  }
  return bytes(data);
}

function bytes(data: TensorData): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}
