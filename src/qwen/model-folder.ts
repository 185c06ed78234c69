/** @file A model folder to begin with: Qwen2.5-VL's architecture at any size, the compact tokenizer, untrained weights. */
import { join } from "node:path";
import { writeFileAtomic, writeJsonAtomic } from "../base/atomic-file.js";
import {
  compactTokenizer,
  NUMBER_TOKENS,
  QWEN_SPECIAL_TOKENS,
  type CompactTokenizerOptions,
} from "./compact-tokenizer.js";
import {
  formatConfig,
  parseConfig,
  type QwenConfig,
  type QwenTextConfig,
  type QwenVisionConfig,
} from "./config.js";
import { formatGenerationConfig } from "./generation-config.js";
import { CLIP_MEAN, CLIP_STD, formatImageProcessorConfig } from "./image-processor-config.js";
import { initialWeights } from "./initial-weights.js";
import { saveWeights } from "./weights.js";

/** The decoder's sizes; a head's width follows from them. */
export type TextSizes = Omit<QwenTextConfig, "vocabSize" | "headDim" | "rmsNormEps">;

/** The vision tower's sizes; still RGB pictures, merged tokens as wide as the decoder. */
export type VisionSizes = Omit<
  QwenVisionConfig,
  "temporalPatchSize" | "inChannels" | "outHiddenSize" | "tokensPerSecond"
>;

/** Options of {@link writeUntrainedModel}. */
export interface UntrainedModelOptions {
  readonly text: TextSizes;
  readonly vision: VisionSizes;
  /** Pictures with fewer pixels are enlarged. */
  readonly minPixels: number;
  /** Pictures with more pixels are shrunk. */
  readonly maxPixels: number;
  /** What is one token beside numbers, bytes and the response's pieces. */
  readonly tokenizer?: CompactTokenizerOptions;
  /** All weights are a function of this and of the sizes. */
  readonly seed: number;
  /** Rows of the embeddings. @default as many as there are tokens, rounded up to a multiple of 16: no kernel has a ragged end then */
  readonly vocabSize?: number;
}

/** The configuration that config.json will give again, refused where sizes contradict each other. */
function untrainedConfig(options: UntrainedModelOptions, tokens: number): QwenConfig {
  const { text, vision, vocabSize = Math.ceil(tokens / 16) * 16 } = options;
  const idOf = (token: (typeof QWEN_SPECIAL_TOKENS)[number]) =>
    tokens - QWEN_SPECIAL_TOKENS.length + QWEN_SPECIAL_TOKENS.indexOf(token);
  const config: QwenConfig = {
    text: { ...text, rmsNormEps: 1e-6, vocabSize, headDim: text.hiddenSize / text.heads },
    vision: {
      ...vision,
      temporalPatchSize: 2,
      inChannels: 3,
      tokensPerSecond: 2,
      outHiddenSize: text.hiddenSize,
    },
    tokens: {
      image: idOf("<|image_pad|>"),
      video: idOf("<|video_pad|>"),
      visionStart: idOf("<|vision_start|>"),
      visionEnd: idOf("<|vision_end|>"),
      eos: [idOf("<|im_end|>")],
      pad: idOf("<|endoftext|>"),
      bos: idOf("<|endoftext|>"),
    },
  };
  // Through the checks that a published config goes through.
  return parseConfig(JSON.parse(JSON.stringify(formatConfig(config))));
}

/**
 * Writes a Hugging Face folder that this library and transformers open. The weights come last: a folder that has them is
 * whole. Number tokens begin as Fourier features of their values ({@link initialWeights}).
 *
 * @throws InputError where sizes contradict each other, or the vocabulary is smaller than the tokenizer's.
 */
export async function writeUntrainedModel(
  folder: string,
  options: UntrainedModelOptions,
): Promise<QwenConfig> {
  const { tokenizer, tokenizerConfig, chatTemplate, vocabSize: tokens } = compactTokenizer(options.tokenizer);
  const config = untrainedConfig(options, tokens);
  const { minPixels, maxPixels, seed } = options;
  const { patchSize, mergeSize, temporalPatchSize } = config.vision;
  await writeJsonAtomic(join(folder, "config.json"), formatConfig(config));
  await writeJsonAtomic(
    join(folder, "generation_config.json"),
    formatGenerationConfig({ eos: config.tokens.eos, pad: config.tokens.pad }),
  );
  await writeJsonAtomic(join(folder, "tokenizer.json"), tokenizer);
  await writeJsonAtomic(join(folder, "tokenizer_config.json"), tokenizerConfig);
  await writeFileAtomic(join(folder, "chat_template.jinja"), chatTemplate);
  await writeJsonAtomic(
    join(folder, "preprocessor_config.json"),
    formatImageProcessorConfig({
      patchSize,
      mergeSize,
      temporalPatchSize,
      minPixels,
      maxPixels,
      mean: CLIP_MEAN,
      std: CLIP_STD,
    }),
  );
  const numberTokens = Int32Array.from({ length: NUMBER_TOKENS }, (_, n) => n);
  await saveWeights(folder, config, initialWeights(config, { seed, numberTokens }));
  return config;
}
