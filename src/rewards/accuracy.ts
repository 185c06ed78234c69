/** @file The accuracy reward: weighted precision and recall, or F-beta (design, 4.3). */
import type { Frame } from "../geometry/index.js";
import type { ParsedResponse } from "../response/types.js";
import { matchAnswer, type AnswerMatch } from "./match.js";
import type { RewardConfig, RewardTruth } from "./types.js";

/** Options of the accuracy reward. */
export type AccuracyConfig = RewardConfig["accuracy"];

/** The reward and the two shares it is made of, all in [0, 1]. */
export interface AccuracyValue {
  readonly value: number;
  /** TP/n (soft: summed IoU/n); 0 where nothing was predicted, 1 where there was nothing to find either. */
  readonly precision: number;
  /** TP/m (soft: summed IoU/m); 0 where there was nothing to find, 1 where nothing was predicted either. */
  readonly recall: number;
}

/**
 * The reward from its counts.
 * @param hits TP, or for `soft` the summed IoU of the pairs
 * @param predictions n, those in ignore regions taken out
 * @param truths m
 */
export function accuracyFromCounts(
  config: AccuracyConfig,
  hits: number,
  predictions: number,
  truths: number,
): AccuracyValue {
  if (predictions === 0 && truths === 0) return { value: 1, precision: 1, recall: 1 };
  if (predictions === 0 || truths === 0) return { value: 0, precision: 0, recall: 0 };
  const precision = hits / predictions;
  const recall = hits / truths;
  const { shape } = config;
  if (shape.kind === "linear") {
    const { precisionWeight: wp, recallWeight: wr } = shape;
    return { value: (wp * precision + wr * recall) / (wp + wr), precision, recall };
  }
  const square = shape.beta * shape.beta;
  const below = square * precision + recall;
  return { value: below > 0 ? ((1 + square) * precision * recall) / below : 0, precision, recall };
}

/** The reward of a matching. */
export function accuracyOfMatch(config: AccuracyConfig, match: AnswerMatch, truths: number): AccuracyValue {
  return accuracyFromCounts(
    config,
    config.soft ? match.iouSum : match.truePositives,
    match.predictions,
    truths,
  );
}

/** What the answer of one response earned, and its matching; no group is needed for it. */
export interface AccuracyResult extends AccuracyValue {
  readonly match: AnswerMatch;
}

/** The accuracy reward of one response. One without a readable answer (grade `none`) earns 0. */
export function accuracyReward<F extends Frame>(
  truth: RewardTruth<F>,
  response: ParsedResponse<F>,
  config: AccuracyConfig,
): AccuracyResult {
  const match = matchAnswer(truth, response.answer?.boxes ?? [], config.iouThreshold);
  if (response.answer === undefined) return { value: 0, precision: 0, recall: 0, match };
  return { ...accuracyOfMatch(config, match, truth.objects.length), match };
}
