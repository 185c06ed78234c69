/** @file Ends of a chart's y axis, on the screen and on paper. Pure. */

/**
 * A linear axis: a little air, 0 kept as an end. Less than a thousandth of a value is not spread over the whole height:
 * what a ratio of 1 does in its eighth digit is rounding, and looks like rounding.
 */
export function linearRange(low: number | null, high: number | null): [number, number] {
  if (low === null || high === null || !Number.isFinite(low) || !Number.isFinite(high)) return [0, 1];
  const size = Math.max(Math.abs(low), Math.abs(high));
  if (size === 0) return [0, 1];
  const air = Math.max(0.06 * (high - low), 1e-3 * size);
  return [low >= 0 && low - air < 0 ? 0 : low - air, high + air];
}

/** A logarithmic axis: a little air, not whole decades, in which a curve that halves would look flat. */
export function logRange(low: number | null, high: number | null): [number, number] {
  if (low === null || high === null || !(low > 0) || !Number.isFinite(high)) return [0.1, 1];
  const air = high > low ? Math.max((high / low) ** 0.06, 1.001) : 2;
  return [low / air, high * air];
}
