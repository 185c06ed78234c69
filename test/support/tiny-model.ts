/** @file Prompts and data for the tiny golden Qwen2.5-VL, for tests of the embedded engine. */
import type { Datum, Prompt } from "../../src/engines/contract.js";
import type { QwenProcessor } from "../../src/qwen/processor.js";
import { fixture, fixtureImage } from "../qwen-fixture.js";

/** Folder of the tiny model. */
export const tinyModel = fixture("model");

/** A prompt with one of the fixture's pictures. */
export async function picturePrompt(
  processor: QwenProcessor,
  name: "a" | "b" | "c",
  text = "Find every person.",
): Promise<Prompt> {
  return { chunks: processor.encodePrompt({ text, images: [await fixtureImage(name)] }) };
}

/** A datum for cross-entropy: teacher text, each token weighing the same. */
export function teacherDatum(processor: QwenProcessor, prompt: Prompt, text: string, weight = 0.05): Datum {
  const tokens = processor.tokenizer.encode(text);
  return { prompt, tokens, weights: new Float32Array(tokens.length).fill(weight) };
}
