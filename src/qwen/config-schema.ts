/** @file The keys of a Qwen2.5-VL config.json that matter here, what they may be, and what stands for those left out. */
import { z } from "zod";
import { count, tokenId } from "./schema.js";

/** The vision tower's rotary base; fixed in the published code. */
export const VISION_ROPE_THETA = 10000;

const rope = z.looseObject({
  mrope_section: z.tuple([count, count, count]),
  rope_theta: z.number().positive().optional(),
  rope_type: z.string().optional(),
  type: z.string().optional(),
});
const idOrIds = z.union([tokenId, z.array(tokenId).nonempty()]);

/** The decoder's keys, nested or at the top. */
export const textSchema = z.looseObject({
  vocab_size: count,
  hidden_size: count,
  intermediate_size: count,
  num_hidden_layers: count,
  num_attention_heads: count,
  num_key_value_heads: count,
  head_dim: count.nullish(),
  hidden_act: z.literal("silu").default("silu"),
  // The default of transformers' class; the published files say 1e-6.
  rms_norm_eps: z.number().positive().default(1e-5),
  rope_parameters: rope.nullish(),
  rope_scaling: rope.nullish(),
  rope_theta: z.number().positive().nullish(),
  max_position_embeddings: count.default(32768),
  use_sliding_window: z.literal(false).default(false),
  tie_word_embeddings: z.boolean().nullish(),
  bos_token_id: tokenId.nullish(),
  eos_token_id: idOrIds.nullish(),
  pad_token_id: tokenId.nullish(),
});

const visionSchema = z.looseObject({
  depth: count,
  hidden_size: count,
  intermediate_size: count,
  num_heads: count,
  patch_size: count,
  spatial_merge_size: count,
  temporal_patch_size: count.default(2),
  in_channels: count.optional(),
  in_chans: count.optional(),
  hidden_act: z.literal("silu").default("silu"),
  window_size: count,
  fullatt_block_indexes: z.array(z.int().nonnegative()),
  out_hidden_size: count,
  // The default of transformers' class; the published files say 2.
  tokens_per_second: z.number().positive().default(4),
  rope_parameters: z
    .looseObject({ rope_theta: z.literal(VISION_ROPE_THETA).default(VISION_ROPE_THETA) })
    .nullish(),
});

/** The keys at the top. */
export const rootSchema = z.looseObject({
  model_type: z.string(),
  text_config: z.record(z.string(), z.unknown()).nullish(),
  vision_config: visionSchema,
  tie_word_embeddings: z.boolean().nullish(),
  quantization_config: z
    .null("quantised weights are not supported; use an fp32, bf16 or fp16 checkpoint")
    .optional(),
  image_token_id: tokenId,
  video_token_id: tokenId,
  vision_start_token_id: tokenId,
  vision_end_token_id: tokenId,
});
