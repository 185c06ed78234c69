/** @file Sums and means over axes. */
import { scalar, sizeOf, type Tensor } from "../tensor.js";
import { sum, type ReduceOptions } from "./broadcast.js";
import { multiply } from "./elementwise.js";

export { sum, type ReduceOptions };

/** The mean over `axes`. */
export function mean(x: Tensor, options: ReduceOptions = {}): Tensor {
  const total = sum(x, options);
  return multiply(total, scalar(sizeOf(total.shape) / sizeOf(x.shape)));
}
