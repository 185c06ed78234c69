/** @file The weights an engine holds: frozen ones, trained ones, and LoRA adapters. */
import { InputError } from "../../base/errors.js";
import { createRng, deriveSeed } from "../../base/rng.js";
import type { QwenConfig } from "../../qwen/config.js";
import { loraNames, type LoraLayer } from "../../qwen/layers.js";
import { parameterShapes } from "../../qwen/parameters.js";

/** What is trained. */
export type Trainable =
  | { readonly kind: "full"; /** @default false */ readonly freezeVision?: boolean }
  | {
      readonly kind: "lora";
      readonly rank: number;
      readonly alpha: number;
      /** Names of the adapted linear modules, canonical ("model.language_model.layers.0.mlp.up_proj"). */
      readonly modules: readonly string[];
    };

/** Weights by canonical name; adapter matrices beside them under PEFT's names. */
export interface ModelState {
  readonly weights: Map<string, Float32Array>;
  readonly adapters: ReadonlyMap<string, LoraLayer>;
  /** Names in `weights` that the optimiser moves. */
  readonly trainable: ReadonlySet<string>;
}

export const isVisionName = (name: string) => name.includes("model.visual.");

/** The state at the start of a run; new adapters are made as PEFT makes them (A uniform, B zero). */
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
  const shapes = parameterShapes(config);
  const adapters = new Map<string, LoraLayer>();
  const names = new Set<string>();
  for (const module of trainable.modules) {
    const shape = shapes.get(`${module}.weight`);
    if (shape?.length !== 2) {
      throw new InputError(`LoRA: the model has no linear layer "${module}"`, {
        hint: "Name modules as transformers does, e.g. model.language_model.layers.0.self_attn.q_proj.",
      });
    }
    const [out, width] = shape as [number, number];
    adapters.set(module, { rank: trainable.rank, scale: trainable.alpha / trainable.rank });
    const { a, b } = loraNames(module);
    const rng = createRng(deriveSeed(seed, "lora", module));
    const bound = 1 / Math.sqrt(width);
    weights.set(
      a,
      Float32Array.from({ length: trainable.rank * width }, () => rng.uniform(-bound, bound)),
    );
    weights.set(b, new Float32Array(out * trainable.rank));
    names.add(a).add(b);
  }
  return { weights, adapters, trainable: names };
}

/** W + scale * B A for every adapted module; other weights are shared, not copied. */
export function mergedWeights(config: QwenConfig, state: ModelState): Map<string, Float32Array> {
  const shapes = parameterShapes(config);
  const merged = new Map<string, Float32Array>();
  for (const [name, value] of state.weights) if (shapes.has(name)) merged.set(name, value);
  for (const [module, { rank, scale }] of state.adapters) {
    const { a, b } = loraNames(module);
    const name = `${module}.weight`;
    const [out, width] = shapes.get(name) as [number, number];
    const up = state.weights.get(b)!;
    const down = state.weights.get(a)!;
    const sum = state.weights.get(name)!.slice();
    for (let row = 0; row < out; row++) {
      for (let r = 0; r < rank; r++) {
        const factor = scale * up[row * rank + r]!;
        if (factor === 0) continue;
        for (let column = 0; column < width; column++) {
          sum[row * width + column]! += factor * down[r * width + column]!;
        }
      }
    }
    merged.set(name, sum);
  }
  return merged;
}

/** A copy that later optimiser steps do not touch; frozen arrays are shared. */
export function snapshot(
  state: ModelState,
  weights: ReadonlyMap<string, Float32Array>,
): Map<string, Float32Array> {
  const moving = new Set([...state.trainable].map((name) => state.weights.get(name)));
  return new Map([...weights].map(([name, value]) => [name, moving.has(value) ? value.slice() : value]));
}
