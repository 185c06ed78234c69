/**
 * @file What became of the boxes of an evaluation's response. Its records keep which object each box hit, not why others hit
 * none: that is worked out here by the code that training explains its rewards with.
 */
import type { CanvasTruth, Corners } from "../../../src/server/studio/api.js";
import { explainAnswer, type ExplainedAnswer } from "../../../src/rewards/explain-answer.js";
import { matchAnswer } from "../../../src/rewards/match.js";
import { boxOf } from "./response-marks.js";

/** Evaluations count a pair from this IoU on. */
const THRESHOLD = 0.5;

/**
 * Explains an answer; nothing where the matching does not come out as it was recorded (another IoU, other code), as the
 * record then counts and a reason for something else would mislead.
 */
export function explainHere(
  response: {
    readonly answer: readonly { readonly box: Corners; readonly label?: string }[];
    readonly matches: readonly number[];
  },
  truth: CanvasTruth,
  size: { readonly width: number; readonly height: number },
): ExplainedAnswer | undefined {
  const there = {
    size,
    objects: truth.objects.map(({ box, label }) => ({ box: boxOf(box), label })),
    ignore: truth.ignore.map(boxOf),
  };
  const boxes = response.answer.map(({ box, label }) => ({
    box: boxOf(box),
    ...(label !== undefined && { label }),
    start: 0,
    end: 0,
  }));
  const match = matchAnswer(there, boxes, THRESHOLD);
  if (response.matches.some((object, index) => object !== match.matches[index])) return undefined;
  return explainAnswer(there, boxes, match, THRESHOLD);
}
