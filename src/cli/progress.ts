/** @file The live progress line of a run, as text: step, rewards by part, F1, tokens a second, time left. */
import picocolors from "picocolors";
import type { RunEvent } from "../runs/train.js";

/** What the time left is worked out from. */
export interface ProgressLimits {
  /** Minutes of training at most. */
  readonly minutes?: number | undefined;
}

/** "4:05" */
export function clock(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  const two = (value: number) => String(value).padStart(2, "0");
  return hours > 0 ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
}

/** Seconds of training that are left: by steps at the pace so far, or by the time limit, whichever is sooner. */
export function secondsLeft(
  done: { readonly step: number; readonly steps: number; readonly seconds: number },
  since: { readonly step: number; readonly seconds: number },
  limits: ProgressLimits,
): number {
  const pace = (done.seconds - since.seconds) / Math.max(1, done.step - since.step);
  return Math.min(pace * (done.steps - done.step), 60 * (limits.minutes ?? Infinity) - done.seconds);
}

const small = (value: number) => (Math.abs(value) < 0.0995 ? value.toFixed(4) : value.toFixed(2));
const fixed = (value: number) => value.toFixed(2).replace(/^(-?)0\./, "$1.");

/** Turns events of a run into progress lines; nothing for events that have none. */
export function createProgress(limits: ProgressLimits): (event: RunEvent) => string | undefined {
  let since: { step: number; seconds: number } | undefined;
  return (event) => {
    if (event.kind === "opened") since = undefined;
    if (event.kind === "evaluation") {
      const { set, decoding, done, images } = event.progress;
      return `evaluating step ${event.step}: ${set}, ${decoding}, ${done}/${images} images`;
    }
    if (event.kind !== "grpo" && event.kind !== "sft") return undefined;
    const { step } = event.step;
    since ??= { step: step - 1, seconds: event.seconds - event.step.metrics.seconds.total };
    const left = secondsLeft({ step, steps: event.steps, seconds: event.seconds }, since, limits);
    const parts = [picocolors.bold(`step ${step}`), picocolors.dim(`${clock(left)} left`)];
    if (event.kind === "grpo") {
      const { reward, format, look, accuracy, f1, kl, tokensPerSecond } = event.step.metrics;
      parts.push(
        `reward ${fixed(reward.mean)} (format ${fixed(format.mean)} look ${fixed(look.mean)} acc ${fixed(accuracy.mean)})`,
        picocolors.green(`F1 ${fixed(f1)}`),
        ...(typeof kl === "number" ? [`KL ${small(kl)}`] : []),
        `${Math.round(tokensPerSecond)} tok/s`,
      );
    } else {
      const { loss, tokensPerSecond } = event.step.metrics;
      parts.push(`loss ${loss.toFixed(3)}`, `${Math.round(tokensPerSecond)} tok/s`);
    }
    return parts.join("  ");
  };
}
