/** @file The look reward (design, 4.4): paid for looking where the group's answers disagree. */
import { InputError } from "../base/errors.js";
import type { Box, Frame } from "../geometry/index.js";
import type { ParsedResponse, ParsedSection } from "../response/types.js";
import { disagreement, softDice, type Disagreement } from "./disagreement.js";
import type { RewardConfig, RewardTruth } from "./types.js";
import { lookF1, uncertainClusters, uncertainTruths } from "./uncertain.js";

/** The look rewards of a group. */
export interface LookResult<F extends Frame = Frame> {
  /** By response, in [0, 1]. */
  readonly rewards: readonly number[];
  /** The grid kinds: where the group disagrees. */
  readonly disagreement?: Disagreement<F>;
  /** The instance kinds: the instances the group is unsure of. */
  readonly uncertain?: readonly Box<F>[];
}

function boxesOf<F extends Frame>(section: ParsedSection<F> | undefined): Box<F>[] {
  return section?.boxes.map(({ box }) => box) ?? [];
}

/**
 * The look reward of every response of one group.
 * @param matches by response and answer box, index of the ground truth hit (negative: none); `hit-variance` reads it
 * @throws InputError for a group of one: a single response cannot disagree with itself.
 */
export function lookRewards<F extends Frame>(
  truth: RewardTruth<F>,
  responses: readonly ParsedResponse<F>[],
  config: RewardConfig["look"],
  matches: readonly (readonly number[] | Int32Array)[],
): LookResult<F> {
  if (responses.length < 2) {
    throw new InputError(`the look reward needs a group of at least 2 responses, not ${responses.length}`, {
      hint: "It is the disagreement between responses to one image. Sample more of them, or score one response by formatReward and accuracyReward alone.",
    });
  }
  const answers = responses.map((response) => boxesOf(response.answer));
  const regions = responses.map((response) => boxesOf(response.look));
  switch (config.kind) {
    case "count-variance":
    case "occupancy-variance": {
      const where = disagreement(truth.size, answers, {
        cells: config.cells,
        occupancy: config.kind === "occupancy-variance",
      });
      return { rewards: regions.map((looked) => softDice(where, looked)), disagreement: where };
    }
    case "instance-variance":
    case "hit-variance": {
      const uncertain =
        config.kind === "instance-variance" ? uncertainClusters(answers) : uncertainTruths(truth, matches);
      return { rewards: regions.map((looked) => lookF1(uncertain, looked)), uncertain };
    }
  }
}
