/** @file One text microbatch: sequences, their share of the visual features, and the feeds of its graph. */
import type { RgbImage } from "../../base/rgb-image.js";
import type { Prompt } from "../contract.js";
import { roundUp } from "./buckets.js";
import type { ModelContext } from "./context.js";
import type { FeatureTable } from "./features.js";
import { collectImages, makeSequence, type Sequence } from "./sequence.js";
import { packText, type TextBatch } from "./text-batch.js";
import { FEATURES } from "./text-programs.js";

/** A prompt and what follows it. */
export interface Row {
  readonly prompt: Prompt;
  readonly tokens: Int32Array;
}

export interface Microbatch {
  readonly sequences: readonly Sequence[];
  readonly text: TextBatch;
  readonly feeds: Record<string, Float32Array | Int32Array>;
  /** The images it shows, with the first feature row of each. */
  readonly images: readonly { readonly image: RgbImage; readonly at: number }[];
}

/** Tokens of a prompt. */
export function promptLength(prompt: Prompt): number {
  return prompt.chunks.reduce(
    (sum, chunk) => sum + (chunk.kind === "text" ? chunk.tokens.length : chunk.tokens),
    0,
  );
}

/** Lays out rows whose images are in the table. */
export function makeMicrobatch(
  context: ModelContext,
  rows: readonly Row[],
  table: FeatureTable,
  options: { readonly padRows?: boolean } = {},
): Microbatch {
  const hidden = context.config.text.hiddenSize;
  const starts = new Map<RgbImage, number>();
  let used = 0;
  for (const image of collectImages(rows.map(({ prompt }) => prompt)).images) {
    starts.set(image, used);
    used += table.tokensOf(image);
  }
  const features = used === 0 ? 0 : roundUp(used, 64);
  const buffer = new Float32Array(features * hidden);
  for (const [image, at] of starts) table.copy(image, buffer, at);
  const rowsOf = (image: RgbImage) => {
    const at = starts.get(image)!;
    return Int32Array.from({ length: table.tokensOf(image) }, (_, i) => at + i);
  };
  const sequences = rows.map(({ prompt, tokens }) => makeSequence(prompt, tokens, context.config, rowsOf));
  const text = packText(sequences, context.config, { features, ...options });
  return {
    sequences,
    text,
    feeds: { ...text.feeds, ...(features > 0 && { [FEATURES]: buffer }) },
    images: [...starts].map(([image, at]) => ({ image, at })),
  };
}

/** What decides the form of a text graph. */
export function textKey({ rows, length, features }: TextBatch): string {
  return `${rows}x${length}/${features}`;
}
