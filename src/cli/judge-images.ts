/** @file Responses of an opened model to samples, read and judged: what `detect` and `eval` have in common. */
import type { Sample } from "../datasets/sample.js";
import type { LocalModel } from "../engines/local/engine.js";
import type { BenchmarkTruth } from "../metrics/benchmark-truth.js";
import type { RewardConfig } from "../rewards/types.js";
import type { EvaluatedImage, TaskOptions } from "../rl/index.js";
import type { ServedModel } from "./openai-judge.js";

/** Options of {@link judgeImages}. */
export interface JudgeOptions {
  readonly task: TaskOptions;
  readonly rewards: RewardConfig;
  /** Longest response, tokens. */
  readonly maxTokens: number;
  /** Of sampled responses. */
  readonly seed: number;
  /** Responses an image at temperature 1; 0 = one greedy response. @default 0 */
  readonly sampled?: number;
  /** What the benchmark's own evaluator reads of an image, to be kept with its record. */
  readonly benchmark?: (id: string) => BenchmarkTruth | undefined;
}

/** How often a response may write one box before it is ended: as in the shipped recipes. */
export const MAX_BOX_REPEATS = 4;

/** One record a sample, in their order; the model stays open. */
export async function* judgeImages(
  model: LocalModel | ServedModel,
  samples: Iterable<Sample> | AsyncIterable<Sample>,
  { task, rewards, maxTokens, seed, sampled = 0, benchmark }: JudgeOptions,
): AsyncGenerator<EvaluatedImage> {
  const { evaluateImages, qwenCodec, qwenEncoder } = await import("../rl/index.js");
  const parts =
    "processor" in model
      ? {
          encode: qwenEncoder(model.processor, task),
          codec: qwenCodec(model.processor, model.config.tokens.eos),
          config: task.profile ? { profile: task.profile } : {},
        }
      : model;
  yield* evaluateImages({
    sampler: model.sampler,
    samples,
    encode: parts.encode,
    ...(benchmark && { benchmark }),
    codec: parts.codec,
    config: {
      temperature: sampled > 0 ? 1 : 0,
      n: Math.max(1, sampled),
      maxTokens,
      maxBoxRepeats: MAX_BOX_REPEATS,
      seed,
      ...parts.config,
      rewards,
    },
  });
}
