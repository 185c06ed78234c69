/** @file Gradients that add up over microbatches until an optimiser step takes them. */

/** Sums by name. The first addition since the last reset overwrites, so no time goes into clearing. */
export interface GradientAccumulator {
  /** The sums, zero where nothing was added. */
  read(): ReadonlyMap<string, Float32Array>;
  add(name: string, gradient: Float32Array): void;
  reset(): void;
}

/** @param sizes number of elements of each trained weight. */
export function createAccumulator(sizes: ReadonlyMap<string, number>): GradientAccumulator {
  const sums = new Map([...sizes].map(([name, size]) => [name, new Float32Array(size)]));
  const filled = new Set<string>();
  return {
    read() {
      for (const [name, sum] of sums) if (!filled.has(name)) sum.fill(0);
      return sums;
    },
    add(name, gradient) {
      const sum = sums.get(name);
      if (sum === undefined) throw new Error(`accumulator: ${name} is not trained`);
      if (filled.has(name)) {
        for (let i = 0; i < sum.length; i++) sum[i]! += gradient[i]!;
      } else {
        sum.set(gradient);
        filled.add(name);
      }
    },
    reset: () => filled.clear(),
  };
}
