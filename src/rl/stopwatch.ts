/** @file Seconds by phase of a step. The clock is handed in, so that nothing here depends on the time of day. */

/** Milliseconds from any fixed point. */
export type Clock = () => number;

/** Adds up the time of named phases. */
export interface Stopwatch<P extends string> {
  /** Runs `work` and books its time under `phase`. */
  time<T>(phase: P, work: () => T | Promise<T>): Promise<T>;
  /** Seconds of each phase so far. */
  seconds(): Record<P, number>;
  /** Seconds since the watch was made. */
  total(): number;
}

/** A watch for these phases, all at 0. */
export function stopwatch<P extends string>(phases: readonly P[], clock: Clock): Stopwatch<P> {
  const spent = Object.fromEntries(phases.map((phase) => [phase, 0])) as Record<P, number>;
  const started = clock();
  return {
    async time(phase, work) {
      const start = clock();
      try {
        return await work();
      } finally {
        spent[phase] += (clock() - start) / 1000;
      }
    },
    seconds: () => ({ ...spent }),
    total: () => (clock() - started) / 1000,
  };
}
