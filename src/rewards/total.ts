/** @file The three rewards of a group and their sum (design, 4.2 to 4.5). */
import type { Frame } from "../geometry/index.js";
import type { ParsedResponse } from "../response/types.js";
import { accuracyReward } from "./accuracy.js";
import { checkRewardConfig, defaultRewardConfig } from "./config.js";
import { formatReward } from "./format.js";
import { lookRewards } from "./look.js";
import type { GroupScore, ResponseScore, RewardConfig, RewardTruth } from "./types.js";

/**
 * Scores the responses to one image: r = wf format + wl look + wa accuracy.
 * The look reward is the group's, so all responses to an image must come in one call.
 *
 * @param truth ground truth in the frame the responses were parsed in
 * @param responses at least 2
 * @throws InputError for a group of fewer than 2 or options out of range
 *
 * @example
 * const score = scoreGroup(truth, texts.map((text) => parseResponse(text, truth.size)));
 * const rewards = score.responses.map((response) => response.total);
 */
export function scoreGroup<F extends Frame>(
  truth: RewardTruth<F>,
  responses: readonly ParsedResponse<F>[],
  config: RewardConfig = defaultRewardConfig,
): GroupScore {
  checkRewardConfig(config);
  const accuracies = responses.map((response) => accuracyReward(truth, response, config.accuracy));
  const looks = lookRewards(
    truth,
    responses,
    config.look,
    accuracies.map(({ match }) => match.matches),
  );
  const { weights } = config;
  const scores = responses.map((response, i): ResponseScore => {
    const { value: accuracy, precision, recall, match } = accuracies[i]!;
    const format = formatReward(response);
    const look = looks.rewards[i]!;
    return {
      grade: response.grade,
      format,
      look,
      accuracy,
      total: weights.format * format + weights.look * look + weights.accuracy * accuracy,
      truePositives: match.truePositives,
      predictions: match.predictions,
      dropped: response.answer?.dropped ?? 0,
      precision,
      recall,
      matches: [...match.matches],
    };
  });
  const where = looks.disagreement;
  if (where === undefined) return { responses: scores };
  const { columns, rows, cell } = where.grid;
  return {
    responses: scores,
    disagreement: { columns, rows, cell, values: Float32Array.from(where.values) },
  };
}
