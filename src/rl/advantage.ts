/** @file From rewards to advantages, group by group (design, 4.5; DeepSeekMath, 4.1.1; `batch` as TRL's `scale_rewards`). */
import { InputError } from "../base/errors.js";

/**
 * What divides the centred rewards: `group` = the sample standard deviation of the group (GRPO), `center` = nothing
 * (Dr. GRPO), `batch` = the sample standard deviation of all rewards of the batch.
 */
export type AdvantageKind = "group" | "center" | "batch";

/** Options of {@link groupAdvantages}. */
export interface AdvantageOptions {
  /** @default "group" */
  readonly kind?: AdvantageKind;
  /** Added to the divisor, in units of reward. @default 1e-4 */
  readonly epsilon?: number;
}

/** Advantages of a batch of groups. */
export interface GroupAdvantages {
  /** One list a group, in the order of the rewards. */
  readonly advantages: readonly (readonly number[])[];
  /** Groups whose rewards are all the same: every advantage is exactly 0 and they teach nothing. */
  readonly zeroStdGroups: number;
}

/** Below this, a spread of rewards is rounding of their sum, not a difference between responses. */
const NO_SPREAD = 1e-8;

/** Arithmetic mean; NaN of nothing. */
export function mean(values: readonly number[]): number {
  let sum = 0;
  for (const value of values) sum += value;
  return sum / values.length;
}

/** Sample standard deviation (divisor n - 1, as torch.std); 0 for fewer than two values. */
export function sampleStd(values: readonly number[]): number {
  if (values.length < 2) return 0;
  const center = mean(values);
  let sum = 0;
  for (const value of values) sum += (value - center) ** 2;
  return Math.sqrt(sum / (values.length - 1));
}

/**
 * A_i = (r_i - mean of the group) / (std + epsilon); {@link AdvantageKind} says which std.
 *
 * @param rewards Total rewards, one list a group.
 * @throws InputError where a reward is not finite: a broken reward must not become a broken policy.
 * @example groupAdvantages([[1, 0.25, -0.5]]).advantages // [[0.99987, 0, -0.99987]]
 */
export function groupAdvantages(
  rewards: readonly (readonly number[])[],
  options: AdvantageOptions = {},
): GroupAdvantages {
  const { kind = "group", epsilon = 1e-4 } = options;
  rewards.forEach((group, index) => {
    if (!group.every(Number.isFinite)) {
      throw new InputError(`Group ${index} has a reward that is not a finite number: ${group.join(", ")}.`, {
        hint: "Every reward must be a number for every response; look at the reward that gave it.",
      });
    }
  });
  const batchStd = kind === "batch" ? sampleStd(rewards.flat()) : 0;
  let zeroStdGroups = 0;
  const advantages = rewards.map((group) => {
    const std = sampleStd(group);
    if (std <= NO_SPREAD) {
      zeroStdGroups++;
      return group.map(() => 0);
    }
    const center = mean(group);
    const divisor = kind === "center" ? 1 : (kind === "batch" ? batchStd : std) + epsilon;
    return group.map((reward) => (reward - center) / divisor);
  });
  return { advantages, zeroStdGroups };
}
