/** @file How far off the number of boxes is: crowd counting's errors. */

/** Boxes said and boxes there, of one image. */
export interface Count {
  readonly predicted: number;
  readonly actual: number;
}

/** Counting errors, in instances an image. */
export interface CountingErrors {
  /** Mean absolute error. */
  readonly mae: number;
  /** Root mean square error. */
  readonly rmse: number;
  /** Mean of predicted less actual: above 0 the model says too many. */
  readonly bias: number;
}

/** Counting errors over images; NaN of none. */
export function countingErrors(counts: readonly Count[]): CountingErrors {
  let [absolute, squared, signed] = [0, 0, 0];
  for (const { predicted, actual } of counts) {
    const error = predicted - actual;
    absolute += Math.abs(error);
    squared += error * error;
    signed += error;
  }
  const n = counts.length;
  return { mae: absolute / n, rmse: Math.sqrt(squared / n), bias: signed / n };
}
