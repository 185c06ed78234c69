/** @file What a GRPO step tells: a record of every response, and the numbers to watch. Plain data, ready for JSON. */
import type { StopReason } from "../engines/contract.js";
import type { Box } from "../geometry/box.js";
import type { AnswerFrame } from "../geometry/profiles.js";
import { precisionRecall } from "../metrics/precision-recall.js";
import type { Grade } from "../response/types.js";
import type { GroupScore, ResponseScore, RewardTruth } from "../rewards/types.js";
import { mean, sampleStd } from "./advantage.js";
import type { LoopState } from "./batches.js";
import type { Trajectory, UpdateReport } from "./policy-update.js";
import type { BatchesAhead } from "./rollout-pipeline.js";
import type { ScoredGroup } from "./rollouts.js";
import type { Stopwatch } from "./stopwatch.js";
import { responseSpans, type TextCodec } from "./text.js";

/** Phases of a step. */
export const phases = ["prepare", "sample", "reward", "reference", "train", "optim"] as const;
/** A phase of a step. */
export type Phase = (typeof phases)[number];

/** What is known of each token of a response. All arrays have its length. */
export interface TokenRecord {
  /** Where each token ends in the response's text; the end token ends where the text does. */
  readonly ends: readonly number[];
  /** When it was sampled, nats. */
  readonly logprobs: readonly number[];
  /** Under the reference; absent where there is none. */
  readonly referenceLogprobs?: readonly number[];
  /** As the loss took it: with credit by box and, where placed there, the KL penalty. */
  readonly advantages: readonly number[];
}

/** One response, what it says and what it earned. */
export interface ResponseRecord extends ResponseScore {
  readonly text: string;
  /** Boxes in the frame of the answers. */
  readonly lookBoxes: readonly Box<AnswerFrame>[];
  readonly answerBoxes: readonly Box<AnswerFrame>[];
  /** A_i, before credit by box and KL. */
  readonly advantage: number;
  readonly tokens: number;
  /** Mean log-probability of its tokens when sampled. */
  readonly meanLogprob: number;
  readonly stopReason: StopReason;
  readonly perToken: TokenRecord;
}

/** One group: an image and the responses to it. */
export interface GroupRecord {
  readonly sampleId: string;
  readonly truth: RewardTruth<AnswerFrame>;
  readonly responses: readonly ResponseRecord[];
  readonly disagreement?: GroupScore["disagreement"];
}

/** Mean and sample standard deviation over all responses of the step, and the mean spread within a group. */
export interface RewardSpread {
  readonly mean: number;
  readonly std: number;
  readonly groupStd: number;
}

/** The numbers to watch. Shares are 0..1. */
export interface GrpoMetrics extends Omit<UpdateReport, "agreement"> {
  readonly reward: RewardSpread;
  readonly format: RewardSpread;
  readonly look: RewardSpread;
  readonly accuracy: RewardSpread;
  /** Micro, over all sampled answers. */
  readonly precision: number;
  readonly recall: number;
  readonly f1: number;
  /** Groups whose rewards are all the same. */
  readonly zeroStdShare: number;
  /** Share of responses of each grade. */
  readonly grades: Readonly<Record<Grade, number>>;
  /** Steps between the weights that sampled the batch and those that it trains. */
  readonly staleness: number;
  /** Mean |logp_sample - logp_train|, and its maximum, nats: with staleness 0 the two sides' disagreement, else the policy's way since. */
  readonly logprobGap: number;
  readonly maxLogprobGap: number;
  readonly effectiveSampleShare: number;
  /** Mean negative log-probability of the sampled tokens, an estimate of the policy's entropy, nats a token. */
  readonly entropy: number;
  readonly responses: number;
  readonly responseTokens: { readonly mean: number; readonly max: number };
  readonly answerBoxes: number;
  /** Answer boxes that a response had already said, letter by letter. */
  readonly duplicateShare: number;
  /** Answer boxes that could not be used, a response. */
  readonly dropped: number;
  readonly truncatedShare: number;
  readonly loopShare: number;
  /** Response tokens of the step by its whole time, and by the time of sampling alone. */
  readonly tokensPerSecond: number;
  readonly sampledTokensPerSecond: number;
  readonly seconds: Readonly<Record<Phase | "total", number>>;
}

/** One step of GRPO. */
export interface GrpoStep {
  /** Steps done, this one included. */
  readonly step: number;
  /** To go on after this step, with `ahead` beside it where that is there. */
  readonly state: LoopState;
  /** Waits for the batches that are sampled ahead and gives them for {@link LoopState.ahead}; absent where none are. */
  readonly ahead?: BatchesAhead;
  readonly groups: readonly GroupRecord[];
  readonly metrics: GrpoMetrics;
}

