/** @file Whether evaluated responses are in the frame they were read in: their numbers as written, against the ground truth. */
import type { Frame } from "../geometry/box.js";
import {
  checkFrame,
  type FrameFinding,
  type FrameReading,
  type WrittenBox,
} from "../geometry/frame-check.js";
import { coordinateProfiles } from "../geometry/profiles.js";
import type { EvaluatedImage } from "./evaluate.js";

const NUMBER = String.raw`\s*(-?\d+(?:\.\d+)?)\s*`;
/** Four numbers in brackets. What a number may be followed by is never part of one, so that a failed match costs one pass. */
const FOUR = new RegExp(String.raw`\[${NUMBER},${NUMBER},${NUMBER},${NUMBER}\]`, "g");
/** More boxes than any answer has; a response that runs on is enough of an answer to tell a frame by. */
const MOST_BOXES = 500;
/** Enough to tell a frame by. */
const MOST_IMAGES = 500;

/**
 * The boxes of an answer as they were written. The parser clips boxes to the frame and drops inside-out ones, which is
 * just what those of a wrong frame are.
 */
export function writtenBoxes(text: string): WrittenBox[] {
  const open = text.lastIndexOf("<answer>");
  const close = text.indexOf("</answer>", Math.max(0, open));
  const answer = text.slice(Math.max(0, open), close < 0 ? undefined : close);
  const boxes: WrittenBox[] = [];
  for (const [, a, b, c, d] of answer.matchAll(FOUR)) {
    boxes.push([Number(a), Number(b), Number(c), Number(d)]);
    if (boxes.length === MOST_BOXES) break;
  }
  return boxes;
}

/** The check of geometry/frame-check.ts on the first response to each image. */
export function checkEvaluatedFrame(images: readonly EvaluatedImage[]): FrameFinding {
  const frame: Extract<Frame, "model" | "norm1000"> = coordinateProfiles[images[0]?.profile ?? "absolute"];
  const declared: FrameReading = images[0]?.reading ?? { scale: frame, layout: "xyxy" };
  const evidence = images.slice(0, MOST_IMAGES).flatMap(({ width, height, shown, truth, responses }) => {
    const [first] = responses;
    // Records without the size that was shown, of before it was kept, say nothing of pixels.
    if (first === undefined || (shown === undefined && frame === "model")) return [];
    return [
      {
        written: writtenBoxes(first.text),
        truth: truth.objects.map(({ box }) => box),
        ignore: truth.ignore,
        image: { width, height },
        model: shown,
      },
    ];
  });
  return checkFrame(evidence, declared);
}
