/** @file LoRA adapters in PEFT's layout: adapter_config.json and adapter_model.safetensors, read, written and merged. */
import { join } from "node:path";
import { z } from "zod";
import { writeJsonAtomic } from "../base/atomic-file.js";
import { InputError, toError } from "../base/errors.js";
import type { QwenConfig, StoredDtype } from "./config.js";
import { readJsonIfAny } from "./files.js";
import { linearModules, type LoraTargets } from "./lora-targets.js";
import { canonicalName } from "./parameters.js";
import { openSharded, writeSafetensors, type StoredTensor } from "./safetensors.js";
import { count, readWith } from "./schema.js";
import { DTYPE_OF, type Weights } from "./weights.js";

/** The low-rank addition to one linear layer: W + scale * B A. */
export interface LoraMatrices {
  readonly rank: number;
  /** alpha / rank (alpha / sqrt(rank) where the adapter is rank-stabilised). */
  readonly scale: number;
  /** [rank, in] */
  readonly a: Float32Array;
  /** [out, rank] */
  readonly b: Float32Array;
}

/** An adapter: its matrices by canonical module name ("model.language_model.layers.0.self_attn.q_proj"). */
export interface LoraAdapter {
  readonly rank: number;
  readonly alpha: number;
  /** What the recipe asked for; {@link modules} says what it came to. */
  readonly targets: LoraTargets;
  /** What the adapter was trained on, a folder or a name on the hub. */
  readonly baseModel?: string;
  readonly modules: ReadonlyMap<string, LoraMatrices>;
}

const CONFIG_FILE = "adapter_config.json";
const PREFIX = "base_model.model.";
const off = z.literal(false).nullish();
const nothing = z.union([z.null(), z.tuple([]), z.strictObject({})]).optional();
const targetsSchema = z.union([z.array(z.string()), z.string()]);

const schema = z.looseObject({
  peft_type: z.literal("LORA"),
  r: count,
  lora_alpha: z.number().positive(),
  target_modules: targetsSchema,
  base_model_name_or_path: z.string().nullish(),
  alpha_pattern: z.record(z.string(), z.number().positive()).nullish(),
  use_rslora: z.boolean().nullish(),
  // What changes the formula and is not built here is refused, never ignored.
  bias: z.literal("none").default("none"),
  use_dora: off,
  lora_bias: off,
  fan_in_fan_out: off,
  use_qalora: off,
  use_bdlora: off,
  modules_to_save: nothing,
  layer_replication: nothing,
  target_parameters: nothing,
  trainable_token_indices: nothing,
  alora_invocation_tokens: nothing,
});

/**
 * Reads an adapter, checked against the model it is for. Module names of older versions of transformers are understood.
 * @throws InputError when a file is missing or damaged, the adapter is not plain LoRA, or its matrices do not fit the model.
 */
export async function loadAdapter(directory: string, config: QwenConfig): Promise<LoraAdapter> {
  const path = join(directory, CONFIG_FILE);
  const json = await readJsonIfAny(path);
  if (json === undefined)
    throw new InputError(`${path}: no such file`, { hint: "An adapter folder is as PEFT writes it." });
  const read = readWith(schema, json, path, "Only plain LoRA on linear layers is supported.");
  const stored = await openSharded(directory, "adapter_model");
  const linear = linearModules(config);
  const halves = new Map<string, { a?: string; b?: string }>();
  for (const name of stored.tensors.keys()) {
    const match = /^base_model\.model\.(.+)\.lora_([AB])\.weight$/.exec(name);
    if (match === null)
      throw new InputError(`${directory}: "${name}" is not a LoRA matrix of a linear layer`);
    const module = canonicalName(match[1]!);
    const both = halves.get(module) ?? {};
    both[match[2] === "A" ? "a" : "b"] = name;
    halves.set(module, both);
  }
  const alphaOf = alphas(read.alpha_pattern ?? {}, read.lora_alpha, path);
  const modules = new Map<string, LoraMatrices>();
  for (const module of [...linear.keys(), ...halves.keys()]) {
    const names = halves.get(module);
    if (names === undefined || modules.has(module)) continue;
    const shape = linear.get(module);
    if (shape === undefined) throw new InputError(`${directory}: the model has no linear layer "${module}"`);
    if (names.a === undefined || names.b === undefined) {
      throw new InputError(`${directory}: "${module}" has only one of its two matrices`);
    }
    const [out, into] = shape;
    const rank = stored.tensors.get(names.a)!.shape[0] ?? 0;
    for (const [name, expected] of [
      [names.a, [rank, into]],
      [names.b, [out, rank]],
    ] as const) {
      const { shape: got } = stored.tensors.get(name)!;
      if (got.length !== 2 || got[0] !== expected[0] || got[1] !== expected[1]) {
        throw new InputError(
          `${directory}: "${name}" is [${got.join(", ")}], the model asks for [${expected.join(", ")}]`,
        );
      }
    }
    modules.set(module, {
      rank,
      scale: alphaOf(module) / (read.use_rslora === true ? Math.sqrt(rank) : rank),
      a: await stored.readFloat32(names.a),
      b: await stored.readFloat32(names.b),
    });
  }
  if (modules.size === 0) throw new InputError(`${directory}: the adapter has no matrices`);
  return {
    rank: read.r,
    alpha: read.lora_alpha,
    targets: read.target_modules,
    ...(typeof read.base_model_name_or_path === "string" && { baseModel: read.base_model_name_or_path }),
    modules,
  };
}

