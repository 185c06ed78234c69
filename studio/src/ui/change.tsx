/** @file A number before and after. */
import { score, signed } from "../format.js";

/** Which way is better. */
export type Better = "up" | "down";

/** A difference with its sign; its colour says better or worse, its sign says so too. */
export function Delta({
  before,
  after,
  better = "up",
}: {
  readonly before: number | null;
  readonly after: number | null;
  readonly better?: Better;
}) {
  if (before === null || after === null) return null;
  const change = after - before;
  const tone =
    Math.abs(change) < 0.0005 ? "muted" : change > 0 === (better === "up") ? "delta-up" : "delta-down";
  return <span class={`${tone} nowrap`}>{signed(change)}</span>;
}

/** "0.648 → 0.701 +0.053"; one number where there is but one evaluation. */
export function Change({
  before,
  after,
  once = false,
  better,
}: {
  readonly before: number | null;
  readonly after: number | null;
  /** There is no after. */
  readonly once?: boolean;
  readonly better?: Better;
}) {
  if (once) return <span class="nowrap">{score(before)}</span>;
  return (
    <span class="nowrap">
      <span class="muted">{score(before)}</span>
      <span class="muted" aria-hidden="true">
        {" → "}
      </span>
      <span class="sr-only"> before, after: </span>
      <strong>{score(after)}</strong> <Delta before={before} after={after} better={better} />
    </span>
  );
}
