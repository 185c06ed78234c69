/** @file Confidence for boxes that come without one (design, 4.6). A result that needs scores names where they came from. */

/** `one`: every box scores 1.0, as Qwen's team evaluates. `order`: the earlier a response names a box, the higher it scores. */
export type ScoreSource = "one" | "order";

/**
 * Scores of the boxes of one response, in (0, 1].
 *
 * `order` gives 1/(1 + index): first boxes of all images rank before all second boxes, whatever the lengths of the lists.
 *
 * @param count Boxes in the response.
 */
export function scoresOf(source: ScoreSource, count: number): number[] {
  return Array.from({ length: count }, (_, index) => (source === "one" ? 1 : 1 / (1 + index)));
}