function tokenRecord(
  spans: readonly { readonly end: number }[],
  { sampledLogprobs, referenceLogprobs, advantages }: Trajectory,
): TokenRecord {
  return {
    ends: spans.map(({ end }) => end),
    logprobs: Array.from(sampledLogprobs),
    ...(referenceLogprobs && { referenceLogprobs: Array.from(referenceLogprobs) }),
    advantages: Array.from(advantages),
  };
}

/** Records of all responses. */
export function grpoRecords(
  groups: readonly ScoredGroup[],
  advantages: readonly (readonly number[])[],
  trajectories: readonly (readonly Trajectory[])[],
  codec: TextCodec,
): GroupRecord[] {
  return groups.map((group, i) => ({
    sampleId: group.id,
    truth: group.truth,
    disagreement: group.score.disagreement,
    responses: group.rollouts.map((rollout, j) => ({
      ...group.score.responses[j]!,
      text: group.texts[j]!,
      lookBoxes: (group.responses[j]!.look?.boxes ?? []).map(({ box }) => box),
      answerBoxes: (group.responses[j]!.answer?.boxes ?? []).map(({ box }) => box),
      advantage: advantages[i]![j]!,
      tokens: rollout.tokens.length,
      meanLogprob: rollout.tokens.length === 0 ? 0 : mean(Array.from(rollout.logprobs)),
      stopReason: rollout.stopReason,
      perToken: tokenRecord(responseSpans(rollout, codec), trajectories[i]![j]!),
    })),
  }));
}

function spread(
  groups: readonly ScoredGroup[],
  part: "format" | "look" | "accuracy" | "total",
): RewardSpread {
  const values = groups.map(({ score }) => score.responses.map((response) => response[part]));
  return { mean: mean(values.flat()), std: sampleStd(values.flat()), groupStd: mean(values.map(sampleStd)) };
}

/** The numbers of a step. */
export function grpoMetrics(
  groups: readonly ScoredGroup[],
  zeroStdGroups: number,
  update: UpdateReport,
  watch: Stopwatch<Phase>,
): Omit<GrpoMetrics, "staleness"> {
  const rollouts = groups.flatMap((group) => group.rollouts);
  const scores = groups.flatMap(({ score, truth }) =>
    score.responses.map((response) => ({ ...response, truths: truth.objects.length })),
  );
  const share = (count: number): number => count / rollouts.length;
  const gradeShare = (grade: Grade): number => share(scores.filter((score) => score.grade === grade).length);
  const lengths = rollouts.map(({ tokens }) => tokens.length);
  const tokens = lengths.reduce((sum, length) => sum + length, 0);
  const negative = rollouts.reduce(
    (sum, { logprobs }) => logprobs.reduce((a, logprob) => a - logprob, sum),
    0,
  );
  const boxes = groups.flatMap(({ responses }) => responses.map((response) => response.answer?.boxes ?? []));
  const said = boxes.reduce((sum, list) => sum + list.length, 0);
  const distinct = boxes.reduce(
    (sum, list) => sum + new Set(list.map(({ box }) => `${box.x1},${box.y1},${box.x2},${box.y2}`)).size,
    0,
  );
  const seconds = watch.seconds();
  const total = watch.total();
  const { agreement, ...updated } = update;
  return {
    reward: spread(groups, "total"),
    format: spread(groups, "format"),
    look: spread(groups, "look"),
    accuracy: spread(groups, "accuracy"),
    ...precisionRecall(
      scores.map(({ matches, predictions, truths }) => ({
        truePositives: matches.filter((match) => match >= 0).length,
        predictions,
        truths,
      })),
    ),
    zeroStdShare: zeroStdGroups / groups.length,
    grades: {
      strict: gradeShare("strict"),
      repaired: gradeShare("repaired"),
      truncated: gradeShare("truncated"),
      none: gradeShare("none"),
    },
    ...updated,
    logprobGap: agreement.meanGap,
    maxLogprobGap: agreement.maxGap,
    effectiveSampleShare: agreement.effectiveSampleShare,
    entropy: tokens === 0 ? 0 : negative / tokens,
    responses: rollouts.length,
    responseTokens: { mean: tokens / rollouts.length, max: Math.max(...lengths) },
    answerBoxes: share(said),
    duplicateShare: said === 0 ? 0 : (said - distinct) / said,
    dropped: share(scores.reduce((sum, { dropped }) => sum + dropped, 0)),
    truncatedShare: share(rollouts.filter(({ stopReason }) => stopReason === "length").length),
    loopShare: share(rollouts.filter(({ stopReason }) => stopReason === "loop").length),
    tokensPerSecond: total > 0 ? tokens / total : 0,
    sampledTokensPerSecond: seconds.sample > 0 ? tokens / seconds.sample : 0,
    seconds: { ...seconds, total },
  };
}
