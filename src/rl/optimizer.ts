/** @file The optimiser's parameters of a step: AdamW, and a learning rate that warms up, then stays or decays. */
import type { AdamParams } from "../engines/contract.js";

/** AdamW and its schedule; a recipe's `optimizer` section. */
export interface OptimizerConfig extends Omit<AdamParams, "learningRate"> {
  /** The highest rate of the run. */
  readonly learningRate: number;
  /** What follows the warm-up; `wsd` (warm-up, stable, decay) is constant and falls linearly at the end. @default "constant" */
  readonly schedule?: "constant" | "linear" | "cosine" | "wsd";
  /** Steps of linear warm-up; the first step already moves. @default 0 */
  readonly warmupSteps?: number;
  /** `wsd`: steps of the fall at the end. @default a tenth of the run */
  readonly decaySteps?: number;
  /** All but `constant` end at this share of the highest rate. @default 0 */
  readonly finalShare?: number;
}

/** The learning rate of step `step` (counted from 0; may lie between two) in a run of `totalSteps`. Past the end it stays at its final value. */
export function learningRateAt(config: OptimizerConfig, step: number, totalSteps: number): number {
  const { learningRate, schedule = "constant", warmupSteps = 0, finalShare = 0 } = config;
  const { decaySteps = Math.ceil(totalSteps / 10) } = config;
  if (step < warmupSteps) return (learningRate * (step + 1)) / warmupSteps;
  if (schedule === "constant") return learningRate;
  const start = schedule === "wsd" ? Math.max(warmupSteps, totalSteps - decaySteps) : warmupSteps;
  const span = Math.max(1, totalSteps - start);
  const progress = Math.min(1, Math.max(0, (step - start) / span));
  const left = schedule !== "cosine" ? 1 - progress : (1 + Math.cos(Math.PI * progress)) / 2;
  return learningRate * (finalShare + (1 - finalShare) * left);
}

/** Share of a run's time that is over, 0..1: for runs that minutes end. */
export type TimeShare = () => number;

/**
 * Where a schedule stands, in steps: at `step`, or further on where more of the time is over than of the steps, so that a
 * run that minutes end has decayed by then.
 */
export function schedulePosition(step: number, totalSteps: number, timeShare: TimeShare = () => 0): number {
  return Math.max(step, Math.min(1, timeShare()) * totalSteps);
}

/** What {@link OptimizerConfig} means at step `step` (counted from 0) of `totalSteps`. */
export function adamAt(
  config: OptimizerConfig,
  step: number,
  totalSteps: number,
  timeShare?: TimeShare,
): AdamParams {
  const {
    schedule: _schedule,
    warmupSteps: _warmup,
    finalShare: _final,
    decaySteps: _decay,
    ...adam
  } = config;
  return {
    ...adam,
    learningRate: learningRateAt(config, schedulePosition(step, totalSteps, timeShare), totalSteps),
  };
}
