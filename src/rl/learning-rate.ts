/** @file The learning rate of a step: warm-up, then constant, linear or cosine decay. */

/** A learning-rate schedule. Steps are counted from 0. */
export interface LearningRate {
  /** The highest rate. */
  readonly peak: number;
  /** What follows the warm-up. @default "constant" */
  readonly schedule?: "constant" | "linear" | "cosine";
  /** Steps of linear warm-up; the first step already moves. @default 0 */
  readonly warmupSteps?: number;
  /** `linear` and `cosine` end at this share of the peak. @default 0 */
  readonly finalShare?: number;
}

/** The rate of step `step` (0-based) in a run of `totalSteps`. Past the end it stays at its final value. */
export function learningRateAt(rate: LearningRate, step: number, totalSteps: number): number {
  const { peak, schedule = "constant", warmupSteps = 0, finalShare = 0 } = rate;
  if (step < warmupSteps) return (peak * (step + 1)) / warmupSteps;
  if (schedule === "constant") return peak;
  const span = Math.max(1, totalSteps - warmupSteps);
  const progress = Math.min(1, (step - warmupSteps) / span);
  const left = schedule === "linear" ? 1 - progress : (1 + Math.cos(Math.PI * progress)) / 2;
  return peak * (finalShare + (1 - finalShare) * left);
}