/** PEFT's alpha_pattern: a key is a regular expression for the end of a module's name. */
function alphas(pattern: Record<string, number>, usual: number, path: string): (module: string) => number {
  const rules = Object.entries(pattern).map(([key, alpha]) => {
    try {
      return { end: new RegExp(`^(?:.*\\.)?(?:${key})$`, "u"), alpha };
    } catch (error) {
      throw new InputError(`${path}: alpha_pattern: ${toError(error).message}`, { cause: error });
    }
  });
  return (module) => rules.find(({ end }) => end.test(module))?.alpha ?? usual;
}

/** Options of {@link saveAdapter}. */
export interface SaveAdapterOptions {
  /** @default "float32" */
  readonly dtype?: StoredDtype;
}

/**
 * Writes an adapter that PEFT opens.
 * @throws InputError when modules differ in rank or scale (write such an adapter merged), or a number does not fit the dtype.
 */
export async function saveAdapter(
  directory: string,
  adapter: LoraAdapter,
  { dtype = "float32" }: SaveAdapterOptions = {},
): Promise<void> {
  const tensors = new Map<string, StoredTensor>();
  for (const [module, { rank, scale, a, b }] of adapter.modules) {
    if (rank !== adapter.rank || Math.abs(scale * rank - adapter.alpha) > 1e-9 * adapter.alpha) {
      throw new InputError(
        `"${module}" has rank ${rank} and scale ${scale}, the adapter ${adapter.rank} and ${adapter.alpha / adapter.rank}`,
      );
    }
    const stored = DTYPE_OF[dtype];
    tensors.set(`${PREFIX}${module}.lora_A.weight`, {
      dtype: stored,
      shape: [rank, a.length / rank],
      data: a,
    });
    tensors.set(`${PREFIX}${module}.lora_B.weight`, {
      dtype: stored,
      shape: [b.length / rank, rank],
      data: b,
    });
  }
  await writeSafetensors(join(directory, "adapter_model.safetensors"), tensors);
  await writeJsonAtomic(join(directory, CONFIG_FILE), {
    alpha_pattern: {},
    base_model_name_or_path: adapter.baseModel ?? null,
    bias: "none",
    fan_in_fan_out: false,
    inference_mode: true,
    init_lora_weights: true,
    lora_alpha: adapter.alpha,
    lora_dropout: 0,
    modules_to_save: null,
    peft_type: "LORA",
    r: adapter.rank,
    rank_pattern: {},
    target_modules: adapter.targets,
    task_type: null,
    use_dora: false,
    use_rslora: false,
  });
}

/**
 * The weights with an adapter folded in: W + scale * B A. Arrays that do not change are shared with the input, which is
 * left as it is.
 * @throws InputError when the weights lack a module or it has another size.
 */
export function mergeAdapter(
  weights: Weights,
  adapter: Pick<LoraAdapter, "modules">,
): Map<string, Float32Array> {
  const merged = new Map(weights);
  for (const [module, { rank, scale, a, b }] of adapter.modules) {
    const name = `${module}.weight`;
    const base = weights.get(name);
    const out = b.length / rank;
    const into = a.length / rank;
    if (base === undefined || base.length !== out * into) {
      throw new InputError(`the weights have no "${name}" of [${out}, ${into}] for the adapter`);
    }
    const result = new Float32Array(base.length);
    const row = new Float64Array(into);
    for (let o = 0; o < out; o++) {
      row.fill(0);
      for (let k = 0; k < rank; k++) {
        const factor = b[o * rank + k]!;
        for (let i = 0; i < into; i++) row[i]! += factor * a[k * into + i]!;
      }
      for (let i = 0; i < into; i++) result[o * into + i] = base[o * into + i]! + scale * row[i]!;
    }
    merged.set(name, result);
  }
  return merged;
}
