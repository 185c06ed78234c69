/**
 * @file Notices detection files whose boxes are corners, or centre and size, where x, y, width and height belong: the
 * check that evaluations make of a model's answers (geometry/frame-check.ts), on flat boxes.
 */
import type { Box } from "../geometry/box.js";
import { checkFrame, frameWarning, type FrameEvidence, type WrittenBox } from "../geometry/frame-check.js";
import type { PlainBoxes, PlainDetections } from "./plain.js";

/** What of an image the check looks at; boxes as they were read from x, y, width, height. */
export interface DetectedImage {
  readonly truths: Pick<PlainBoxes, "corners">;
  readonly detections: Pick<PlainDetections, "corners" | "scores">;
}

/** Enough to tell a layout by. */
const MOST_IMAGES = 500;

/** What to say where the detections would fit far better in another layout; nothing is read anew by it. */
export function layoutNote(images: Iterable<DetectedImage>): string | undefined {
  const evidence: FrameEvidence[] = [];
  for (const { truths, detections } of images) {
    const there = truths.corners.length / 4;
    if (there === 0 || detections.scores.length === 0) continue;
    // The best, as many as there are boxes: detectors list far more than they believe.
    const best = [...detections.scores.keys()]
      .sort((a, b) => detections.scores[b]! - detections.scores[a]!)
      .slice(0, there);
    evidence.push({
      written: best.map((i): WrittenBox => {
        const { x1, y1, x2, y2 } = boxAt(detections.corners, i);
        return [x1, y1, x2 - x1, y2 - y1];
      }),
      truth: Array.from({ length: there }, (_, i) => boxAt(truths.corners, i)),
      ignore: [],
      // Sizes are not in every benchmark's files: the check clips to what all boxes need.
      image: { width: extent(truths, detections, 2), height: extent(truths, detections, 3) },
    });
    if (evidence.length === MOST_IMAGES) break;
  }
  return frameWarning(checkFrame(evidence, { scale: "image", layout: "xywh" }));
}

/** The greatest right (2) or bottom (3) edge, one pixel at least. */
function extent(
  truths: DetectedImage["truths"],
  detections: DetectedImage["detections"],
  edge: 2 | 3,
): number {
  let most = 1;
  for (const { corners } of [truths, detections])
    for (let i = edge; i < corners.length; i += 4) most = Math.max(most, corners[i]!);
  return most;
}

function boxAt(corners: Float64Array, i: number): Box<"image"> {
  const [x1, y1, x2, y2] = corners.subarray(4 * i, 4 * i + 4);
  return { x1: x1!, y1: y1!, x2: x2!, y2: y2! };
}
