/** @file A run's state: a sign, a word, a colour. */
import type { RunStatus } from "../../../src/server/studio/api.js";

/** Signs on a field of 12; each has a shape of its own. */
const STATES: Readonly<
  Record<RunStatus, { readonly word: string; readonly tone: string; readonly sign: string }>
> = {
  training: { word: "Training", tone: "badge-accent", sign: "M2 10V6.5M6 10V2M10 10V4.5" },
  done: { word: "Done", tone: "badge-good", sign: "M2 6.5 5 9.5 10 3" },
  stopped: { word: "Stopped", tone: "", sign: "M3 3H9V9H3Z" },
  failed: { word: "Failed", tone: "badge-bad", sign: "M3 3 9 9M9 3 3 9" },
  interrupted: { word: "Interrupted", tone: "badge-warn", sign: "M6 2V7M6 9.9V10" },
};

/** The word of a state. */
export function statusWord(status: RunStatus): string {
  return STATES[status].word;
}

/** All states, in the order in which they matter. */
export const STATUSES = Object.keys(STATES) as readonly RunStatus[];

/** The state as a badge. */
export function StatusBadge({ status }: { readonly status: RunStatus }) {
  const { word, tone, sign } = STATES[status];
  return (
    <span class={`badge ${tone}`}>
      <svg width="11" height="11" viewBox="0 0 12 12" aria-hidden="true">
        <path
          d={sign}
          fill="none"
          stroke="currentColor"
          stroke-width="1.9"
          stroke-linecap="round"
          stroke-linejoin="round"
        />
      </svg>
      {word}
    </span>
  );
}
