/** @file Gradients that add up over microbatches until an optimiser step takes them. */

/** Sums by name. The first addition since the last reset overwrites, so no time goes into clearing. */
export interface GradientAccumulator {
  /** The sums, zero where nothing was added. */
  read(): ReadonlyMap<string, Float32Array>;
  /** An array for the next gradient of this weight to be written to and then given to `add`: all graphs share it. */
  target(name: string): Float32Array;
  add(name: string, gradient: Float32Array): void;
  reset(): void;
}

/** @param sizes number of elements of each trained weight. */
export function createAccumulator(sizes: ReadonlyMap<string, number>): GradientAccumulator {
  const sums = new Map([...sizes].map(([name, size]) => [name, new Float32Array(size)]));
  const filled = new Set<string>();
  const further = new Map<string, Float32Array>();
  return {
    read() {
      for (const [name, sum] of sums) if (!filled.has(name)) sum.fill(0);
      return sums;
    },
    target(name) {
      const sum = sums.get(name);
      if (sum === undefined) throw new Error(`accumulator: ${name} is not trained`);
      // The first gradient goes straight to where the sum will be.
      if (!filled.has(name)) return sum;
      let array = further.get(name);
      if (array === undefined) further.set(name, (array = new Float32Array(sum.length)));
      return array;
    },
    add(name, gradient) {
      const sum = sums.get(name);
      if (sum === undefined) throw new Error(`accumulator: ${name} is not trained`);
      if (filled.has(name)) {
        for (let i = 0; i < sum.length; i++) sum[i]! += gradient[i]!;
      } else {
        if (gradient !== sum) sum.set(gradient);
        filled.add(name);
      }
    },
    reset: () => filled.clear(),
  };
}
