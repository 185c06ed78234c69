/** @file The look reward (design, 4.4): paid for looking where the group's answers disagree. */
import { InputError } from "../base/errors.js";
import { linkBoxes, type Box, type Frame } from "../geometry/index.js";
import type { ParsedResponse, ParsedSection } from "../response/types.js";
import { countAnswers, disagreementOf, softDice, type Disagreement } from "./disagreement.js";
import type { RewardConfig, RewardTruth } from "./types.js";
import { CLUSTER_IOU, lookF1, uncertainClusters, uncertainTruths } from "./uncertain.js";

/** The look rewards of a group. */
export interface LookResult<F extends Frame = Frame> {
  /** By response, in [0, 1]. */
  readonly rewards: readonly number[];
  /** The grid kinds: where the group disagrees. */
  readonly disagreement?: Disagreement<F>;
  /** By response, what it was judged by: the group's disagreement, or that of the others. */
  readonly judges?: readonly Disagreement<F>[];
  /** The instance kinds: the instances the group is unsure of. */
  readonly uncertain?: readonly Box<F>[];
  /** By response, what it was judged by: those of the group, or of the others. */
  readonly uncertainFor?: readonly (readonly Box<F>[])[];
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
  // One other response alone cannot disagree.
  const others = config.over === "others" && responses.length > 2;
  switch (config.kind) {
    case "count-variance":
    case "occupancy-variance": {
      const counted = countAnswers(truth.size, answers, {
        cells: config.cells,
        occupancy: config.kind === "occupancy-variance",
      });
      const group = disagreementOf(counted);
      const judges = regions.map((_, i) => (others ? disagreementOf(counted, i) : group));
      return {
        rewards: regions.map((looked, i) => softDice(judges[i]!, looked)),
        disagreement: group,
        judges,
      };
    }
    case "instance-variance":
    case "hit-variance": {
      const linked = config.kind === "instance-variance" ? linkBoxes(answers, CLUSTER_IOU) : undefined;
      const uncertainOf = (left?: number): Box<F>[] =>
        linked === undefined
          ? uncertainTruths(truth, left === undefined ? matches : matches.toSpliced(left, 1))
          : uncertainClusters(linked, left);
      const group = uncertainOf();
      const uncertainFor = regions.map((_, i) => (others ? uncertainOf(i) : group));
      return {
        rewards: regions.map((looked, i) => lookF1(uncertainFor[i]!, looked)),
        uncertain: group,
        uncertainFor,
      };
    }
  }
}
