/** @file Smoothing of curves: an exponential moving average without the bias of its start, as TensorBoard's. */

/** Values of a curve; null = no value, undefined = another curve's place on the axis. */
export type Values = readonly (number | null | undefined)[];

/**
 * Smooths what is there; places without a value stay so, and do not count.
 * @param weight 0 = as it is, towards 1 = flat; what is kept of the past at each point.
 */
export function smooth(values: Values, weight: number): Values {
  if (!(weight > 0)) return values;
  const kept = Math.min(weight, 0.9999);
  let sum = 0;
  let mass = 0;
  return values.map((value) => {
    if (value === null || value === undefined || !Number.isFinite(value)) return value;
    sum = kept * sum + (1 - kept) * value;
    mass = kept * mass + (1 - kept);
    return sum / mass;
  });
}
