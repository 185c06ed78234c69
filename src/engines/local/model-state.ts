/** @file The weights an engine holds: frozen ones, trained ones, and a LoRA adapter. */
import { InputError } from "../../base/errors.js";
import { createRng, deriveSeed } from "../../base/rng.js";
import type { QwenConfig } from "../../qwen/config.js";
import { loraNames, type LoraLayer } from "../../qwen/layers.js";
import { linearModules, resolveTargets, type LoraTargets } from "../../qwen/lora-targets.js";
import { parameterShapes } from "../../qwen/parameters.js";
import { mergeAdapter, type LoraAdapter, type LoraMatrices } from "../../qwen/peft.js";

interface LoraBase {
  readonly kind: "lora";
  readonly rank: number;
  /** The addition is scaled by alpha / rank. */
  readonly alpha: number;
}

/** What is trained. */
export type Trainable =
  | { readonly kind: "full"; /** @default false */ readonly freezeVision?: boolean }
  | (LoraBase & {
      /** Linear layers that get an adapter, by PEFT's rules. */
      readonly targets: LoraTargets;
      /** Layers of the vision tower get none, whatever the targets say. @default false */
      readonly freezeVision?: boolean;
    })
  | (LoraBase & {
      /** Whole names of the adapted layers ("model.language_model.layers.0.mlp.up_proj"): targets already resolved. */
      readonly modules: readonly string[];
    });

/** What a LoRA run was asked for, and so what PEFT's adapter_config.json says. */
export type LoraSettings = Pick<LoraAdapter, "rank" | "alpha" | "targets">;

/** Weights by canonical name; adapter matrices beside them under PEFT's names. */
export interface ModelState {
  readonly weights: Map<string, Float32Array>;
  readonly adapters: ReadonlyMap<string, LoraLayer>;
  /** Present where adapters are. */
  readonly lora?: LoraSettings;
  /** Names in `weights` that the optimiser moves. */
  readonly trainable: ReadonlySet<string>;
}

/** Whether a weight, or an adapter's matrix under PEFT's name, belongs to the vision tower. */
export const isVisionName = (name: string) => name.includes("model.visual.");

const VISION_MODULES = "model\\.visual\\..*";

type LoraTrainable = Exclude<Trainable, { kind: "full" }>;

/** The modules that get adapters, and the targets that name exactly those to PEFT. */
function resolveModules(
  config: QwenConfig,
  trainable: LoraTrainable,
): { readonly modules: readonly string[]; readonly targets: LoraTargets } {
  if ("modules" in trainable) {
    const linear = linearModules(config);
    const strange = trainable.modules.find((module) => !linear.has(module));
    if (strange !== undefined) {
      throw new InputError(`LoRA: the model has no linear layer "${strange}"`, {
        hint: "Name modules as transformers does, e.g. model.language_model.layers.0.self_attn.q_proj.",
      });
    }
    return { modules: trainable.modules, targets: trainable.modules };
  }
  const { targets, freezeVision = false } = trainable;
  const all = resolveTargets(targets, config);
  const modules = freezeVision ? resolveTargets(targets, config, VISION_MODULES) : all;
  // What was left out must not come back when PEFT resolves the targets by itself.
  return { modules, targets: modules.length === all.length ? targets : modules };
}

/**
 * The modules that get adapters, and the targets that name exactly those to PEFT. Needs no weights, so that a wrong
 * recipe shows before a large model is read.
 *
 * @throws InputError where targets name no layer that could be adapted, or the rank is no positive integer.
 */
export function adaptedModules(config: QwenConfig, trainable: LoraTrainable) {
  const { rank, alpha } = trainable;
  if (!Number.isInteger(rank) || rank < 1 || !(alpha > 0)) {
    throw new InputError(`LoRA: rank ${rank} and alpha ${alpha} must be positive, the rank an integer`);
  }
  const resolved = resolveModules(config, trainable);
  if (resolved.modules.length === 0) throw new InputError("LoRA: no layer is left to adapt");
  return resolved;
}

/**
 * The state at the start of a run; new adapters are made as PEFT makes them (A uniform, B zero).
 *
 * @throws InputError as {@link adaptedModules} does.
 */
export function createModelState(
  config: QwenConfig,
  base: ReadonlyMap<string, Float32Array>,
  trainable: Trainable,
  seed: number,
): ModelState {
  const weights = new Map(base);
  if (trainable.kind === "full") {
    const names = [...base.keys()].filter((name) => !(trainable.freezeVision && isVisionName(name)));
    return { weights, adapters: new Map(), trainable: new Set(names) };
  }
  const { rank, alpha } = trainable;
  const { modules, targets } = adaptedModules(config, trainable);
  const shapes = linearModules(config);
  const adapters = new Map<string, LoraLayer>();
  const names = new Set<string>();
  for (const module of modules) {
    const [out, width] = shapes.get(module)!;
    adapters.set(module, { rank, scale: alpha / rank });
    const { a, b } = loraNames(module);
    const rng = createRng(deriveSeed(seed, "lora", module));
    const bound = 1 / Math.sqrt(width);
    weights.set(
      a,
      Float32Array.from({ length: rank * width }, () => rng.uniform(-bound, bound)),
    );
    weights.set(b, new Float32Array(out * rank));
    names.add(a).add(b);
  }
  return { weights, adapters, lora: { rank, alpha, targets }, trainable: names };
}

/** The adapter's matrices by module: the arrays of the state, not copies. */
export function adapterMatrices(state: ModelState): Map<string, LoraMatrices> {
  return new Map(
    [...state.adapters].map(([module, layer]) => {
      const names = loraNames(module);
      return [module, { ...layer, a: state.weights.get(names.a)!, b: state.weights.get(names.b)! }];
    }),
  );
}

/** The model's weights with any adapter folded in; what does not change is shared, not copied. */
export function mergedWeights(config: QwenConfig, state: ModelState): Map<string, Float32Array> {
  const shapes = parameterShapes(config);
  const own = new Map([...state.weights].filter(([name]) => shapes.has(name)));
  return mergeAdapter(own, { modules: adapterMatrices(state) });
}

/** A copy that later optimiser steps do not touch; frozen arrays are shared. */
export function snapshot(
  state: ModelState,
  weights: ReadonlyMap<string, Float32Array>,
): Map<string, Float32Array> {
  const moving = new Set([...state.trainable].map((name) => state.weights.get(name)));
  return new Map([...weights].map(([name, value]) => [name, moving.has(value) ? value.slice() : value]));
}
