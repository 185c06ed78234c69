/** @file Distributions as a few numbers: what `dip-r1 data inspect` says of heights, counts and tokens. */

/** A distribution in numbers; quantiles interpolate linearly between neighbours, as NumPy's default does. */
export interface Summary {
  readonly count: number;
  readonly min: number;
  readonly p5: number;
  readonly p25: number;
  readonly median: number;
  readonly mean: number;
  readonly p75: number;
  readonly p95: number;
  readonly p99: number;
  readonly max: number;
}

/** The quantile at `share` (0..1) of numbers in ascending order; at least one is needed. */
export function quantile(ascending: ArrayLike<number>, share: number): number {
  const at = share * (ascending.length - 1);
  const below = ascending[Math.floor(at)]!;
  return below + (ascending[Math.ceil(at)]! - below) * (at - Math.floor(at));
}

/** Zeros where there is nothing to summarise: the count says so. */
export function summarise(values: readonly number[]): Summary {
  if (values.length === 0)
    return { count: 0, min: 0, p5: 0, p25: 0, median: 0, mean: 0, p75: 0, p95: 0, p99: 0, max: 0 };
  const ascending = Float64Array.from(values).sort();
  return {
    count: ascending.length,
    min: ascending[0]!,
    p5: quantile(ascending, 0.05),
    p25: quantile(ascending, 0.25),
    median: quantile(ascending, 0.5),
    mean: ascending.reduce((a, b) => a + b, 0) / ascending.length,
    p75: quantile(ascending, 0.75),
    p95: quantile(ascending, 0.95),
    p99: quantile(ascending, 0.99),
    max: ascending.at(-1)!,
  };
}

/** Part over whole, 0 where there is no whole. */
export function ratio(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole;
}

/** One bar of a histogram: values of at least `from`, below the next bar's. */
export interface Bin {
  /** As people read it: `2-5`, `0.65-0.9`, `101+`. */
  readonly name: string;
  readonly from: number;
  readonly count: number;
}

/**
 * Counts values between edges; below the first edge there must be none, the last bin is open.
 * @param whole the values are whole numbers: bins are named by their first and last (`2-5`), not by their edges.
 */
export function histogram(values: readonly number[], edges: readonly number[], whole: boolean): Bin[] {
  const counts = edges.map(() => 0);
  for (const value of values) {
    let bin = edges.length - 1;
    while (bin > 0 && value < edges[bin]!) bin--;
    counts[bin]!++;
  }
  return edges.map((from, i) => {
    const to = edges[i + 1] ?? Infinity;
    const last = whole ? to - 1 : to;
    const name = to === Infinity ? `${from}+` : last === from ? String(from) : `${from}-${last}`;
    return { name, from, count: counts[i]! };
  });
}
