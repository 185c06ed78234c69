/**
 * @file What a vision-language model takes on a server's GPUs, by the shapes in its config.json: arithmetic for SkyRL's FSDP
 * backend with vLLM, each term with its formula. Nothing of it was measured; allocators and kernels come on top.
 */
import { join } from "node:path";
import { z } from "zod";
import { InputError } from "../base/errors.js";
import { loadConfig } from "../qwen/config.js";
import { readJsonIfAny } from "../qwen/files.js";
import { parameterShapes } from "../qwen/parameters.js";
import { count, readWith } from "../qwen/schema.js";
import type { Recipe } from "./recipe-schema.js";

/** Sizes of a model that its memory follows from. */
export interface ServerShape {
  /** Numbers in the language model, its embedding and head included, and in the vision tower with its mergers. */
  readonly parameters: { readonly language: number; readonly vision: number };
  readonly layers: number;
  readonly hidden: number;
  readonly intermediate: number;
  /** heads * headDim and kvHeads * headDim. */
  readonly queries: number;
  readonly keys: number;
  readonly vocabulary: number;
}

const qwen3Schema = z.looseObject({
  tie_word_embeddings: z.boolean().default(false),
  text_config: z.looseObject({
    vocab_size: count,
    hidden_size: count,
    intermediate_size: count,
    num_hidden_layers: count,
    num_attention_heads: count,
    num_key_value_heads: count,
    head_dim: count,
  }),
  vision_config: z.looseObject({
    depth: count,
    hidden_size: count,
    intermediate_size: count,
    patch_size: count,
    temporal_patch_size: count,
    spatial_merge_size: count,
    in_channels: count.default(3),
    out_hidden_size: count,
    num_position_embeddings: count,
    deepstack_visual_indexes: z.array(z.int()),
  }),
});

/** A linear layer with its bias. */
const linear = (out: number, into: number): number => out * into + out;

/** Qwen3-VL (dense): RMSNorm over heads and no biases in the decoder; LayerNorm, positions and DeepStack mergers in the tower. */
function qwen3Shape(config: unknown, where: string): ServerShape {
  const { text_config: text, vision_config: vision, ...rest } = readWith(qwen3Schema, config, where);
  const { hidden_size: hidden, intermediate_size: intermediate, vocab_size: vocabulary } = text;
  const queries = text.num_attention_heads * text.head_dim;
  const keys = text.num_key_value_heads * text.head_dim;
  const layer =
    2 * queries * hidden + 2 * keys * hidden + 3 * intermediate * hidden + 2 * text.head_dim + 2 * hidden;
  const embeddings = (rest.tie_word_embeddings ? 1 : 2) * vocabulary * hidden;
  const width = vision.hidden_size;
  const patch = vision.in_channels * vision.temporal_patch_size * vision.patch_size ** 2;
  const block =
    4 * width +
    linear(3 * width, width) +
    linear(width, width) +
    linear(vision.intermediate_size, width) +
    linear(width, vision.intermediate_size);
  const merged = width * vision.spatial_merge_size ** 2;
  const merger = linear(merged, merged) + linear(vision.out_hidden_size, merged);
  return {
    parameters: {
      language: embeddings + text.num_hidden_layers * layer + hidden,
      vision:
        linear(width, patch) +
        vision.num_position_embeddings * width +
        vision.depth * block +
        // The last merger normalises before patches are joined, those of DeepStack after.
        (merger + 2 * width) +
        vision.deepstack_visual_indexes.length * (merger + 2 * merged),
    },
    layers: text.num_hidden_layers,
    hidden,
    intermediate,
    queries,
    keys,
    vocabulary,
  };
}

