/** @file GRPO, SFT and evaluation: the loops, and the mathematics that a loop of one's own needs. */
export {
  groupAdvantages,
  type AdvantageKind,
  type AdvantageOptions,
  type GroupAdvantages,
} from "./advantage.js";
export * from "./aggregation.js";
export * from "./agreement.js";
export * from "./batches.js";
export * from "./credit.js";
export * from "./evaluate-benchmark.js";
export * from "./evaluate-details.js";
export * from "./evaluate-frame.js";
export * from "./evaluate.js";
export * from "./evaluation-summary.js";
export * from "./grpo-config.js";
export type {
  GroupRecord,
  GrpoMetrics,
  GrpoStep,
  Phase,
  ResponseRecord,
  RewardSpread,
  TokenRecord,
} from "./grpo-step.js";
export * from "./grpo.js";
export * from "./kl.js";
export * from "./optimizer.js";
export * from "./policy-loss.js";
export * from "./policy-stats.js";
export type { UpdateReport } from "./policy-update.js";
export * from "./pretraining.js";
export type { SavedBatch, SavedRollout } from "./queued-batches.js";
export * from "./qwen-samples.js";
export type { BatchesAhead } from "./rollout-pipeline.js";
export * from "./sft.js";
export type { Clock } from "./stopwatch.js";
export * from "./text.js";
