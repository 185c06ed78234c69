/** @file At most so many pieces of work at once; the others wait their turn, in order. */

/** Runs work when there is room. */
export interface Gate {
  run<T>(work: () => Promise<T>): Promise<T>;
}

/** A gate. @param limit at least 1 */
export function createGate(limit: number): Gate {
  let running = 0;
  const waiting: (() => void)[] = [];
  return {
    async run(work) {
      if (running >= limit) await new Promise<void>((resolve) => waiting.push(resolve));
      else running++;
      try {
        return await work();
      } finally {
        // The room passes on directly, so that nobody slips in between.
        const next = waiting.shift();
        if (next === undefined) running--;
        else next();
      }
    },
  };
}
