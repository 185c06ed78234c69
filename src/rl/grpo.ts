/**
 * @file GRPO with the three rewards of DIP-R1 (design, sections 3 and 4.5), the main way through the house:
 * sample -> prompt -> engine.sample -> rollouts -> parse -> rewards (by group) -> advantages -> engine.forwardBackward
 * -> optimStep. Knows no files: it is handed an engine and a source of samples, and hands out one event a step.
 */
import type { Engine } from "../engines/contract.js";
import { groupAdvantages } from "./advantage.js";
import { startState, type BatchSource, type LoopState } from "./batches.js";
import { withKlPenalty } from "./credit.js";
import { checkGrpoConfig, type GrpoConfig } from "./grpo-config.js";
import { grpoMetrics, grpoRecords, phases, type GrpoStep } from "./grpo-step.js";
import { adamAt, type TimeShare } from "./optimizer.js";
import { updatePolicy, type Trajectory } from "./policy-update.js";
import { rolloutPipeline } from "./rollout-pipeline.js";
import { regroup, scoreRollouts, tokenAdvantages } from "./rollouts.js";
import { stopwatch, type Clock } from "./stopwatch.js";
import type { SampleEncoder, TextCodec } from "./text.js";

/** What {@link grpo} works with. */
export interface GrpoOptions<S extends { readonly id: string }> {
  readonly engine: Engine;
  readonly source: BatchSource<S>;
  readonly encode: SampleEncoder<S>;
  readonly codec: TextCodec;
  readonly config: GrpoConfig;
  /** Where to go on. The engine must hold the weights and the optimiser of that step. @default the start */
  readonly state?: LoopState;
  /** For the learning rate's schedule, where time ends the run. @default the steps alone count */
  readonly timeShare?: TimeShare;
  /** Milliseconds, for the seconds by phase. @default performance.now */
  readonly clock?: Clock;
}

/**
 * Trains the engine's weights; yields after each step, with the weights of that step in place, so that the caller may
 * save, evaluate or stop there.
 *
 * @throws InputError or UnavailableError before the first step where the configuration cannot work with this engine;
 * DipError where a loss is not finite.
 */
export async function* grpo<S extends { readonly id: string }>(
  options: GrpoOptions<S>,
): AsyncGenerator<GrpoStep> {
  const { engine, source, encode, codec, config, clock = () => performance.now() } = options;
  checkGrpoConfig(config, engine.capabilities);
  const { beta, placement } = config.kl;
  const { state = startState } = options;
  const pipeline = rolloutPipeline({ engine, source, encode, config, stop: codec.endTokens, state });
  const reference = beta > 0 ? await engine.reference() : undefined;
  try {
    let { step, cursor } = state;
    for (; step < config.steps; step++, cursor += config.imagesPerStep) {
      const watch = stopwatch(phases, clock);

      // Samples, their prompts, and a group of responses to each: from the weights of now, or of a few steps before.
      const { samples, encoded, rollouts, oldLogprobs, staleness } = await pipeline.next(step, watch);

      // What the responses earned, and how that compares within each group.
      const groups = await watch.time("reward", () =>
        samples.map(({ id }, i) => scoreRollouts(id, encoded[i]!, rollouts[i]!, codec, config.rewards)),
      );
      const { advantages, zeroStdGroups } = groupAdvantages(
        groups.map(({ score }) => score.responses.map(({ total }) => total)),
        { kind: config.advantage },
      );
      const perToken = await watch.time("reward", () =>
        groups.map((group, i) =>
          tokenAdvantages(group, advantages[i]!, config.credit, codec, config.rewards),
        ),
      );

      // What the reference thinks of the same tokens.
      const referenceLogprobs = await watch.time("reference", async () => {
        if (reference === undefined) return undefined;
        const items = groups.flatMap(({ prompt, rollouts }) =>
          rollouts.map(({ tokens }) => ({ prompt, tokens })),
        );
        return regroup(await reference.logprobsBatch(items, config.sampling.temperature), rollouts);
      });

      // The optimiser steps.
      const trajectories = groups.map(({ prompt, rollouts }, i) =>
        rollouts.map(({ tokens, logprobs, stopReason }, j): Trajectory => {
          const fromReference = referenceLogprobs?.[i]![j];
          const penalised = fromReference !== undefined && placement === "reward";
          return {
            prompt,
            tokens,
            advantages: penalised
              ? withKlPenalty(perToken[i]![j]!, logprobs, fromReference, beta)
              : perToken[i]![j]!,
            sampledLogprobs: logprobs,
            oldLogprobs: oldLogprobs[i]![j]!,
            referenceLogprobs: fromReference,
            masked: config.maskTruncated && stopReason !== "stop",
          };
        }),
      );
      const adam = adamAt(config.optimizer, step, config.steps, options.timeShare);
      const update = await updatePolicy(engine, trajectories, config, { step, adam }, watch);

      yield {
        step: step + 1,
        state: { step: step + 1, cursor: cursor + config.imagesPerStep },
        ahead: pipeline.ahead(),
        groups: grpoRecords(groups, advantages, trajectories, codec),
        metrics: { ...grpoMetrics(groups, zeroStdGroups, update, watch), staleness },
      };
    }
  } finally {
    await pipeline.close();
    await reference?.close();
  }
}
