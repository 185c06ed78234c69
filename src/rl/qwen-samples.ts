/** @file Samples and text as a Qwen2.5-VL checkpoint meets them: what the loops take, made from its processor. */
import { InputError } from "../base/errors.js";
import { loadPixels } from "../datasets/image-file.js";
import type { Sample } from "../datasets/sample.js";
import { teacherResponse } from "../datasets/teacher.js";
import { coordinateProfiles, type AnswerFrame, type CoordinateProfile } from "../geometry/profiles.js";
import type { QwenProcessor } from "../qwen/processor.js";
import { promptText } from "../response/prompt.js";
import type { ResponseStyle } from "../response/render.js";
import { truthFromSample } from "../rewards/truth.js";
import type { EncodedSample, SampleEncoder, TextCodec } from "./text.js";

/** What is asked of the model. */
export interface TaskOptions {
  /** Name of the prompt (response/prompt.ts). */
  readonly prompt: string;
  /** What to find; objects of other labels are no ground truth. */
  readonly labels: readonly string[];
  /** Which numbers it speaks. @default "absolute" */
  readonly profile?: CoordinateProfile;
  /** A system message instead of the chat template's own. */
  readonly system?: string;
}

/**
 * Text to tokens and back.
 *
 * @param endTokens As generation_config.json names them (`eos`). @default `<|im_end|>`
 * @throws InputError where there is no end token.
 */
export function qwenCodec(
  processor: Pick<QwenProcessor, "tokenizer">,
  endTokens?: readonly number[],
): TextCodec {
  const { tokenizer } = processor;
  return {
    encode: (text) => tokenizer.encode(text),
    decode: (tokens) => tokenizer.decode(tokens),
    spans: (tokens) => tokenizer.tokenSpans(tokens),
    endTokens: endTokens ?? [tokenizer.requireId("<|im_end|>")],
  };
}

/**
 * Samples to prompts (the picture, then the named text) and ground truth in the frame of the task's profile: pixels of the
 * resized picture, or thousandths. Rewards and evaluation compare in that frame. The prompt is one object a sample, so that
 * an engine sees that a group shares it.
 */
export function qwenEncoder(processor: QwenProcessor, task: TaskOptions): SampleEncoder<Sample> {
  const { profile = "absolute" } = task;
  const text = promptText(task.prompt, task.labels, profile);
  const frame: AnswerFrame = coordinateProfiles[profile];
  return async (sample) => {
    const pixels = await loadPixels(sample);
    const chunks = processor.encodePrompt({ text, images: [pixels], system: task.system });
    const shown = chunks.find((chunk) => chunk.kind === "image");
    if (shown === undefined) throw new InputError("The chat template leaves the picture out of the prompt.");
    const { width, height } = shown.image;
    const truth = truthFromSample(sample, {
      frame,
      modelSize: { width, height },
      labels: task.labels,
    });
    return { prompt: { chunks }, truth };
  };
}

/** The response that SFT teaches, in the frame of the encoded sample. */
export function qwenTeacher(options: {
  readonly labels: readonly string[];
  readonly style?: ResponseStyle;
}): (sample: Sample, encoded: EncodedSample) => string {
  // The teacher scales to any canvas: that of the answers may be the thousandths.
  return (sample, { truth: { size } }) =>
    teacherResponse(sample, { ...options, modelSize: { width: size.width, height: size.height } }).text;
}
