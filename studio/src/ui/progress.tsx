/** @file How far a run has come: by steps, or by time where that ends it first. */
import type { RunSummary } from "../../../src/server/studio/api.js";
import { count, duration } from "../format.js";

/** What of a run says how far it is. */
type Far = Pick<RunSummary, "step" | "steps" | "minutes" | "trainedSeconds" | "status">;

/** Share that is done, 0..1. */
export function progressShare({ step, steps, minutes, trainedSeconds, status }: Far): number {
  if (status === "done") return 1;
  const bySteps = steps > 0 ? step / steps : 0;
  const byTime = minutes === undefined || minutes <= 0 ? 0 : trainedSeconds / (60 * minutes);
  return Math.min(1, Math.max(bySteps, byTime));
}

/** In words: "102 steps in 5 min", "40 of 150 steps, 2 min of at most 5 min". */
export function progressWords(far: Far): string {
  const { step, steps, minutes, trainedSeconds, status } = far;
  const took = duration(trainedSeconds);
  if (status === "done") return `${count(step, "step")} in ${took}`;
  const limit = minutes === undefined ? "" : ` of at most ${duration(60 * minutes)}`;
  return `${step.toLocaleString("en-US")} of ${count(steps, "step")}, ${took}${limit}`;
}

/** About how long it still takes, seconds; undefined where nobody can know yet. */
export function secondsLeft(far: Far): number | undefined {
  const share = progressShare(far);
  return far.status !== "training" || far.step < 3 || share <= 0
    ? undefined
    : (far.trainedSeconds * (1 - share)) / share;
}

/** Bar and words. */
export function Progress({ run }: { readonly run: Far }) {
  const share = progressShare(run);
  const words = progressWords(run);
  const left = secondsLeft(run);
  return (
    <div class="stack-s progress-box">
      {run.status === "training" && (
        <div
          class="progress"
          role="progressbar"
          aria-label="Progress"
          aria-valuemin={0}
          aria-valuemax={100}
          aria-valuenow={Math.round(100 * share)}
          aria-valuetext={words}
        >
          <span style={{ width: `${100 * share}%` }} />
        </div>
      )}
      <span class="small muted">
        {words}
        {left !== undefined && `, about ${duration(left)} to go`}
      </span>
    </div>
  );
}
