/**
 * @file What config.json says about a Qwen2.5-VL model, read from both published layouts: nested (`text_config` with
 * `rope_parameters`, transformers 5) and flat (`rope_scaling`, the files on the hub).
 */
import { join } from "node:path";
import { z } from "zod";
import { InputError } from "../base/errors.js";
import { rootSchema, textSchema } from "./config-schema.js";
import { readJsonIfAny } from "./files.js";
import { loadGenerationConfig } from "./generation-config.js";
import { readWith } from "./schema.js";

export { VISION_ROPE_THETA } from "./config-schema.js";

/** The decoder. */
export interface QwenTextConfig {
  readonly vocabSize: number;
  readonly hiddenSize: number;
  readonly intermediateSize: number;
  readonly layers: number;
  readonly heads: number;
  readonly kvHeads: number;
  /** hiddenSize / heads. */
  readonly headDim: number;
  readonly rmsNormEps: number;
  readonly ropeTheta: number;
  /** How many of the headDim / 2 rotary frequencies turn with time, height and width, in this order. */
  readonly mropeSection: readonly [number, number, number];
  /** Whether the output head is the embedding matrix; no `lm_head.weight` is stored then. */
  readonly tieWordEmbeddings: boolean;
  readonly maxPositions: number;
}

/** The vision tower. */
export interface QwenVisionConfig {
  readonly depth: number;
  readonly hiddenSize: number;
  readonly intermediateSize: number;
  readonly heads: number;
  /** Side of a patch in pixels. */
  readonly patchSize: number;
  /** Patches along the side of one merged token. */
  readonly mergeSize: number;
  readonly temporalPatchSize: number;
  readonly inChannels: number;
  /** Side of an attention window in pixels. */
  readonly windowSize: number;
  /** Indices of the blocks that attend over a whole frame. */
  readonly fullAttentionBlocks: readonly number[];
  /** Width of the merged tokens: the decoder's hiddenSize. */
  readonly outHiddenSize: number;
  readonly tokensPerSecond: number;
}

/** Token ids the model itself knows. */
export interface QwenTokenIds {
  readonly image: number;
  readonly video: number;
  readonly visionStart: number;
  readonly visionEnd: number;
  /** Every id that ends a response. */
  readonly eos: readonly number[];
  readonly pad: number;
  readonly bos: number;
}

/** A Qwen2.5-VL model's whole configuration. */
export interface QwenConfig {
  readonly text: QwenTextConfig;
  readonly vision: QwenVisionConfig;
  readonly tokens: QwenTokenIds;
}

const MODEL_TYPES = ["qwen2_5_vl"];

/**
 * A config.json's content as a QwenConfig.
 * @param where Name of the file for messages. @default "config.json"
 * @throws InputError naming the key when the model is of another type, a value is missing or not supported, or
 * values contradict each other.
 */
