/**
 * @file Supervised fine-tuning on teacher text, with the prompts of GRPO: the base of a policy, and the baseline that
 * DIP-R1 is compared with. Knows no files: handed an engine and a source of samples, hands out one event a step.
 */
import { InputError } from "../base/errors.js";
import type { Datum, Engine } from "../engines/contract.js";
import { tokenWeights } from "./aggregation.js";
import { startState, type BatchSource, type LoopState } from "./batches.js";
import { microbatches } from "./microbatches.js";
import { adamAt, type OptimizerConfig, type TimeShare } from "./optimizer.js";
import { finite } from "./policy-update.js";
import { stopwatch, type Clock } from "./stopwatch.js";
import type { EncodedSample, SampleEncoder, TextCodec } from "./text.js";

/** Every choice of an SFT run; a recipe's `sft` section. */
export interface SftConfig {
  /** Steps of the whole run; schedules end here. */
  readonly steps: number;
  /** Images a step. */
  readonly batchSize: number;
  /** Tokens (prompts and completions) a forwardBackward call; gradients accumulate. @default no limit */
  readonly tokenBudget?: number;
  readonly optimizer: OptimizerConfig;
}

/** What {@link sft} works with. */
export interface SftOptions<S> {
  readonly engine: Engine;
  readonly source: BatchSource<S>;
  readonly encode: SampleEncoder<S>;
  /** The response to learn, boxes in the frame of `encoded.truth`; the end token is appended to it. */
  readonly teach: (sample: S, encoded: EncodedSample) => string;
  readonly codec: TextCodec;
  readonly config: SftConfig;
  /** Where to go on. The engine must hold the weights and the optimiser of that step. @default the start */
  readonly state?: LoopState;
  /** For the learning rate's schedule, where time ends the run. @default the steps alone count */
  readonly timeShare?: TimeShare;
  /** Milliseconds, for the seconds by phase. @default performance.now */
  readonly clock?: Clock;
}

/** The numbers to watch. */
export interface SftMetrics {
  /** Mean negative log-probability of a completion token, nats. */
  readonly loss: number;
  /** exp(loss). */
  readonly perplexity: number;
  /** Global norm before clipping. */
  readonly gradNorm: number;
  readonly learningRate: number;
  readonly examples: number;
  /** Completion tokens, end tokens included. */
  readonly tokens: number;
  readonly tokensPerSecond: number;
  readonly seconds: Readonly<Record<"prepare" | "train" | "optim" | "total", number>>;
}

/** One step of SFT. */
export interface SftStep {
  /** Steps done, this one included. */
  readonly step: number;
  /** To go on after this step. */
  readonly state: LoopState;
  readonly metrics: SftMetrics;
}

/** Teacher text as tokens, the end token appended. */
export function completionTokens(text: string, codec: TextCodec): Int32Array {
  const end = codec.endTokens[0];
  if (end === undefined) {
    throw new InputError("The tokenizer names no end token; a model trained on it would never stop.", {
      hint: "Look at eos_token in the checkpoint's generation_config.json or tokenizer_config.json.",
    });
  }
  const body = codec.encode(text);
  const tokens = new Int32Array(body.length + 1);
  tokens.set(body);
  tokens[body.length] = end;
  return tokens;
}

/**
 * Trains the engine's weights on teacher text by the mean over the batch's completion tokens; yields after each step,
 * with the weights of that step in place.
 *
 * @throws DipError where a loss is not finite, before it reaches the weights.
 */
export async function* sft<S>(options: SftOptions<S>): AsyncGenerator<SftStep> {
  const { engine, source, encode, teach, codec, config, clock = () => performance.now() } = options;
  let { step, cursor } = options.state ?? startState;
  for (; step < config.steps; step++, cursor += config.batchSize) {
    const watch = stopwatch(["prepare", "train", "optim"], clock);
    const samples = await source.take(cursor, config.batchSize);
    const examples = await watch.time("prepare", () =>
      Promise.all(
        samples.map(async (sample) => {
          const encoded = await encode(sample);
          return { prompt: encoded.prompt, tokens: completionTokens(teach(sample, encoded), codec) };
        }),
      ),
    );
    const lengths = examples.map(({ tokens }) => tokens.length);
    const weights = tokenWeights(lengths, { kind: "token" });
    const batch = examples.map((example, i): Datum => ({ ...example, weights: weights[i]! }));

    let loss = 0;
    for (const piece of microbatches(batch, config.tokenBudget)) {
      const report = await watch.time("train", () => engine.forwardBackward(piece, { kind: "crossEntropy" }));
      loss += finite(report.loss, "loss", step);
    }
    const adam = adamAt(config.optimizer, step, config.steps, options.timeShare);
    const { gradNorm } = await watch.time("optim", () => engine.optimStep(adam));

    const tokens = lengths.reduce((sum, length) => sum + length, 0);
    const total = watch.total();
    yield {
      step: step + 1,
      state: { step: step + 1, cursor: cursor + config.batchSize },
      metrics: {
        loss,
        perplexity: Math.exp(loss),
        gradNorm: finite(gradNorm, "gradient norm", step),
        learningRate: adam.learningRate,
        examples: batch.length,
        tokens,
        tokensPerSecond: total > 0 ? tokens / total : 0,
        seconds: { ...watch.seconds(), total },
      },
    };
  }
}
