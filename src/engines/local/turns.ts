/**
 * @file Calls take turns: an engine's graphs, their output buffers and its weights are shared by all that it does, so
 * two calls at once would read each other's numbers. What `capabilities.concurrency: 1` promises is held here.
 */
import type { Sampler } from "../contract.js";

/** Work done one at a time, in the order it was handed over. */
export interface Turns {
  /** Begins `work` once all that came before has ended, well or not; gives what it gives, throws what it throws. */
  take<T>(work: () => T | Promise<T>): Promise<T>;
}

/** An empty row. Work must not wait for further work of the same row: it would wait for itself. */
export function createTurns(): Turns {
  let last: Promise<unknown> = Promise.resolve();
  return {
    take<T>(work: () => T | Promise<T>): Promise<T> {
      const result = last.then(work);
      // Whoever asked hears of a failure; those behind only wait for its end.
      last = result.then(
        () => undefined,
        () => undefined,
      );
      return result;
    },
  };
}

/** The sampler, each of its calls in its turn, closing included. */
export function samplerInTurns(sampler: Sampler, turns: Turns): Sampler {
  return {
    sample: (prompt, params) => turns.take(() => sampler.sample(prompt, params)),
    sampleBatch: (prompts, params) => turns.take(() => sampler.sampleBatch(prompts, params)),
    logprobs: (prompt, tokens, temperature) =>
      turns.take(() => sampler.logprobs(prompt, tokens, temperature)),
    logprobsBatch: (items, temperature) => turns.take(() => sampler.logprobsBatch(items, temperature)),
    close: () => turns.take(() => sampler.close()),
  };
}