/** The shape of a model folder: Qwen2.5-VL or dense Qwen3-VL. @throws InputError for another, or a config.json that is broken. */
export async function loadServerShape(directory: string): Promise<ServerShape> {
  const where = join(directory, "config.json");
  const config = await readJsonIfAny(where);
  const type = (config as { readonly model_type?: unknown } | undefined)?.model_type;
  if (type === "qwen3_vl") return qwen3Shape(config, where);
  if (type !== "qwen2_5_vl")
    throw new InputError(
      `${where}: memory can be planned for qwen2_5_vl and qwen3_vl, not "${String(type)}"`,
    );
  const qwen = await loadConfig(directory);
  let [language, vision] = [0, 0];
  for (const [name, shape] of parameterShapes(qwen)) {
    const size = shape.reduce((product, side) => product * side, 1);
    if (name.includes("visual.")) vision += size;
    else language += size;
  }
  const { text } = qwen;
  return {
    parameters: { language, vision },
    layers: text.layers,
    hidden: text.hiddenSize,
    intermediate: text.intermediateSize,
    queries: text.heads * text.headDim,
    keys: text.kvHeads * text.headDim,
    vocabulary: text.vocabSize,
  };
}

/** Numbers in LoRA adapters of a rank on every linear layer of the decoder. */
export function adapterNumbers(
  { layers, hidden, intermediate, queries, keys }: ServerShape,
  rank: number,
): number {
  return layers * rank * (2 * (hidden + queries) + 2 * (hidden + keys) + 3 * (hidden + intermediate));
}

/** Bytes on one GPU. Trainer and sampler stand beside each other where they share GPUs and neither sleeps. */
export interface PlanServer {
  readonly gpus: number;
  readonly parameters: number;
  readonly trained: number;
  readonly trainer: {
    /** bf16, a share on each GPU. */
    readonly weights: number;
    /** fp32 value, gradient and two moments of what is trained, a share on each GPU. */
    readonly optimizer: number;
    /** bf16, the largest piece that is put together for its turn: a layer, or the embedding. */
    readonly gathered: number;
    /** One sequence with gradient checkpointing: the input of each layer, and the inside of one. */
    readonly activations: number;
    /** fp32 scores over the vocabulary and their gradient, one sequence. */
    readonly logits: number;
    readonly total: number;
  };
  readonly sampler: {
    /** bf16, whole on each GPU. */
    readonly weights: number;
    /** bf16 keys and values of the sequences under way on one GPU. */
    readonly cache: number;
    readonly total: number;
  };
}

const HALF = 2;
const FULL = 4;

/**
 * Memory of one GPU of several.
 * @param lengths The longest prompt and response, tokens.
 */
export function planServer(
  shape: ServerShape,
  recipe: Recipe,
  lengths: { readonly prompt: number; readonly response: number },
  gpus: number,
): PlanServer {
  const { layers, hidden, intermediate, queries, keys, vocabulary } = shape;
  const parameters = shape.parameters.language + shape.parameters.vision;
  const { trainable } = recipe;
  const trained = trainable.kind === "lora" ? adapterNumbers(shape, trainable.rank) : parameters;
  const sequence = lengths.prompt + lengths.response;
  const layer = 2 * hidden * queries + 2 * hidden * keys + 3 * hidden * intermediate;
  const inside = 5 * hidden + queries + 2 * keys + 3 * intermediate;
  const responses =
    recipe.kind === "grpo" ? recipe.grpo.imagesPerStep * recipe.grpo.groupSize : recipe.evaluation.batchSize;
  const trainer = {
    weights: (HALF * parameters) / gpus,
    optimizer: (4 * FULL * trained) / gpus,
    gathered: HALF * Math.max(layer, vocabulary * hidden),
    activations: HALF * sequence * (layers * hidden + inside),
    logits: 2 * FULL * sequence * vocabulary,
  };
  const sampler = {
    weights: HALF * parameters,
    cache: HALF * Math.ceil(responses / gpus) * sequence * layers * 2 * keys,
  };
  const sum = (parts: Readonly<Record<string, number>>): number =>
    Object.values(parts).reduce((total, bytes) => total + bytes, 0);
  return {
    gpus,
    parameters,
    trained,
    trainer: { ...trainer, total: sum(trainer) },
    sampler: { ...sampler, total: sum(sampler) },
  };
}
