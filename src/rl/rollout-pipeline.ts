/**
 * @file Rollouts ahead of training: while one batch trains, the next ones are sampled. With a staleness of k the batch of
 * step t (from 0) is sampled from the weights after max(0, t - k) steps, on every machine and however fast it is; 0 is
 * on policy. A batch keeps the log-probabilities of the weights that sampled it, so that the ratio is that to the policy
 * it came from.
 *
 * At a checkpoint the batches under way are waited for and saved with it (queued-batches.ts), because the weights
 * that sample them are gone by then: a resumed run trains on the same ones.
 */
import type { Engine } from "../engines/contract.js";
import type { BatchSource, LoopState } from "./batches.js";
import type { GrpoConfig } from "./grpo-config.js";
import { packBatch, unpackBatch, type Sampled, type SavedBatch } from "./queued-batches.js";
import { sampleGroups } from "./rollouts.js";
import type { Stopwatch } from "./stopwatch.js";
import type { EncodedSample, SampleEncoder } from "./text.js";

/** The batch of one step, before anything is known of its worth. */
export interface RolloutBatch<S> extends Sampled {
  readonly samples: readonly S[];
  readonly encoded: readonly EncodedSample[];
  /** Steps between the weights that sampled and those that train on it. */
  readonly staleness: number;
}

/** Batches that are sampled, or being sampled, for later steps. */
export type BatchesAhead = () => Promise<readonly SavedBatch[]>;

/** Gives each step its batch. */
export interface RolloutPipeline<S> {
  /** The batch of a step; begins to sample those that are due from the weights of now. Steps come in order. */
  next(step: number, watch: Stopwatch<"prepare" | "sample">): Promise<RolloutBatch<S>>;
  /** What is under way beyond the last step given, to be saved; nothing where there is no such thing. */
  ahead(): BatchesAhead | undefined;
  /** Waits for what is under way. */
  close(): Promise<void>;
}

/** What a pipeline works with. */
export interface PipelineOptions<S> {
  readonly engine: Engine;
  readonly source: BatchSource<S>;
  readonly encode: SampleEncoder<S>;
  readonly config: GrpoConfig;
  /** Tokens that end a response. */
  readonly stop: readonly number[];
  /** Where to go on. */
  readonly state: LoopState;
}

type Prepared<S> = Pick<RolloutBatch<S>, "samples" | "encoded">;

/** A batch on its way. */
interface Queued<S> {
  readonly step: number;
  /** Steps done when its weights were taken. */
  readonly sampledAt: number;
  readonly prepared: Promise<Prepared<S>>;
  readonly sampled: Promise<Sampled>;
}

/** A pipeline at the state's step. @throws InputError from `next` where saved batches do not fit the configuration. */
export function rolloutPipeline<S>(options: PipelineOptions<S>): RolloutPipeline<S> {
  const { engine, source, encode, config, stop, state } = options;
  const { maxStaleness = 0 } = config;
  const { samplers = "kept" } = engine.capabilities;

  async function prepare(step: number): Promise<Prepared<S>> {
    const cursor = state.cursor + (step - state.step) * config.imagesPerStep;
    const samples = await source.take(cursor, config.imagesPerStep);
    return { samples, encoded: await Promise.all(samples.map(encode)) };
  }

  let queue: readonly Queued<S>[] = (state.ahead ?? []).map((saved) => ({
    step: saved.step,
    sampledAt: saved.sampledAt,
    prepared: heard(prepare(saved.step)),
    sampled: heard(Promise.resolve().then(() => unpackBatch(saved, config))),
  }));

  /** Begins the batch of a step on the weights of now; sampling waits for its prompts only. */
  async function begin(step: number, now: number): Promise<Queued<S>> {
    const sampler = await engine.sampler();
    const prepared = heard(prepare(step));
    const sampled = heard(
      prepared
        .then(({ encoded }) => sampleGroups(sampler, encoded, config, stop, step))
        .finally(() => sampler.close()),
    );
    return { step, sampledAt: now, prepared, sampled };
  }

  return {
    async next(step, watch) {
      const last = Math.min(step + maxStaleness, config.steps - 1);
      await watch.time("sample", async () => {
        // Where new weights take the place of older ones, those are used up first.
        if (samplers !== "kept") await settled(queue);
        for (let due = (queue.at(-1)?.step ?? step - 1) + 1; due <= last; due++)
          queue = [...queue, await begin(due, step)];
      });
      const [first, ...rest] = queue;
      if (first?.step !== step) throw new RangeError(`the batch of step ${step} was never begun`);
      const prepared = await watch.time("prepare", () => first.prepared);
      const sampled = await watch.time("sample", async () => {
        // Where sampling uses the weights in training, it is over before they move.
        if (samplers === "live") await settled(rest);
        return first.sampled;
      });
      queue = rest;
      return { ...prepared, ...sampled, staleness: step - first.sampledAt };
    },
    ahead() {
      const under = queue;
      if (under.length === 0) return undefined;
      return () =>
        Promise.all(
          under.map(async ({ step, sampledAt, sampled }) => packBatch(step, sampledAt, await sampled)),
        );
    },
    async close() {
      await settled(queue);
    },
  };
}

/** Once all of them are there, or have failed. */
async function settled(queue: readonly Queued<unknown>[]): Promise<void> {
  await Promise.allSettled(queue.map(({ sampled }) => sampled));
}

/** A failure is thrown where its batch is due, and not before. */
function heard<T>(work: Promise<T>): Promise<T> {
  work.catch(() => undefined);
  return work;
}
