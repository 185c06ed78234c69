/** @file Whether what is shown is of now. */
import { useConnection, type ConnectionState } from "../events.js";

const WORDS: Readonly<Record<ConnectionState, { readonly short: string; readonly long: string }>> = {
  connecting: { short: "Connecting", long: "Connecting to the studio's server." },
  live: { short: "Live", long: "Runs that are training update by themselves." },
  lost: {
    short: "Reconnecting",
    long: "The studio's server does not answer; what is shown may be old. Trying again. Start it with: dip-r1 studio",
  },
};

/** A sign, a word, and the whole sentence on hover. */
export function Connection() {
  const state = useConnection();
  const { short, long } = WORDS[state];
  return (
    <span class="connection" role="status" title={long}>
      <svg width="10" height="10" viewBox="0 0 10 10" aria-hidden="true">
        {state === "live" ? (
          <circle cx="5" cy="5" r="4" fill="var(--good)" />
        ) : (
          <circle
            cx="5"
            cy="5"
            r="3.25"
            fill="none"
            stroke={state === "lost" ? "var(--bad)" : "var(--muted)"}
            stroke-width="1.5"
            stroke-dasharray="3 2"
          />
        )}
      </svg>
      {short}
      {state === "lost" && <span class="sr-only">{long}</span>}
    </span>
  );
}
