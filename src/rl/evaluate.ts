/** @file Judging a sampler on samples: greedy or sampled responses, one record an image, in one batched pass. */
import { deriveSeed } from "../base/rng.js";
import type { Sample } from "../datasets/sample.js";
import type { Prompt, Rollout, Sampler, StopReason } from "../engines/contract.js";
import type { Box, FrameSize } from "../geometry/box.js";
import type { FrameReading } from "../geometry/frame-check.js";
import type { FrameSizes } from "../geometry/frames.js";
import { boxFromAnswer, type AnswerFrame, type CoordinateProfile } from "../geometry/profiles.js";
import {
  matchCandidates,
  matchFrom,
  type PredictedBox,
  type Tally,
  type TruthBoxes,
} from "../metrics/precision-recall.js";
import type { BenchmarkTruth } from "../metrics/benchmark-truth.js";
import { boxProbabilities, type BoxProbability } from "../metrics/scores.js";
import { parseResponse } from "../response/index.js";
import type { Grade, ParsedResponse } from "../response/types.js";
import { accuracyReward, formatReward, scoreGroup } from "../rewards/index.js";
import type { RewardConfig, RewardTruth } from "../rewards/types.js";
import { responseSpans, responseText, type TextCodec } from "./text.js";

/** A response, read; with a word on it where it is not in the form that was declared. */
export type ReadResponse = ParsedResponse<AnswerFrame> & { readonly mismatch?: string };

/** How responses of another form than Think-Look-Answer are read (response/dialects). */
export interface ResponseReader {
  /** @param size canvas of the profile's frame, which boxes are given in. */
  readonly read: (text: string, size: FrameSize<AnswerFrame>) => ReadResponse;
  /** What the numbers are as they are written, for the check of frames. */
  readonly reading: FrameReading;
}

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
  /** Which numbers the model speaks; the encoder's ground truth must be in that frame. @default "absolute" */
  readonly profile?: CoordinateProfile;
  /** @default Think-Look-Answer, corners in the profile's frame */
  readonly reader?: ResponseReader;
  readonly rewards: RewardConfig;
}

/** A sample as the model meets it, its ground truth in the frame of the profile. A `SampleEncoder` gives those of `absolute`. */
export interface EvaluationSample {
  readonly prompt: Prompt;
  readonly truth: RewardTruth<AnswerFrame>;
}

/** One response to one image, in pixels of the original image. */
export interface EvaluatedResponse {
  readonly text: string;
  readonly grade: Grade;
  /** In which way it is not in the declared dialect. */
  readonly mismatch?: string;
  readonly stopReason: StopReason;
  readonly tokens: number;
  readonly think?: string;
  readonly look: readonly Box<"image">[];
  readonly answer: readonly PredictedBox<"image">[];
  /** Index of the truth each answer box matched at IoU 0.5, -1 = none, -2 = ignored. */
  readonly matches: readonly number[];
  /** How sure the sampler was of each answer box; absent where it told no log-probabilities. */
  readonly probabilities?: readonly BoxProbability[];
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
  /** Which numbers the model spoke; absent in records of before there was a choice (`absolute`). */
  readonly profile?: CoordinateProfile;
  /** What its numbers are as it writes them, where that is not corners in the profile's frame. */
  readonly reading?: FrameReading;
  /** The size the model was shown, where that is known. */
  readonly shown?: FrameSize<"model">;
  readonly truth: TruthBoxes<"image">;
  /** What the benchmark's own evaluator reads of it, where the data is a benchmark's. */
  readonly benchmark?: BenchmarkTruth;
  readonly responses: readonly EvaluatedResponse[];
}

/** What {@link evaluateImages} works with. */
export interface EvaluationOptions<S extends Pick<Sample, "id" | "width" | "height">> {
  readonly sampler: Sampler;
  readonly samples: Iterable<S> | AsyncIterable<S>;
  /** Its ground truth is the one judged by: the same as in training. */
  readonly encode: (sample: S) => EvaluationSample | Promise<EvaluationSample>;
  readonly codec: TextCodec;
  readonly config: EvaluationConfig;
  /** What the benchmark's own evaluator reads of an image (by the sample's id), to be kept with its record. */
  readonly benchmark?: (id: string) => BenchmarkTruth | undefined;
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
      const judged = judgeImage(
        sample,
        encoded[i]!,
        rollouts[i]!,
        codec,
        config.rewards,
        config.profile,
        config.reader,
      );
      const truth = options.benchmark?.(sample.id);
      yield truth === undefined ? judged : { ...judged, benchmark: truth };
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

/** The size of the picture in a prompt. */
function shownSize({ chunks }: Prompt): FrameSize<"model"> | undefined {
  const chunk = chunks.find((one) => one.kind === "image");
  return chunk === undefined ? undefined : { width: chunk.image.width, height: chunk.image.height };
}

/** Reads and matches the responses to one image; pure. */
export function judgeImage(
  sample: Pick<Sample, "id" | "width" | "height">,
  { prompt, truth }: EvaluationSample,
  rollouts: readonly Rollout[],
  codec: TextCodec,
  rewards: RewardConfig,
  profile: CoordinateProfile = "absolute",
  reader?: ResponseReader,
): EvaluatedImage {
  const image = { width: sample.width, height: sample.height };
  const { width, height } = truth.size;
  const shown = shownSize(prompt) ?? (profile === "absolute" ? { width, height } : undefined);
  // Thousandths do not depend on the size shown: any will do where it is not known.
  const sizes: FrameSizes = { image, model: profile === "absolute" ? { width, height } : (shown ?? image) };
  const toImage = (box: Box<AnswerFrame>): Box<"image"> => boxFromAnswer(box, profile, sizes);
  const there: TruthBoxes<"image"> = {
    objects: truth.objects.map((object) => ({ ...object, box: toImage(object.box) })),
    ignore: truth.ignore.map(toImage),
  };
  const texts = rollouts.map((rollout) => responseText(rollout, codec));
  const parsed = texts.map(
    (text): ReadResponse => reader?.read(text, truth.size) ?? parseResponse(text, truth.size),
  );
  const group = parsed.length > 1 ? scoreGroup(truth, parsed, rewards) : undefined;
  const responses = parsed.map((response, i): EvaluatedResponse => {
    const boxes = response.answer?.boxes ?? [];
    const answer = boxes.map(({ box, label }) => ({ box: toImage(box), label }));
    const candidates = matchCandidates(answer, there, 0.5);
    const { matches, ...at50 } = matchFrom(candidates, 0.5);
    const { matches: _, ...at75 } = matchFrom(candidates, 0.75);
    const rollout = rollouts[i]!;
    const told = rollout.logprobs.length === rollout.tokens.length;
    return {
      text: texts[i]!,
      grade: response.grade,
      ...(response.mismatch !== undefined && { mismatch: response.mismatch }),
      stopReason: rollout.stopReason,
      tokens: rollout.tokens.length,
      think: response.think,
      look: (response.look?.boxes ?? []).map(({ box }) => toImage(box)),
      answer,
      matches,
      ...(told && {
        probabilities:
          boxes.length === 0
            ? []
            : boxProbabilities(texts[i]!, boxes, responseSpans(rollout, codec), rollout.logprobs),
      }),
      at50,
      at75,
      format: formatReward(response),
      accuracy: accuracyReward(truth, response, rewards.accuracy).value,
      lookReward: group?.responses[i]!.look,
    };
  });
  return {
    id: sample.id,
    ...image,
    profile,
    ...(reader !== undefined && { reading: reader.reading }),
    ...(shown !== undefined && { shown }),
    truth: there,
    responses,
  };
}
