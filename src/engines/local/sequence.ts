/** @file A prompt as one row of token ids, with M-RoPE positions and the places of its images. */
import { InputError } from "../../base/errors.js";
import type { RgbImage } from "../../base/rgb-image.js";
import type { QwenConfig } from "../../qwen/config.js";
import { textPositions } from "../../qwen/positions.js";
import type { Prompt } from "../contract.js";

/** A prompt, laid out. */
export interface PromptRow {
  readonly ids: Int32Array;
  /** [3, length]: time, height, width. */
  readonly positions: Int32Array;
  /** Position of a later token = its index + this, on all three axes. */
  readonly ropeDelta: number;
  /** For each token the row of its visual feature, -1 for text. */
  readonly featureRows: Int32Array;
}

/** Pictures of a batch, each held once, however many prompts show it. */
export interface ImageTable {
  readonly images: readonly RgbImage[];
  indexOf(image: RgbImage): number;
}

/** Collects the distinct pictures (by identity) of some prompts. */
export function collectImages(prompts: readonly Prompt[]): ImageTable {
  const index = new Map<RgbImage, number>();
  for (const { chunks } of prompts) {
    for (const chunk of chunks) {
      if (chunk.kind === "image" && !index.has(chunk.image)) index.set(chunk.image, index.size);
    }
  }
  return { images: [...index.keys()], indexOf: (image) => index.get(image)! };
}

/**
 * Lays out a prompt.
 *
 * @param featureRows the feature rows of an image's tokens in reading order.
 * @throws InputError where an image's size or token count does not fit the model.
 */
export function layOutPrompt(
  prompt: Prompt,
  config: QwenConfig,
  featureRows: (image: RgbImage) => Int32Array,
): PromptRow {
  const { patchSize, mergeSize } = config.vision;
  const ids: number[] = [];
  const features: number[] = [];
  const grids: [number, number, number][] = [];
  for (const chunk of prompt.chunks) {
    if (chunk.kind === "text") {
      for (const id of chunk.tokens) {
        ids.push(id);
        features.push(-1);
      }
      continue;
    }
    const { width, height } = chunk.image;
    const side = patchSize * mergeSize;
    const expected = (width / side) * (height / side);
    if (expected !== chunk.tokens) {
      throw new InputError(
        `an image of ${width}x${height} takes ${expected} tokens of ${side}x${side} pixels, the prompt says ${chunk.tokens}`,
        {
          hint: "Images of a prompt must be at the exact size the model sees: use the processor to resize them.",
        },
      );
    }
    grids.push([1, height / patchSize, width / patchSize]);
    for (const row of featureRows(chunk.image)) {
      ids.push(config.tokens.image);
      features.push(row);
    }
  }
  const tokens = Int32Array.from(ids);
  const { positions, ropeDelta } = textPositions(tokens, { images: grids, config });
  return { ids: tokens, positions, ropeDelta, featureRows: Int32Array.from(features) };
}
