/** @file One decoding step of the decoder as a graph: a token a row against a cache of the tokens before it. */
import {
  add,
  concat,
  gatherRows,
  linear,
  multiply,
  operation,
  reshape,
  rmsNorm,
  rotary,
  silu,
  slice,
  input,
  type Tensor,
} from "../tensor/index.js";
import type { QwenTextConfig } from "./config.js";
import { embeddingTable, languageHead } from "./language-model.js";
import type { WeightSource } from "./layers.js";

const PREFIX = "model.language_model";

/** Names of a layer's cache on both sides of a step; `newKey` and `newValue` are the appended token's part of it. */
export function cacheNames(layer: number) {
  return {
    pastKey: `past_key_${layer}`,
    pastValue: `past_value_${layer}`,
    presentKey: `present_key_${layer}`,
    presentValue: `present_value_${layer}`,
    newKey: `new_key_${layer}`,
    newValue: `new_value_${layer}`,
  } as const;
}

/** What a step is fed beside the cache. */
export interface DecodeInputs {
  readonly batch: number;
  /** int32 [batch]: the tokens to append. */
  readonly ids: Tensor;
  /** [batch, headDim / 2] */
  readonly cos: Tensor;
  readonly sin: Tensor;
  /** int32 [batch]: how many tokens each row's cache holds already. */
  readonly lengths: Tensor;
  /** int32 [1]: the largest length, with the new token. */
  readonly total: Tensor;
}

/** What a step gives. */
export interface DecodeOutputs {
  /** [batch, vocabSize] */
  readonly logits: Tensor;
  /**
   * The cache after the step, by the names of {@link cacheNames}: all of it, [batch, kvHeads, capacity, headDim], or the
   * appended tokens alone, [batch, 1, kvHeads * headDim].
   */
  readonly cache: Readonly<Record<string, Tensor>>;
}

/** What of the cache a step gives back: all of it (`present`), or the appended tokens (`new`). */
export type CacheOutput = "present" | "new";

/** Builds a step for caches of [batch, kvHeads, capacity, headDim]. */
export function decodeStep(
  config: QwenTextConfig,
  weights: WeightSource,
  inputs: DecodeInputs,
  capacity: number,
  output: CacheOutput,
): DecodeOutputs {
  const { batch } = inputs;
  const { hiddenSize, heads, kvHeads, headDim, rmsNormEps, intermediateSize } = config;
  const norm = (x: Tensor, name: string) => rmsNorm(x, weights.weight(name, [hiddenSize]), rmsNormEps);
  const columns = (x: Tensor, from: number, count: number) => slice(x, 1, from, from + count);
  const cache: Record<string, Tensor> = {};
  const cacheShape = [batch, kvHeads, capacity, headDim];

  let x = gatherRows(embeddingTable(config, weights), inputs.ids);
  for (let index = 0; index < config.layers; index++) {
    const name = `${PREFIX}.layers.${index}`;
    const names = cacheNames(index);
    const h = norm(x, `${name}.input_layernorm.weight`);
    // One product for q, k and v. The joined weight is folded to a constant when the weights are bound.
    const sizes = [heads, kvHeads, kvHeads].map((count) => count * headDim);
    const projections = ["q_proj", "k_proj", "v_proj"].map((which) => `${name}.self_attn.${which}`);
    const weight = concat(
      projections.map((p, i) => weights.weight(`${p}.weight`, [sizes[i]!, hiddenSize])),
      0,
    );
    const bias = concat(
      projections.map((p, i) => weights.weight(`${p}.bias`, [sizes[i]!])),
      0,
    );
    const qkv = linear(h, weight, bias);
    const rotated = (heads + kvHeads) * headDim;
    const qk = rotary(
      reshape(columns(qkv, 0, rotated), [batch, 1, rotated]),
      inputs.cos,
      inputs.sin,
      heads + kvHeads,
    );
    const key = slice(qk, 2, heads * headDim, rotated);
    const value = reshape(columns(qkv, rotated, kvHeads * headDim), [batch, 1, kvHeads * headDim]);
    const [mixed, presentKey, presentValue] = operation({
      name: "groupQueryAttention",
      inputs: [
        slice(qk, 2, 0, heads * headDim),
        key,
        value,
        input(names.pastKey, cacheShape),
        input(names.pastValue, cacheShape),
        inputs.lengths,
        inputs.total,
      ],
      outputs: [{ shape: [batch, 1, heads * headDim] }, { shape: cacheShape }, { shape: cacheShape }],
      node: {
        opType: "GroupQueryAttention",
        domain: "com.microsoft",
        attributes: { num_heads: { int: heads }, kv_num_heads: { int: kvHeads }, do_rotary: { int: 0 } },
      },
    });
    if (output === "present") {
      cache[names.presentKey] = presentKey!;
      cache[names.presentValue] = presentValue!;
    } else {
      cache[names.newKey] = key;
      cache[names.newValue] = value;
    }
    const attended = reshape(mixed!, [batch, heads * headDim]);
    x = add(
      x,
      linear(attended, weights.weight(`${name}.self_attn.o_proj.weight`, [hiddenSize, heads * headDim])),
    );

    const h2 = norm(x, `${name}.post_attention_layernorm.weight`);
    const gateUp = linear(
      h2,
      concat(
        ["gate_proj", "up_proj"].map((p) =>
          weights.weight(`${name}.mlp.${p}.weight`, [intermediateSize, hiddenSize]),
        ),
        0,
      ),
    );
    const gated = multiply(
      silu(columns(gateUp, 0, intermediateSize)),
      columns(gateUp, intermediateSize, intermediateSize),
    );
    x = add(x, linear(gated, weights.weight(`${name}.mlp.down_proj.weight`, [hiddenSize, intermediateSize])));
  }
  const logits = languageHead(config, weights, norm(x, `${PREFIX}.norm.weight`));
  return { logits, cache };
}