export function parseConfig(json: unknown, where = "config.json"): QwenConfig {
  const type = readWith(z.looseObject({ model_type: z.string() }), json, where).model_type;
  if (!MODEL_TYPES.includes(type)) {
    throw new InputError(`${where}: model_type: "${type}" is not supported`, {
      hint: `Supported: ${MODEL_TYPES.join(", ")} (Qwen2.5-VL).`,
    });
  }
  const root = readWith(rootSchema, json, where);
  // Transformers 4.52 to 4.57 write some keys of the decoder at the top and the rest nested.
  const section = root.text_config ?? undefined;
  const nested = section !== undefined;
  const text = readWith(
    textSchema,
    nested ? { ...root, ...withoutNulls(section) } : root,
    nested ? `${where}: text_config` : where,
  );
  const vision = root.vision_config;
  const at = nested ? `${where}: text_config.` : `${where}: `;
  const ropeKey = text.rope_parameters ? "rope_parameters" : "rope_scaling";
  const ropeValues = text.rope_parameters ?? text.rope_scaling;
  const ropeTheta = ropeValues?.rope_theta ?? text.rope_theta;
  if (!ropeValues || !ropeTheta) {
    throw new InputError(`${at}${ropeKey}: mrope_section and rope_theta are needed`, {
      hint: 'As in {"rope_theta": 1000000.0, "rope_scaling": {"type": "mrope", "mrope_section": [16, 24, 24]}}.',
    });
  }
  for (const key of ["rope_type", "type"] as const) {
    const value = ropeValues[key];
    if (value !== undefined && value !== "mrope" && value !== "default") {
      throw new InputError(`${at}${ropeKey}.${key}: "${value}" is not supported`, {
        hint: 'Only plain rotary positions are: "default" or "mrope", without scaling.',
      });
    }
  }
  const eos = text.eos_token_id ?? [];
  const eosIds = typeof eos === "number" ? [eos] : eos;
  // Qwen uses one token, <|endoftext|>, both to begin and to pad.
  const bos = text.bos_token_id ?? text.pad_token_id ?? eosIds[0] ?? 0;
  const config: QwenConfig = {
    text: {
      vocabSize: text.vocab_size,
      hiddenSize: text.hidden_size,
      intermediateSize: text.intermediate_size,
      layers: text.num_hidden_layers,
      heads: text.num_attention_heads,
      kvHeads: text.num_key_value_heads,
      headDim: text.head_dim ?? text.hidden_size / text.num_attention_heads,
      rmsNormEps: text.rms_norm_eps,
      ropeTheta,
      mropeSection: ropeValues.mrope_section,
      tieWordEmbeddings: root.tie_word_embeddings ?? text.tie_word_embeddings ?? false,
      maxPositions: text.max_position_embeddings,
    },
    vision: {
      depth: vision.depth,
      hiddenSize: vision.hidden_size,
      intermediateSize: vision.intermediate_size,
      heads: vision.num_heads,
      patchSize: vision.patch_size,
      mergeSize: vision.spatial_merge_size,
      temporalPatchSize: vision.temporal_patch_size,
      inChannels: vision.in_channels ?? vision.in_chans ?? 3,
      windowSize: vision.window_size,
      fullAttentionBlocks: vision.fullatt_block_indexes,
      outHiddenSize: vision.out_hidden_size,
      tokensPerSecond: vision.tokens_per_second,
    },
    tokens: {
      image: root.image_token_id,
      video: root.video_token_id,
      visionStart: root.vision_start_token_id,
      visionEnd: root.vision_end_token_id,
      eos: eosIds,
      pad: text.pad_token_id ?? bos,
      bos,
    },
  };
  checkConfig(config, where);
  return config;
}

/**
 * Refuses values that contradict each other.
 * @throws InputError naming the keys.
 */
export function checkConfig({ text, vision, tokens }: QwenConfig, where = "config.json"): void {
  const need = (holds: boolean, message: string): void => {
    if (!holds) throw new InputError(`${where}: ${message}`);
  };
  need(
    text.headDim * text.heads === text.hiddenSize,
    `hidden_size ${text.hiddenSize} is not num_attention_heads ${text.heads} times head_dim ${text.headDim}`,
  );
  need(text.headDim % 2 === 0, `head_dim ${text.headDim} is odd; rotary positions need pairs`);
  need(
    text.heads % text.kvHeads === 0,
    `num_attention_heads ${text.heads} is not a multiple of num_key_value_heads ${text.kvHeads}`,
  );
  const section = text.mropeSection.reduce((sum, size) => sum + size, 0);
  need(
    section * 2 === text.headDim,
    `mrope_section [${text.mropeSection.join(", ")}] sums to ${section}, not to half of head_dim ${text.headDim}`,
  );
  need(
    vision.hiddenSize % (vision.heads * 4) === 0,
    `vision_config: hidden_size ${vision.hiddenSize} is not a multiple of 4 times num_heads ${vision.heads}`,
  );
  need(
    vision.outHiddenSize === text.hiddenSize,
    `vision_config: out_hidden_size ${vision.outHiddenSize} is not the decoder's hidden_size ${text.hiddenSize}`,
  );
  need(
    Math.floor(vision.windowSize / vision.mergeSize / vision.patchSize) >= 1,
    `vision_config: window_size ${vision.windowSize} is smaller than one merged token (${vision.mergeSize * vision.patchSize} pixels)`,
  );
  need(
    vision.fullAttentionBlocks.every((block) => block < vision.depth),
    `vision_config: fullatt_block_indexes [${vision.fullAttentionBlocks.join(", ")}] go past depth ${vision.depth}`,
  );
  const ids = [
    tokens.image,
    tokens.video,
    tokens.visionStart,
    tokens.visionEnd,
    tokens.pad,
    tokens.bos,
    ...tokens.eos,
  ];
  const past = ids.find((id) => id >= text.vocabSize);
  need(past === undefined, `a token id, ${past}, is not below vocab_size ${text.vocabSize}`);
}

