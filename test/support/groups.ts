/** @file Builders for the rewards' tests: truths and parsed responses without text. */
import type { Box } from "../../src/geometry/index.js";
import type { Grade, ParsedResponse } from "../../src/response/types.js";
import type { RewardTruth } from "../../src/rewards/types.js";

/** [x1, y1, x2, y2]. */
export type Corners = readonly [number, number, number, number];

/** A box of the model frame. */
export function boxOf([x1, y1, x2, y2]: Corners): Box<"model"> {
  return { x1, y1, x2, y2 };
}

/** A truth of persons on a canvas of 640 x 480 (cells of 10). */
export function truthOf(objects: readonly Corners[], ignore: readonly Corners[] = []): RewardTruth<"model"> {
  return {
    size: { width: 640, height: 480 },
    objects: objects.map((corners) => ({ box: boxOf(corners), label: "person" })),
    ignore: ignore.map(boxOf),
  };
}

/** A response that says these boxes, all labelled person. */
export function said(
  answer: readonly Corners[],
  look: readonly Corners[] = [],
  grade: Grade = "strict",
): ParsedResponse<"model"> {
  const section = (boxes: readonly Corners[], label?: string) => ({
    boxes: boxes.map((corners, i) => ({
      box: boxOf(corners),
      ...(label && { label }),
      start: i,
      end: i + 1,
    })),
    dropped: 0,
  });
  if (grade === "none") return { grade, think: "x", look: section(look) };
  return { grade, think: "x", look: section(look), answer: section(answer, "person") };
}
