/**
 * @file Why each response of a group earned what it did (design, section 4): which box hit which object, what was invented,
 * doubled or missed, where the group disagrees and who looked there, and how each number enters the total. The numbers are
 * those of {@link scoreGroup}, taken apart; nothing is computed otherwise.
 */
import type { Box, Frame } from "../geometry/index.js";
import { parseResponse } from "../response/parser.js";
import type { Grade } from "../response/types.js";
import { accuracyReward, type AccuracyResult } from "./accuracy.js";
import { defaultRewardConfig } from "./config.js";
import { explainAnswer, type ExplainedAnswer } from "./explain-answer.js";
import { formFaults } from "./explain-form.js";
import {
  explainGridLook,
  explainInstanceLook,
  hotSpots,
  type GridLook,
  type HotSpot,
  type InstanceLook,
} from "./explain-look.js";
import { lookRewards } from "./look.js";
import { scoreGroup } from "./total.js";
import type { GroupScore, ResponseScore, RewardConfig, RewardTruth } from "./types.js";

/** One summand of the total. */
export interface ExplainedTerm {
  readonly part: "format" | "look" | "accuracy";
  /** In [0, 1]. */
  readonly value: number;
  readonly weight: number;
  /** weight * value: what it adds to the total. */
  readonly adds: number;
  /** How the value came about, in words and numbers. */
  readonly because: string;
}

/** One response, taken apart. */
export interface ExplainedResponse<F extends Frame = Frame> {
  /** Place in the group, from 0. */
  readonly index: number;
  readonly grade: Grade;
  readonly total: number;
  /** format, look, accuracy. */
  readonly terms: readonly ExplainedTerm[];
  /** What keeps the format reward from it; empty where it is earned. */
  readonly faults: readonly string[];
  readonly answer: ExplainedAnswer<F>;
  readonly precision: number;
  readonly recall: number;
  /** Answer boxes that could not be used: empty, outside or not finite. */
  readonly dropped: number;
  readonly look: GridLook<F> | InstanceLook<F>;
}

/** A group, taken apart. */
export interface ExplainedGroup<F extends Frame = Frame> {
  readonly config: RewardConfig;
  readonly truth: RewardTruth<F>;
  readonly responses: readonly ExplainedResponse<F>[];
  /** The grid kinds: the variance map of the whole group, 0..1, row-major. */
  readonly disagreement?: GroupScore["disagreement"];
  /** The grid kinds: where the map is hot. */
  readonly spots?: readonly HotSpot<F>[];
  /** The instance kinds: what the group is unsure of. */
  readonly uncertain?: readonly Box<F>[];
}

const three = (value: number) => value.toFixed(3);

function accuracyWords(
  { value, precision, recall, match }: AccuracyResult,
  objects: number,
  grade: Grade,
  { shape, soft, iouThreshold }: RewardConfig["accuracy"],
): string {
  const { truePositives, predictions, iouSum } = match;
  if (grade === "none") return "no answer could be read";
  if (predictions === 0 && objects === 0) return "nothing to find and nothing said";
  if (predictions === 0) return `nothing said of ${objects}`;
  if (objects === 0) return `${predictions} said where there is nothing to find`;
  const hits = soft ? `${three(iouSum)} (summed IoU of ${truePositives} pairs)` : String(truePositives);
  const shares = `P = ${hits}/${predictions} = ${three(precision)}, R = ${hits}/${objects} = ${three(recall)}, pairs from IoU ${iouThreshold} on`;
  if (shape.kind === "linear") {
    const { precisionWeight: wp, recallWeight: wr } = shape;
    return `(${wp} P + ${wr} R) / ${wp + wr} = ${three(value)}; ${shares}`;
  }
  const square = shape.beta * shape.beta;
  return `${1 + square} P R / (${square} P + R) = ${three(value)}; ${shares}`;
}

function lookWords(look: GridLook | InstanceLook, others: boolean): string {
  const who = others ? "the others" : "the group";
  const regions = look.regions.length;
  if (look.kind === "grid") {
    if (!look.any)
      return `${who} agree${others ? "" : "s"} everywhere, and ${regions} regions were looked at`;
    const { shared, squares, looked, share } = look;
    return (
      `2 * ${three(shared)} / (${three(squares)} + ${looked} cells) = ${three((2 * shared) / (squares + looked))}; ` +
      `${(100 * share).toFixed(0)}% of what ${who} disagree${others ? "" : "s"} about is looked at`
    );
  }
  const { uncertain, found } = look;
  if (uncertain.length === 0)
    return `${who} ${others ? "are" : "is"} sure, and ${regions} regions were looked at`;
  return `2 * ${found} / (${uncertain.length} uncertain + ${regions} regions) = ${three((2 * found) / (uncertain.length + regions))}`;
}

/**
 * Explains the responses to one image.
 *
 * @param truth ground truth in the frame the responses are written in
 * @param texts at least 2 responses
 * @throws InputError for a group of fewer than 2 or options out of range
 * @example explainGroup(truth, texts).responses[0]!.answer.missed
 */
export function explainGroup<F extends Frame>(
  truth: RewardTruth<F>,
  texts: readonly string[],
  config: RewardConfig = defaultRewardConfig,
): ExplainedGroup<F> {
  const parsed = texts.map((text) => parseResponse<F>(text, truth.size));
  const score = scoreGroup(truth, parsed, config);
  const accuracies = parsed.map((response) => accuracyReward(truth, response, config.accuracy));
  const looks = lookRewards(
    truth,
    parsed,
    config.look,
    accuracies.map(({ match }) => match.matches),
  );
  const others = config.look.over === "others" && texts.length > 2;
  const responses = parsed.map((response, index): ExplainedResponse<F> => {
    const scored: ResponseScore = score.responses[index]!;
    const regions = response.look?.boxes.map(({ box }) => box) ?? [];
    const judge = looks.judges?.[index];
    const look =
      judge === undefined
        ? explainInstanceLook(looks.uncertainFor![index]!, regions)
        : explainGridLook(judge, regions);
    const faults = formFaults(texts[index]!, truth.size);
    const because = {
      format: faults.length === 0 ? "well formed" : faults.join("; "),
      look: lookWords(look, others),
      accuracy: accuracyWords(accuracies[index]!, truth.objects.length, response.grade, config.accuracy),
    };
    return {
      index,
      grade: scored.grade,
      total: scored.total,
      terms: (["format", "look", "accuracy"] as const).map((part) => ({
        part,
        value: scored[part],
        weight: config.weights[part],
        adds: config.weights[part] * scored[part],
        because: because[part],
      })),
      faults,
      answer: explainAnswer(
        truth,
        response.answer?.boxes ?? [],
        accuracies[index]!.match,
        config.accuracy.iouThreshold,
      ),
      precision: scored.precision,
      recall: scored.recall,
      dropped: scored.dropped,
      look,
    };
  });
  return {
    config,
    truth,
    responses,
    ...(score.disagreement && { disagreement: score.disagreement }),
    ...(looks.disagreement && { spots: hotSpots(looks.disagreement) }),
    ...(looks.uncertain && { uncertain: looks.uncertain }),
  };
}
