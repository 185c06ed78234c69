/** @file One text microbatch: prompts, responses, their share of the visual features, and the feeds of its graph. */
import { promptLength } from "../prompt-length.js";
import type { RgbImage } from "../../base/rgb-image.js";
import type { Prompt } from "../contract.js";
import { roundUp, type PlannedRow } from "./buckets.js";
import type { ModelContext } from "./context.js";
import type { FeatureTable } from "./features.js";
import { collectImages, layOutPrompt, type PromptRow } from "./sequence.js";
import { packText, type ResponseRow, type TextBatch } from "./text-batch.js";
import { FEATURES } from "./text-programs.js";

/** A prompt and what follows it. Rows that share a prompt share the object. */
export interface Row {
  readonly prompt: Prompt;
  readonly tokens: Int32Array;
}

/** What one run of a text graph works on: prompts, each held once, and the responses that go on from them. */
export interface Microbatch {
  /** The distinct prompts. */
  readonly prompts: readonly PromptRow[];
  /** The rows, in their order; none where only prompts are asked for. */
  readonly responses: readonly ResponseRow[];
  readonly text: TextBatch;
  readonly feeds: Record<string, Float32Array | Int32Array>;
  /** The images it shows, with the first feature row of each. */
  readonly images: readonly { readonly image: RgbImage; readonly at: number }[];
}

/** A row as microbatches are planned. */
export function plannedRow({ prompt, tokens }: Row): PlannedRow {
  return { prompt, promptLength: promptLength(prompt), length: tokens.length };
}

/** Lays out distinct prompts whose images are in the table, and responses to them. */
export function makeMicrobatch(
  context: ModelContext,
  table: FeatureTable,
  prompts: readonly Prompt[],
  rows: readonly Row[],
): Microbatch {
  const hidden = context.config.text.hiddenSize;
  const starts = new Map<RgbImage, number>();
  let used = 0;
  for (const image of collectImages(prompts).images) {
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
  const laidOut = prompts.map((prompt) => layOutPrompt(prompt, context.config, rowsOf));
  const index = new Map(prompts.map((prompt, i) => [prompt, i]));
  const responses = rows.map(({ prompt, tokens }) => ({ prompt: index.get(prompt)!, tokens }));
  const text = packText(laidOut, responses, context.config, features);
  return {
    prompts: laidOut,
    responses,
    text,
    feeds: { ...text.feeds, ...(features > 0 && { [FEATURES]: buffer }) },
    images: [...starts].map(([image, at]) => ({ image, at })),
  };
}

/** The distinct prompts of some rows, in order of appearance. */
export function distinctPrompts(rows: readonly Row[]): Prompt[] {
  return [...new Set(rows.map(({ prompt }) => prompt))];
}
