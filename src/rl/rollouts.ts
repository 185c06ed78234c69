/** @file First half of a GRPO step: prompts, rollouts, what they say, and what they earned. */
import { deriveSeed } from "../base/rng.js";
import type { Rollout, Sampler } from "../engines/contract.js";
import type { AnswerFrame } from "../geometry/profiles.js";
import type { ParsedResponse } from "../response/types.js";
import { boxCredit, coordinateCredit, numberSpans, scoreGroup } from "../rewards/index.js";
import type { GroupScore, RewardConfig } from "../rewards/types.js";
import { parseResponse } from "../response/index.js";
import { boxCreditAdvantages, type Credit, type CreditedBox } from "./credit.js";
import type { GrpoConfig } from "./grpo-config.js";
import { responseSpans, responseText, type EncodedSample, type TextCodec } from "./text.js";

/** The G responses to one image. */
export interface ScoredGroup extends EncodedSample {
  readonly id: string;
  readonly rollouts: readonly Rollout[];
  readonly texts: readonly string[];
  readonly responses: readonly ParsedResponse<AnswerFrame>[];
  readonly score: GroupScore;
}

/** Draws a group for each sample; with `recomputed` old log-probabilities where asked, under the same weights. */
export async function sampleGroups(
  sampler: Sampler,
  samples: readonly EncodedSample[],
  config: GrpoConfig,
  stop: readonly number[],
  step: number,
): Promise<{ rollouts: Rollout[][]; oldLogprobs: Float32Array[][] }> {
  const rollouts = await sampler.sampleBatch(
    samples.map(({ prompt }) => prompt),
    samples.map((_, image) => ({
      ...config.sampling,
      n: config.groupSize,
      seed: deriveSeed(config.seed, "rollout", step, image),
      stop,
    })),
  );
  if (config.oldLogprobs !== "recomputed") {
    return { rollouts, oldLogprobs: rollouts.map((group) => group.map(({ logprobs }) => logprobs)) };
  }
  const items = rollouts.flatMap((group, i) =>
    group.map(({ tokens }) => ({ prompt: samples[i]!.prompt, tokens })),
  );
  const flat = await sampler.logprobsBatch(items, config.sampling.temperature);
  return { rollouts, oldLogprobs: regroup(flat, rollouts) };
}

/** A flat list cut into runs as long as those of `like`. */
export function regroup<T>(flat: readonly T[], like: readonly (readonly unknown[])[]): T[][] {
  let at = 0;
  return like.map((group) => flat.slice(at, (at += group.length)));
}

/** Reads and scores one group. */
export function scoreRollouts(
  id: string,
  sample: EncodedSample,
  rollouts: readonly Rollout[],
  codec: TextCodec,
  rewards: RewardConfig,
): ScoredGroup {
  const texts = rollouts.map((rollout) => responseText(rollout, codec));
  const responses = texts.map((text) => parseResponse(text, sample.truth.size));
  return { ...sample, id, rollouts, texts, responses, score: scoreGroup(sample.truth, responses, rewards) };
}

/** Advantages of every token of a group's responses, from the advantages of the responses. */
export function tokenAdvantages(
  group: ScoredGroup,
  advantages: readonly number[],
  credit: Credit,
  codec: TextCodec,
  rewards: RewardConfig,
): Float32Array[] {
  if (credit.kind === "response") {
    return group.rollouts.map(({ tokens }, i) => new Float32Array(tokens.length).fill(advantages[i]!));
  }
  const credits = boxCredit(group.truth, group.responses, rewards.accuracy, credit.baseline);
  const { coordinates = 0 } = credit;
  const byNumber =
    coordinates > 0
      ? coordinateCredit(group.truth, group.responses, rewards.accuracy.iouThreshold)
      : undefined;
  return group.rollouts.map((rollout, i) => {
    const boxes = group.responses[i]!.answer?.boxes ?? [];
    return boxCreditAdvantages(
      advantages[i]!,
      responseSpans(rollout, codec),
      boxes.map(({ start, end }, b): CreditedBox => {
        const { z } = credits[i]![b]!;
        const worths = byNumber?.[i]![b];
        const numbers = worths && numberSpans(group.texts[i]!, start, end);
        return {
          start,
          end,
          z,
          ...(numbers && {
            numbers: numbers.map((span, k) => ({
              ...span,
              z: (1 - coordinates) * z + coordinates * worths[k]!,
            })),
          }),
        };
      }),
      credit.mix ?? 0.7,
    );
  });
}
