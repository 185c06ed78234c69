/** @file Qwen2.5-VL's decoder as a graph over whole sequences: for training, scoring and the prompt of a rollout. */
import {
  add,
  causalAttention,
  gatherRows,
  lessOrEqual,
  linear,
  multiply,
  reshape,
  rmsNorm,
  rotary,
  scalar,
  silu,
  transpose,
  where,
  type Tensor,
} from "../tensor/index.js";
import type { QwenTextConfig } from "./config.js";
import { linearLayer, type WeightSource } from "./layers.js";

const PREFIX = "model.language_model";

/** What the decoder is fed: `batch` rows of `length` tokens, padded on the right. */
export interface TextInputs {
  readonly batch: number;
  readonly length: number;
  /** int32 [batch * length] */
  readonly ids: Tensor;
  /** [batch * length, headDim / 2], from M-RoPE positions. */
  readonly cos: Tensor;
  readonly sin: Tensor;
  /** Visual tokens to be written over the embeddings, where there are images. */
  readonly visual?: {
    /** [tokens, hidden] */
    readonly features: Tensor;
    /** int32 [batch * length]: the feature row of each image token, 0 elsewhere. */
    readonly index: Tensor;
    /** float32 [batch * length, 1]: 1 at image tokens, 0 elsewhere. */
    readonly isImage: Tensor;
  };
}

/** What the decoder gives. */
export interface TextOutputs {
  /** [batch * length, hidden]: the embeddings, then after each layer; the last one after the final norm. */
  readonly hidden: readonly Tensor[];
  /** Keys (rotated) and values of each layer: [batch, kvHeads, length, headDim]. */
  readonly cache: readonly { readonly key: Tensor; readonly value: Tensor }[];
}

export function embeddingTable(config: QwenTextConfig, weights: WeightSource): Tensor {
  return weights.weight(`${PREFIX}.embed_tokens.weight`, [config.vocabSize, config.hiddenSize]);
}

function embed(config: QwenTextConfig, weights: WeightSource, inputs: TextInputs): Tensor {
  const text = gatherRows(embeddingTable(config, weights), inputs.ids);
  if (inputs.visual === undefined) return text;
  const { features, index, isImage } = inputs.visual;
  return where(lessOrEqual(scalar(0.5), isImage), gatherRows(features, index), text);
}

/** Builds the decoder, up to its final norm. */
export function languageModel(
  config: QwenTextConfig,
  weights: WeightSource,
  inputs: TextInputs,
): TextOutputs {
  const { batch, length, cos, sin } = inputs;
  const { hiddenSize, heads, kvHeads, headDim, rmsNormEps, intermediateSize } = config;
  const group = heads / kvHeads;
  const rows = batch * length;
  const norm = (x: Tensor, name: string) => rmsNorm(x, weights.weight(name, [hiddenSize]), rmsNormEps);
  const turn = (x: Tensor, count: number) =>
    rotary(reshape(x, [batch, length, count * headDim]), cos, sin, count);

  let x = embed(config, weights, inputs);
  const hidden = [x];
  const cache: { key: Tensor; value: Tensor }[] = [];
  for (let index = 0; index < config.layers; index++) {
    const name = `${PREFIX}.layers.${index}`;
    const h = norm(x, `${name}.input_layernorm.weight`);
    const project = (which: string, count: number) =>
      linearLayer(weights, `${name}.self_attn.${which}`, h, count * headDim, { bias: true });
    const q = turn(project("q_proj", heads), heads);
    const k = turn(project("k_proj", kvHeads), kvHeads);
    const v = project("v_proj", kvHeads);
    // Rows of one key head lie together, position by position, so that its queries are one matrix.
    const queries = reshape(
      transpose(reshape(q, [batch, length, kvHeads, group, headDim]), [0, 2, 1, 3, 4]),
      [batch, kvHeads, length * group, headDim],
    );
    const byHead = (t: Tensor) => transpose(reshape(t, [batch, length, kvHeads, headDim]), [0, 2, 1, 3]);
    const key = byHead(k);
    const value = byHead(v);
    cache.push({ key, value });
    const mixed = causalAttention(queries, key, value, { scale: headDim ** -0.5, group });
    const joined = reshape(
      transpose(reshape(mixed, [batch, kvHeads, length, group, headDim]), [0, 2, 1, 3, 4]),
      [rows, heads * headDim],
    );
    x = add(x, linearLayer(weights, `${name}.self_attn.o_proj`, joined, hiddenSize, { bias: false }));

    const h2 = norm(x, `${name}.post_attention_layernorm.weight`);
    const mlp = (which: string, input: Tensor, out: number) =>
      linearLayer(weights, `${name}.mlp.${which}`, input, out, { bias: false });
    const gated = multiply(
      silu(mlp("gate_proj", h2, intermediateSize)),
      mlp("up_proj", h2, intermediateSize),
    );
    x = add(x, mlp("down_proj", gated, hiddenSize));
    hidden.push(x);
  }
  const last = norm(x, `${PREFIX}.norm.weight`);
  hidden[hidden.length - 1] = last;
  return { hidden, cache };
}

/** Logits of some rows of the final hidden states: [rows, vocabSize]. */
export function languageHead(config: QwenTextConfig, weights: WeightSource, hidden: Tensor): Tensor {
  const head = config.tieWordEmbeddings
    ? embeddingTable(config, weights)
    : weights.weight("lm_head.weight", [config.vocabSize, config.hiddenSize]);
  return linear(hidden, head);
}
