/**
 * @file Confidence for boxes that come without one (design, 4.6). AP and miss rate rank boxes, a response only lists them:
 * a result that needs scores names where they came from, because the same boxes have another AP under another source.
 */
import type { Box, Frame } from "../geometry/box.js";
import { consensusClusters } from "../geometry/consensus.js";
import type { PredictedBox } from "./precision-recall.js";

/** What each source is. */
export const scoreSources = {
  one: "1.0 for every box, as Qwen's team evaluates",
  order: "the earlier a response names a box, the higher: 1/(1 + index)",
  logprob: "mean probability of the tokens of the box's numbers",
  "logprob-min": "least probability of the tokens of the box's numbers",
  consensus: "share of the sampled responses that hold the box; boxes of one object are fused",
} as const;

/** Where scores come from. */
export type ScoreSource = keyof typeof scoreSources;

/** How likely the sampler found the tokens of one box's numbers, 0..1. */
export interface BoxProbability {
  readonly mean: number;
  readonly min: number;
}

/**
 * Scores of the boxes of one response, in (0, 1].
 *
 * `order` gives 1/(1 + index): first boxes of all images rank before all second boxes, whatever the lengths of the lists.
 * `logprob` and `logprob-min` need what the sampler said of each box.
 *
 * @param count Boxes in the response.
 * @throws RangeError where the source needs probabilities and there is not one for each box.
 */
export function scoresOf(
  source: Exclude<ScoreSource, "consensus">,
  count: number,
  probabilities?: readonly BoxProbability[],
): number[] {
  if (source === "logprob" || source === "logprob-min") {
    if (probabilities?.length !== count)
      throw new RangeError(`score source ${source} needs the probabilities of all ${count} boxes`);
    return probabilities.map(({ mean, min }) => (source === "logprob" ? mean : min));
  }
  return Array.from({ length: count }, (_, index) => (source === "one" ? 1 : 1 / (1 + index)));
}

/** Where something stands in a text: [start, end) in UTF-16 units. */
export interface TextSpan {
  readonly start: number;
  readonly end: number;
}

const isDigit = (code: number): boolean => code >= 0x30 && code <= 0x39;

/**
 * How likely the tokens of each box's numbers were: those that hold a digit between the box's brackets (a comma or a
 * label says nothing of where the box is). A box without any such token, which no parser gives, scores 0.
 *
 * @param boxes Where each box stands in the text, as the parser tells; in rising order.
 * @param tokens Where each token stands in the text, in rising order.
 * @param logprobs Of each token; as many as tokens.
 */
export function boxProbabilities(
  text: string,
  boxes: readonly TextSpan[],
  tokens: readonly TextSpan[],
  logprobs: ArrayLike<number>,
): BoxProbability[] {
  let first = 0;
  return boxes.map(({ start, end }) => {
    // The "2" of "bbox_2d" is no coordinate: numbers begin after the bracket.
    const bracket = text.indexOf("[", start);
    const from = bracket >= 0 && bracket < end ? bracket : start;
    const close = text.indexOf("]", from);
    const to = close >= 0 && close < end ? close : end;
    while (first < tokens.length && tokens[first]!.end <= from) first++;
    let [sum, min, count] = [0, 1, 0];
    for (let t = first; t < tokens.length && tokens[t]!.start < to; t++) {
      let number = false;
      for (let at = Math.max(from, tokens[t]!.start); at < Math.min(to, tokens[t]!.end); at++)
        number ||= isDigit(text.charCodeAt(at));
      if (!number) continue;
      const probability = Math.exp(logprobs[t]!);
      sum += probability;
      min = Math.min(min, probability);
      count++;
    }
    return count === 0 ? { mean: 0, min: 0 } : { mean: sum / count, min };
  });
}

/** A fused box with its score. */
export interface ConsensusBox<F extends Frame = Frame> extends PredictedBox<F> {
  /** Share of the responses that hold it, in (0, 1]. */
  readonly score: number;
}

/**
 * One list of boxes from several sampled responses to one image: boxes of the same label that agree (IoU >= threshold,
 * one of each response) are fused by the average of their corners, weighted by their probability where it is known. Best
 * score first; the result does not hang on the order of responses.
 *
 * @param responses Boxes of each response; one without a box counts.
 * @param probabilities Of each box of each response; without them all boxes weigh the same.
 * @example consensusBoxes([[{ box: a }], [{ box: a }], []])[0].score // 2/3
 */
export function consensusBoxes<F extends Frame>(
  responses: readonly (readonly PredictedBox<F>[])[],
  options: {
    /** @default 0.5 */ readonly threshold?: number;
    readonly probabilities?: readonly (readonly BoxProbability[])[];
  } = {},
): ConsensusBox<F>[] {
  const { threshold = 0.5, probabilities } = options;
  const labels = [...new Set(responses.flatMap((boxes) => boxes.map(({ label }) => label)))];
  const fused = labels.flatMap((label) => {
    const kept = responses.map((boxes, r) =>
      boxes.flatMap((one, i) =>
        one.label === label ? [{ box: one.box, weight: probabilities?.[r]?.[i]?.mean ?? 1 }] : [],
      ),
    );
    return consensusClusters(
      kept.map((boxes) => boxes.map(({ box }) => box)),
      threshold,
    ).map(({ box, members }): ConsensusBox<F> => {
      const weighted = members.map(({ list, index }) => kept[list]![index]!);
      return {
        box: probabilities === undefined ? box : (weightedMean(weighted) ?? box),
        ...(label !== undefined && { label }),
        score: members.length / responses.length,
      };
    });
  });
  return fused.sort((a, b) => b.score - a.score);
}

function weightedMean<F extends Frame>(
  members: readonly { readonly box: Box<F>; readonly weight: number }[],
): Box<F> | undefined {
  const total = members.reduce((sum, { weight }) => sum + weight, 0);
  if (!(total > 0)) return undefined;
  const mean = (corner: "x1" | "y1" | "x2" | "y2") =>
    members.reduce((sum, { box, weight }) => sum + weight * box[corner], 0) / total;
  return { x1: mean("x1"), y1: mean("y1"), x2: mean("x2"), y2: mean("y2") };
}
