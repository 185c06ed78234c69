/**
 * @file Which numbers a model speaks (design, section 2). Qwen2.5-VL names pixels of the picture after smart-resize,
 * Qwen2-VL and Qwen3-VL name thousandths of it. A profile is the whole of that difference: boxes go to the model by
 * {@link boxToAnswer} and come back by {@link boxFromAnswer}, whoever needs them (prompt, reward, evaluation, picture).
 */
import type { Box, FrameSize } from "./box.js";
import { convertBox, frameSize, type FrameSizes } from "./frames.js";
import { clipBox, roundBox } from "./overlap.js";

/** A frame that a model's answers can be in. */
export type AnswerFrame = "model" | "norm1000";

/** Profiles by name, with the frame of their answers. */
export const coordinateProfiles = {
  /** Whole pixels of the picture after smart-resize (Qwen2.5-VL). */
  absolute: "model",
  /** Whole thousandths of the picture's sides (Qwen2-VL, Qwen3-VL). */
  norm1000: "norm1000",
} as const satisfies Record<string, AnswerFrame>;

/** Name of a profile. */
export type CoordinateProfile = keyof typeof coordinateProfiles;

/** The canvas that answers of a profile are on. */
export function answerSize(profile: CoordinateProfile, sizes: FrameSizes): FrameSize<AnswerFrame> {
  return frameSize(coordinateProfiles[profile], sizes);
}

/**
 * A box as the model would write it: clipped to the picture, whole numbers; nothing where it is wholly outside. An edge
 * moves by at most half a unit of the answer's frame (by less than one where a side is shorter than one).
 */
export function boxToAnswer(
  box: Box<"image">,
  profile: CoordinateProfile,
  sizes: FrameSizes,
): Box<AnswerFrame> | undefined {
  const frame: AnswerFrame = coordinateProfiles[profile];
  const clipped = clipBox(convertBox(box, "image", frame, sizes), frameSize(frame, sizes));
  return clipped === undefined ? undefined : roundBox(clipped);
}

/** A box that the model wrote, in pixels of the original; nothing is rounded or clipped. */
export function boxFromAnswer(
  box: Box<AnswerFrame>,
  profile: CoordinateProfile,
  sizes: FrameSizes,
): Box<"image"> {
  const frame: AnswerFrame = coordinateProfiles[profile];
  return convertBox(box, frame, "image", sizes);
}
