/** @file The model of the GRPO bench: Qwen2.5-VL's architecture with 9.5 M parameters and untrained weights, as a Hugging Face folder. */
import { writeUntrainedModel } from "../src/qwen/model-folder.js";

/** Writes the folder. */
export async function writeBenchModel(folder: string): Promise<void> {
  await writeUntrainedModel(folder, {
    text: {
      hiddenSize: 256,
      intermediateSize: 1024,
      layers: 6,
      heads: 8,
      kvHeads: 2,
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
      windowSize: 112,
      fullAttentionBlocks: [1, 3],
    },
    minPixels: 56 * 56,
    maxPixels: 28 * 28 * 256,
    seed: 1,
    vocabSize: 2048,
  });
}
