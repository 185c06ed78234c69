/** @file A model's weights from and to a Hugging Face folder of safetensors, checked against the config. */
import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { writeJsonAtomic } from "../base/atomic-file.js";
import { InputError } from "../base/errors.js";
import type { QwenConfig, StoredDtype } from "./config.js";
import { canonicalName, HEAD, parameterShapes, storedName, storedShape } from "./parameters.js";
import { elements } from "./safetensors-header.js";
import { openSharded, writeSafetensors, type StoredTensor, type TensorSource } from "./safetensors.js";
import type { FloatDtype } from "./stored-dtype.js";

/** Weights by canonical name, fp32, row-major, shapes as {@link parameterShapes} tells. */
export type Weights = ReadonlyMap<string, Float32Array>;

/** Names listed in one message at most. */
const LISTED = 4;

/**
 * Reads all weights of a model folder (one file or shards, fp32, bf16 or fp16, hub or module names) as fp32.
 * @throws InputError when a file is damaged, or tensors are missing, unknown or of another shape than the config says.
 */
export async function loadWeights(directory: string, config: QwenConfig): Promise<Map<string, Float32Array>> {
  const stored = await openSharded(directory);
  const nameOf = matchParameters(stored, config, directory);
  const weights = new Map<string, Float32Array>();
  for (const [canonical, name] of nameOf) weights.set(canonical, await stored.readFloat32(name));
  return weights;
}

/** For each parameter the name it is stored under, once everything fits. */
function matchParameters(stored: TensorSource, config: QwenConfig, where: string): Map<string, string> {
  const shapes = parameterShapes(config);
  const nameOf = new Map<string, string>();
  const unknown: string[] = [];
  for (const name of stored.tensors.keys()) {
    const canonical = canonicalName(name);
    if (shapes.has(canonical)) nameOf.set(canonical, name);
    // Old checkpoints store rotary tables, tied ones sometimes a copy of the embedding: both are derived values.
    else if (!name.endsWith("rotary_emb.inv_freq") && canonical !== HEAD) unknown.push(name);
  }
  const missing = [...shapes.keys()].filter((name) => !nameOf.has(name));
  if (missing.length > 0) {
    throw new InputError(`${where}: the weights lack ${list(missing.map(storedName))}`, {
      hint:
        missing.length === 1 && missing[0] === HEAD
          ? 'The head may be the embedding: set "tie_word_embeddings": true in config.json.'
          : "config.json describes a larger or another model, or a shard is missing.",
    });
  }
  if (unknown.length > 0) {
    throw new InputError(`${where}: the weights have ${list(unknown)}, which config.json does not tell of`, {
      hint: "config.json belongs to a smaller or another model.",
    });
  }
  for (const [canonical, name] of nameOf) {
    const { shape, dtype } = stored.tensors.get(name)!;
    const expected = shapes.get(canonical)!;
    // Ours are flat, theirs may be a Conv3d: both hold the same numbers in the same order.
    const onDisk = storedShape(canonical, expected, config);
    if (!sameShape(shape, onDisk) && !sameShape(shape, expected)) {
      throw new InputError(
        `${where}: "${name}" is [${shape.join(", ")}], config.json asks for [${onDisk.join(", ")}]`,
      );
    }
    if (dtype !== "F32" && dtype !== "BF16" && dtype !== "F16" && dtype !== "F64") {
      throw new InputError(`${where}: "${name}" holds ${dtype}; weights are fp32, bf16 or fp16`);
    }
  }
  return nameOf;
}

/**
 * Refuses weights that are not exactly those of the config.
 * @throws InputError naming what is missing, unknown or of another size.
 */
export function checkWeights(weights: Weights, config: QwenConfig): void {
  const shapes = parameterShapes(config);
  const missing = [...shapes.keys()].filter((name) => !weights.has(name));
  if (missing.length > 0) throw new InputError(`the weights lack ${list(missing)}`);
  const unknown = [...weights.keys()].filter((name) => !shapes.has(name));
  if (unknown.length > 0)
    throw new InputError(`the weights have ${list(unknown)}, which the config does not tell of`);
  for (const [name, shape] of shapes) {
    const length = weights.get(name)!.length;
    if (length !== elements(shape)) {
      throw new InputError(`"${name}" has ${length} numbers, the config asks for [${shape.join(", ")}]`);
    }
  }
}

/** Options of {@link saveWeights}. */
export interface SaveWeightsOptions {
  /** @default "float32" */
  readonly dtype?: StoredDtype;
  /** A file grows no larger than this unless one tensor alone does. @default 5e9 */
  readonly maxShardBytes?: number;
}

/** Names of the dtypes in config.json and in safetensors. */
export const DTYPE_OF: Record<StoredDtype, FloatDtype> = { float32: "F32", bfloat16: "BF16", float16: "F16" };
const WEIGHT_FILE = /^model(-\d{5}-of-\d{5})?\.safetensors$/;

/**
 * Writes weights as `model.safetensors`, or as shards with `model.safetensors.index.json`, under the names of the hub:
 * transformers opens the folder. Each file is written atomically; files of an older set are removed at the end.
 * @throws InputError when the weights are not those of the config, or a number does not fit the dtype.
 */
export async function saveWeights(
  directory: string,
  config: QwenConfig,
  weights: Weights,
  { dtype = "float32", maxShardBytes = 5e9 }: SaveWeightsOptions = {},
): Promise<void> {
  checkWeights(weights, config);
  const stored = DTYPE_OF[dtype];
  const width = stored === "F32" ? 4 : 2;
  const shards: Map<string, StoredTensor>[] = [new Map()];
  let shardBytes = 0;
  let totalBytes = 0;
  for (const [canonical, shape] of parameterShapes(config)) {
    const size = elements(shape) * width;
    if (shardBytes > 0 && shardBytes + size > maxShardBytes) {
      shards.push(new Map());
      shardBytes = 0;
    }
    shards.at(-1)!.set(storedName(canonical), {
      dtype: stored,
      shape: storedShape(canonical, shape, config),
      data: weights.get(canonical)!,
    });
    shardBytes += size;
    totalBytes += size;
  }
  const number = (n: number): string => String(n).padStart(5, "0");
  const fileOf = (i: number): string =>
    shards.length === 1
      ? "model.safetensors"
      : `model-${number(i + 1)}-of-${number(shards.length)}.safetensors`;
  for (const [i, shard] of shards.entries()) await writeSafetensors(join(directory, fileOf(i)), shard);

  const index = join(directory, "model.safetensors.index.json");
  if (shards.length > 1) {
    const entries = shards.flatMap((shard, i) => [...shard.keys()].map((name) => [name, fileOf(i)] as const));
    await writeJsonAtomic(index, {
      metadata: { total_size: totalBytes },
      weight_map: Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1))),
    });
  } else await rm(index, { force: true });
  const written = new Set(shards.map((_, i) => fileOf(i)));
  for (const file of await readdir(directory)) {
    if (WEIGHT_FILE.test(file) && !written.has(file)) await rm(join(directory, file));
  }
}

function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((size, i) => size === b[i]);
}

function list(names: readonly string[]): string {
  const shown = names
    .slice(0, LISTED)
    .map((name) => `"${name}"`)
    .join(", ");
  return names.length > LISTED ? `${shown} and ${names.length - LISTED} more` : shown;
}
