/** @file Judging a sampler on samples: greedy or sampled responses, one record an image, in one batched pass. */
import { deriveSeed } from "../base/rng.js";
import type { Sample } from "../datasets/sample.js";
import type { Rollout, Sampler, StopReason } from "../engines/contract.js";
import type { Box } from "../geometry/box.js";
import { modelToImage, type FrameSizes } from "../geometry/frames.js";
import {
  matchInstances,
  type PredictedBox,
  type Tally,
  type TruthBoxes,
} from "../metrics/precision-recall.js";
import { parseResponse } from "../response/index.js";
import type { Grade, ParsedResponse } from "../response/types.js";
import { accuracyReward, formatReward, scoreGroup } from "../rewards/index.js";
import type { RewardConfig } from "../rewards/types.js";
import { responseText, type EncodedSample, type SampleEncoder, type TextCodec } from "./text.js";

/** How responses are drawn and scored. */
export interface EvaluationConfig {
  /** 0 is greedy. @default 0 */
  readonly temperature?: number;
  /** Responses an image. @default 1 */
  readonly n?: number;
  /** Longest response, tokens. */
  readonly maxTokens: number;
  /** A response that writes one box this often within one section is ended; 0 = never. @default 0 */
  readonly maxBoxRepeats?: number;
  /** Responses depend on this and on the sample's id, not on what else is evaluated. @default 0 */
  readonly seed?: number;
  /** Images decoded together. @default 8 */
  readonly batchSize?: number;
  readonly rewards: RewardConfig;
}

/** One response to one image, in pixels of the original image. */
export interface EvaluatedResponse {
  readonly text: string;
  readonly grade: Grade;
  readonly stopReason: StopReason;
  readonly tokens: number;
  readonly think?: string;
  readonly look: readonly Box<"image">[];
  readonly answer: readonly PredictedBox<"image">[];
  /** Index of the truth each answer box matched at IoU 0.5, -1 = none, -2 = ignored. */
  readonly matches: readonly number[];
  readonly at50: Tally;
  readonly at75: Tally;
  readonly format: number;
  readonly accuracy: number;
  /** Absent for a single response: one has no disagreement. */
  readonly lookReward?: number;
}

/** One image: what is there (pixels of the original) and every response. */
export interface EvaluatedImage {
  readonly id: string;
  readonly width: number;
  readonly height: number;
  readonly truth: TruthBoxes<"image">;
  readonly responses: readonly EvaluatedResponse[];
}

/** What {@link evaluateImages} works with. */
export interface EvaluationOptions<S extends Pick<Sample, "id" | "width" | "height">> {
  readonly sampler: Sampler;
  readonly samples: Iterable<S> | AsyncIterable<S>;
  /** Its ground truth is the one judged by: the same as in training. */
  readonly encode: SampleEncoder<S>;
  readonly codec: TextCodec;
  readonly config: EvaluationConfig;
}

/** Evaluates sample by sample, in their order; the sampler stays open. */
export async function* evaluateImages<S extends Pick<Sample, "id" | "width" | "height">>(
  options: EvaluationOptions<S>,
): AsyncGenerator<EvaluatedImage> {
  const { sampler, samples, encode, codec, config } = options;
  const { temperature = 0, n = 1, maxTokens, maxBoxRepeats = 0, seed = 0, batchSize = 8 } = config;
  async function* judge(batch: readonly S[]): AsyncGenerator<EvaluatedImage> {
    const encoded = await Promise.all(batch.map(encode));
    const rollouts = await sampler.sampleBatch(
      encoded.map(({ prompt }) => prompt),
      batch.map(({ id }) => ({
        n,
        temperature,
        maxTokens,
        maxBoxRepeats,
        seed: deriveSeed(seed, "evaluate", id),
        stop: codec.endTokens,
      })),
    );
    for (const [i, sample] of batch.entries()) {
      yield judgeImage(sample, encoded[i]!, rollouts[i]!, codec, config.rewards);
    }
  }
  let batch: S[] = [];
  for await (const sample of samples) {
    batch.push(sample);
    if (batch.length < batchSize) continue;
    yield* judge(batch);
    batch = [];
  }
  if (batch.length > 0) yield* judge(batch);
}

/** Reads and matches the responses to one image; pure. */
export function judgeImage(
  sample: Pick<Sample, "id" | "width" | "height">,
  { truth }: EncodedSample,
  rollouts: readonly Rollout[],
  codec: TextCodec,
  rewards: RewardConfig,
): EvaluatedImage {
  const sizes: FrameSizes = { image: { width: sample.width, height: sample.height }, model: truth.size };
  const there: TruthBoxes<"image"> = {
    objects: truth.objects.map(({ box, label }) => ({ box: modelToImage(box, sizes), label })),
    ignore: truth.ignore.map((box) => modelToImage(box, sizes)),
  };
  const texts = rollouts.map((rollout) => responseText(rollout, codec));
  const parsed = texts.map((text): ParsedResponse<"model"> => parseResponse(text, truth.size));
  const group = parsed.length > 1 ? scoreGroup(truth, parsed, rewards) : undefined;
  const responses = parsed.map((response, i): EvaluatedResponse => {
    const answer = (response.answer?.boxes ?? []).map(({ box, label }) => ({
      box: modelToImage(box, sizes),
      label,
    }));
    const { matches, ...at50 } = matchInstances(answer, there, 0.5);
    const { matches: _, ...at75 } = matchInstances(answer, there, 0.75);
    return {
      text: texts[i]!,
      grade: response.grade,
      stopReason: rollouts[i]!.stopReason,
      tokens: rollouts[i]!.tokens.length,
      think: response.think,
      look: (response.look?.boxes ?? []).map(({ box }) => modelToImage(box, sizes)),
      answer,
      matches,
      at50,
      at75,
      format: formatReward(response),
      accuracy: accuracyReward(truth, response, rewards.accuracy).value,
      lookReward: group?.responses[i]!.look,
    };
  });
  return { id: sample.id, width: sample.width, height: sample.height, truth: there, responses };
}
