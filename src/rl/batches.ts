/** @file Where a loop's samples come from: a source without memory, so that resuming gives the same next batch. */
import { InputError } from "../base/errors.js";
import { createRng, deriveSeed, shuffled } from "../base/rng.js";
import type { SavedBatch } from "./queued-batches.js";

/**
 * An endless row of samples, addressed by position: the same cursor gives the same samples, whenever it is asked.
 */
export interface BatchSource<S> {
  /** The `count` samples from position `cursor` on. */
  take(cursor: number, count: number): Promise<readonly S[]>;
}

/** Where a loop stands. With the engine's checkpoint and the configuration this is all that a resume needs: every random draw is a function of (seed, step). */
export interface LoopState {
  /** Steps done. */
  readonly step: number;
  /** Position of the next sample in the source. */
  readonly cursor: number;
  /** Batches of later steps that were sampled already (`maxStaleness`). */
  readonly ahead?: readonly SavedBatch[];
}

/** Before the first step. */
export const startState: LoopState = { step: 0, cursor: 0 };

/** All samples in random order, epoch after epoch, each epoch in an order of its own; a batch may span two. */
export function shuffledSource<S>(samples: readonly S[], seed: number): BatchSource<S> {
  if (samples.length === 0) {
    throw new InputError("There is no sample to train on.", {
      hint: "Look at the dataset's path and filters.",
    });
  }
  const orders = new Map<number, readonly S[]>();
  const orderOf = (epoch: number): readonly S[] => {
    let order = orders.get(epoch);
    if (order === undefined) {
      // Two epochs are the most a batch usually spans; older orders can be made again.
      if (orders.size > 1) orders.clear();
      order = shuffled(samples, createRng(deriveSeed(seed, "epoch", epoch)));
      orders.set(epoch, order);
    }
    return order;
  };
  return {
    take: (cursor, count) =>
      Promise.resolve(
        Array.from({ length: count }, (_, i) => {
          const position = cursor + i;
          return orderOf(Math.floor(position / samples.length))[position % samples.length]!;
        }),
      ),
  };
}

/** Samples made on the fly, never the same twice: `make(index)` must depend on nothing but its index. */
export function generatedSource<S>(make: (index: number) => S | Promise<S>): BatchSource<S> {
  return { take: (cursor, count) => Promise.all(Array.from({ length: count }, (_, i) => make(cursor + i))) };
}
