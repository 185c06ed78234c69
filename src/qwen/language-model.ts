/** @file Qwen2.5-VL's decoder as a graph over whole sequences: for training, scoring and the prompt of a rollout. */
import {
  add,
  causalAttention,
  concat,
  gatherRows,
  lessOrEqual,
  linear,
  multiply,
  reshape,
  rmsNorm,
  rotary,
  scalar,
  silu,
  slice,
  transpose,
  where,
  type Tensor,
} from "../tensor/index.js";
import type { QwenTextConfig } from "./config.js";
import { linearLayer, type WeightSource } from "./layers.js";

const PREFIX = "model.language_model";

/**
 * What the decoder is fed: prompts, each held once, and responses that go on from one of them. All tokens lie in one
 * list of rows: prompt p's token i at `p * promptLength + i`, then response r's token j at
 * `prompts * promptLength + r * responseLength + j`; both padded on the right.
 */
export interface TextInputs {
  readonly prompts: number;
  readonly promptLength: number;
  /** 0 where there are only prompts. */
  readonly responses: number;
  readonly responseLength: number;
  /** int32 [rows] */
  readonly ids: Tensor;
  /** [rows, headDim / 2], from M-RoPE positions. */
  readonly cos: Tensor;
  readonly sin: Tensor;
  /** int32 [responses]: the prompt that each response goes on from. */
  readonly promptOf?: Tensor;
  /** [responses, 1, 1, promptLength]: 0 at the tokens of its prompt, very negative at padding; absent where no prompt is padded. */
  readonly promptMask?: Tensor;
  /** Visual tokens to be written over the embeddings, where there are images. */
  readonly visual?: {
    /** [tokens, hidden] */
    readonly features: Tensor;
    /** int32 [rows]: the feature row of each image token, 0 elsewhere. */
    readonly index: Tensor;
    /** float32 [rows, 1]: 1 at image tokens, 0 elsewhere. */
    readonly isImage: Tensor;
  };
}

/** What the decoder gives. */
export interface TextOutputs {
  /** [rows, hidden]: the embeddings, then after each layer; the last one after the final norm. */
  readonly hidden: readonly Tensor[];
  /** Keys (rotated) and values of the prompts in each layer: [prompts, kvHeads, promptLength, headDim]. */
  readonly cache: readonly { readonly key: Tensor; readonly value: Tensor }[];
}

/** The token embeddings, [vocabSize, hiddenSize]; also the output head where the two are tied. */
export function embeddingTable(config: QwenTextConfig, weights: WeightSource): Tensor {
  return weights.weight(`${PREFIX}.embed_tokens.weight`, [config.vocabSize, config.hiddenSize]);
}

function embed(config: QwenTextConfig, weights: WeightSource, inputs: TextInputs): Tensor {
  const text = gatherRows(embeddingTable(config, weights), inputs.ids);
  if (inputs.visual === undefined) return text;
  const { features, index, isImage } = inputs.visual;
  return where(lessOrEqual(scalar(0.5), isImage), gatherRows(features, index), text);
}

/** Query, key and value heads of a stretch of rows, key heads first. */
interface Heads {
  /** [sequences, kvHeads, length * group, headDim]: the queries of one key head lie together, position by position. */
  readonly queries: Tensor;
  /** [sequences, kvHeads, length, headDim] */
  readonly key: Tensor;
  readonly value: Tensor;
}

/** Builds the decoder, up to its final norm. */
export function languageModel(
  config: QwenTextConfig,
  weights: WeightSource,
  inputs: TextInputs,
): TextOutputs {
  const { prompts, promptLength, responses, responseLength, cos, sin } = inputs;
  const { hiddenSize, heads, kvHeads, headDim, rmsNormEps, intermediateSize } = config;
  const group = heads / kvHeads;
  const promptRows = prompts * promptLength;
  const rows = promptRows + responses * responseLength;
  const scale = headDim ** -0.5;
  const norm = (x: Tensor, name: string) => rmsNorm(x, weights.weight(name, [hiddenSize]), rmsNormEps);
  const turn = (x: Tensor, count: number) =>
    reshape(rotary(reshape(x, [1, rows, count * headDim]), cos, sin, count), [rows, count * headDim]);

  const split = (q: Tensor, k: Tensor, v: Tensor, from: number, sequences: number, length: number): Heads => {
    const part = (x: Tensor) => slice(x, 0, from, from + sequences * length);
    const byHead = (x: Tensor) =>
      transpose(reshape(part(x), [sequences, length, kvHeads, headDim]), [0, 2, 1, 3]);
    const grouped = transpose(
      reshape(part(q), [sequences, length, kvHeads, group, headDim]),
      [0, 2, 1, 3, 4],
    );
    return {
      queries: reshape(grouped, [sequences, kvHeads, length * group, headDim]),
      key: byHead(k),
      value: byHead(v),
    };
  };
  const join = (mixed: Tensor, sequences: number, length: number) =>
    reshape(transpose(reshape(mixed, [sequences, kvHeads, length, group, headDim]), [0, 2, 1, 3, 4]), [
      sequences * length,
      heads * headDim,
    ]);

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
    const prompt = split(q, k, v, 0, prompts, promptLength);
    cache.push({ key: prompt.key, value: prompt.value });
    const parts = [
      join(
        causalAttention(prompt.queries, prompt.key, prompt.value, { scale, group }),
        prompts,
        promptLength,
      ),
    ];
    if (responses > 0) {
      const own = split(q, k, v, promptRows, responses, responseLength);
      // Each response reads its prompt's keys and values, computed once for all that share it.
      const prefix = {
        key: gatherRows(prompt.key, inputs.promptOf!),
        value: gatherRows(prompt.value, inputs.promptOf!),
        ...(inputs.promptMask && { mask: inputs.promptMask }),
      };
      const mixed = causalAttention(own.queries, own.key, own.value, { scale, group, prefix });
      parts.push(join(mixed, responses, responseLength));
    }
    x = add(
      x,
      linearLayer(weights, `${name}.self_attn.o_proj`, concat(parts, 0), hiddenSize, { bias: false }),
    );

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