/** How weights are stored. */
export type StoredDtype = "float32" | "bfloat16" | "float16";

/**
 * A config.json's content, in the flat layout of the published files, which every version of transformers that knows
 * Qwen2.5-VL opens (and vLLM and SGLang too).
 */
export function formatConfig(
  config: QwenConfig,
  { dtype = "float32" }: { dtype?: StoredDtype } = {},
): unknown {
  const { text, vision, tokens } = config;
  return {
    architectures: ["Qwen2_5_VLForConditionalGeneration"],
    attention_dropout: 0,
    bos_token_id: tokens.bos,
    eos_token_id: tokens.eos.length === 1 ? tokens.eos[0] : tokens.eos,
    hidden_act: "silu",
    hidden_size: text.hiddenSize,
    image_token_id: tokens.image,
    initializer_range: 0.02,
    intermediate_size: text.intermediateSize,
    max_position_embeddings: text.maxPositions,
    max_window_layers: text.layers,
    model_type: "qwen2_5_vl",
    num_attention_heads: text.heads,
    num_hidden_layers: text.layers,
    num_key_value_heads: text.kvHeads,
    rms_norm_eps: text.rmsNormEps,
    rope_scaling: { mrope_section: text.mropeSection, type: "mrope" },
    rope_theta: text.ropeTheta,
    tie_word_embeddings: text.tieWordEmbeddings,
    torch_dtype: dtype,
    use_cache: true,
    use_sliding_window: false,
    video_token_id: tokens.video,
    vision_config: {
      depth: vision.depth,
      fullatt_block_indexes: vision.fullAttentionBlocks,
      hidden_act: "silu",
      hidden_size: vision.hiddenSize,
      in_channels: vision.inChannels,
      in_chans: vision.inChannels,
      intermediate_size: vision.intermediateSize,
      model_type: "qwen2_5_vl",
      num_heads: vision.heads,
      out_hidden_size: vision.outHiddenSize,
      patch_size: vision.patchSize,
      spatial_merge_size: vision.mergeSize,
      spatial_patch_size: vision.patchSize,
      temporal_patch_size: vision.temporalPatchSize,
      tokens_per_second: vision.tokensPerSecond,
      window_size: vision.windowSize,
    },
    vision_end_token_id: tokens.visionEnd,
    vision_start_token_id: tokens.visionStart,
    vocab_size: text.vocabSize,
  };
}

/**
 * The configuration of a model folder: config.json, and generation_config.json where there is one, whose end and
 * padding tokens win (the instruct models name a second end token there only).
 * @throws InputError when config.json is missing or wrong.
 */
export async function loadConfig(directory: string): Promise<QwenConfig> {
  const path = join(directory, "config.json");
  const json = await readJsonIfAny(path);
  if (json === undefined) {
    throw new InputError(`${path}: no such file`, {
      hint: "A model folder holds config.json, model.safetensors, tokenizer.json and preprocessor_config.json.",
    });
  }
  const config = parseConfig(json, path);
  const generation = await loadGenerationConfig(directory);
  if (generation === undefined) return config;
  const merged: QwenConfig = {
    ...config,
    tokens: {
      ...config.tokens,
      ...(generation.eos && { eos: generation.eos }),
      ...(generation.pad !== undefined && { pad: generation.pad }),
    },
  };
  checkConfig(merged, join(directory, "generation_config.json"));
  return merged;
}

function withoutNulls(object: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== null));
}
