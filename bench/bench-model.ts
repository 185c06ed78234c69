/** @file The model of the GRPO bench: Qwen2.5-VL's architecture with 9.5 M parameters and random weights, as a Hugging Face folder. */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { writeFileAtomic, writeJsonAtomic } from "../src/base/index.js";
import { compactTokenizer, QWEN_SPECIAL_TOKENS } from "../src/qwen/compact-tokenizer.js";
import { formatConfig, type QwenConfig } from "../src/qwen/config.js";
import { formatGenerationConfig } from "../src/qwen/generation-config.js";
import { CLIP_MEAN, CLIP_STD, formatImageProcessorConfig } from "../src/qwen/image-processor-config.js";
import { initialWeights } from "../src/qwen/initial-weights.js";
import { saveWeights } from "../src/qwen/weights.js";

/** Writes the folder. */
export async function writeBenchModel(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  const { tokenizer, tokenizerConfig, chatTemplate, vocabSize } = compactTokenizer();
  const idOf = (token: (typeof QWEN_SPECIAL_TOKENS)[number]) =>
    vocabSize - QWEN_SPECIAL_TOKENS.length + QWEN_SPECIAL_TOKENS.indexOf(token);
  const config: QwenConfig = {
    text: {
      vocabSize: 2048,
      hiddenSize: 256,
      intermediateSize: 1024,
      layers: 6,
      heads: 8,
      kvHeads: 2,
      headDim: 32,
      rmsNormEps: 1e-6,
      ropeTheta: 1e6,
      mropeSection: [4, 6, 6],
      tieWordEmbeddings: false,
      maxPositions: 4096,
    },
    vision: {
      depth: 4,
      hiddenSize: 192,
      intermediateSize: 512,
      heads: 4,
      patchSize: 14,
      mergeSize: 2,
      temporalPatchSize: 2,
      inChannels: 3,
      windowSize: 112,
      fullAttentionBlocks: [1, 3],
      outHiddenSize: 256,
      tokensPerSecond: 2,
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
      patchSize: 14,
      mergeSize: 2,
      temporalPatchSize: 2,
      minPixels: 56 * 56,
      maxPixels: 28 * 28 * 256,
      mean: CLIP_MEAN,
      std: CLIP_STD,
    }),
  );
  await saveWeights(folder, config, initialWeights(config, { seed: 1 }));
}
