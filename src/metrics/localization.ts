/** @file How well the boxes that matched lie: IoU lost, and each edge's offset relative to the object. */
import { iou } from "../geometry/overlap.js";
import type { MatchedBoxes } from "./precision-recall.js";

/** An offset of one edge over the object's width (left, right) or height (top, bottom). */
export interface EdgeOffset {
  /** Above 0: to the right, or down. A frame that is off shows here first. */
  readonly mean: number;
  /** Mean of the absolute values. */
  readonly absolute: number;
}

/** Localisation over matched pairs; null where there is none. */
export interface LocalizationErrors {
  readonly pairs: number;
  /** Mean of 1 - IoU, in [0, 0.5] for matches at 0.5. */
  readonly error: number | null;
  readonly edges: {
    readonly left: EdgeOffset;
    readonly top: EdgeOffset;
    readonly right: EdgeOffset;
    readonly bottom: EdgeOffset;
  } | null;
  /** Geometric mean of predicted over actual width and height: above 1 the boxes are too large. */
  readonly scale: { readonly width: number; readonly height: number } | null;
}

/** Localisation of the matched boxes of all responses, each pair alike. */
export function localizationErrors(responses: Iterable<MatchedBoxes>): LocalizationErrors {
  let [pairs, error, logWidth, logHeight] = [0, 0, 0, 0];
  const sums = { left: [0, 0], top: [0, 0], right: [0, 0], bottom: [0, 0] } as Record<
    "left" | "top" | "right" | "bottom",
    [signed: number, absolute: number]
  >;
  const add = (edge: keyof typeof sums, value: number) => {
    sums[edge][0] += value;
    sums[edge][1] += Math.abs(value);
  };
  for (const { predictions, truth, matches } of responses) {
    for (const [i, match] of matches.entries()) {
      if (match < 0) continue;
      const said = predictions[i]!.box;
      const there = truth.objects[match]!.box;
      const [width, height] = [there.x2 - there.x1, there.y2 - there.y1];
      pairs++;
      error += 1 - iou(said, there);
      add("left", (said.x1 - there.x1) / width);
      add("right", (said.x2 - there.x2) / width);
      add("top", (said.y1 - there.y1) / height);
      add("bottom", (said.y2 - there.y2) / height);
      logWidth += Math.log((said.x2 - said.x1) / width);
      logHeight += Math.log((said.y2 - said.y1) / height);
    }
  }
  if (pairs === 0) return { pairs, error: null, edges: null, scale: null };
  const offset = ([signed, absolute]: [number, number]): EdgeOffset => ({
    mean: signed / pairs,
    absolute: absolute / pairs,
  });
  return {
    pairs,
    error: error / pairs,
    edges: {
      left: offset(sums.left),
      top: offset(sums.top),
      right: offset(sums.right),
      bottom: offset(sums.bottom),
    },
    scale: { width: Math.exp(logWidth / pairs), height: Math.exp(logHeight / pairs) },
  };
}
