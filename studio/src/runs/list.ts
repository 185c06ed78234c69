/** @file Which runs are shown, and in which order. Pure. */
import type { Headline, RunStatus, RunSummary } from "../../../src/server/studio/api.js";

/** Orders of the list, and their names. */
export const SORTS = {
  newest: "Newest",
  oldest: "Oldest",
  f1: "Best F1",
  gain: "Largest gain in F1",
  steps: "Most steps",
  name: "Name",
} as const;
/** An order. */
export type RunSort = keyof typeof SORTS;

/** What is asked for. */
export interface RunFilter {
  /** Words that all occur in what the run is called or made of. */
  readonly text: string;
  readonly status: RunStatus | "";
  readonly kind: RunSummary["kind"] | "";
  readonly sort: RunSort;
}

/** The evaluation that stands for the run: the first of its own domain, greedy where there is such. */
export function mainHeadline({ headlines }: Pick<RunSummary, "headlines">): Headline | undefined {
  const own = headlines.filter(({ domain }) => domain === "in");
  const among = own.length > 0 ? own : headlines;
  return among.find(({ decoding }) => decoding === "greedy") ?? among[0];
}

/** Whether there is a before and an after. */
export function hasAfter({ first, last }: Headline): boolean {
  return last.step !== first.step;
}

function f1(run: RunSummary): number {
  return mainHeadline(run)?.last.f1 ?? -Infinity;
}

function gain(run: RunSummary): number {
  const headline = mainHeadline(run);
  if (!headline || !hasAfter(headline)) return -Infinity;
  const { first, last } = headline;
  return first.f1 === null || last.f1 === null ? -Infinity : last.f1 - first.f1;
}

const newest = (a: RunSummary, b: RunSummary) => b.created.localeCompare(a.created);

const ORDERS: Readonly<Record<RunSort, (a: RunSummary, b: RunSummary) => number>> = {
  newest,
  oldest: (a, b) => newest(b, a),
  // Infinities subtract to NaN; compare them apart.
  f1: (a, b) => (f1(a) === f1(b) ? newest(a, b) : f1(b) - f1(a)),
  gain: (a, b) => (gain(a) === gain(b) ? newest(a, b) : gain(b) - gain(a)),
  steps: (a, b) => b.step - a.step || newest(a, b),
  name: (a, b) => a.name.localeCompare(b.name, "en", { numeric: true }) || newest(a, b),
};

/** Runs that pass, in order. */
export function listRuns(
  runs: readonly RunSummary[],
  { text, status, kind, sort }: RunFilter,
): readonly RunSummary[] {
  const words = text
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== "");
  return runs
    .filter((run) => {
      if (status !== "" && run.status !== status) return false;
      if (kind !== "" && run.kind !== kind) return false;
      const about =
        `${run.id} ${run.name} ${run.kind} ${run.preset ?? ""} seed ${run.seed} ${run.model} ${run.engine} ${run.status}`.toLowerCase();
      return words.every((word) => about.includes(word));
    })
    .toSorted(ORDERS[sort]);
}

/** The filter as it stands in an address; what is unknown is as if it were not there. */
export function filterOf(query: Readonly<Record<string, string>>): RunFilter {
  const { q = "", status = "", kind = "", sort = "" } = query;
  const statuses: readonly string[] = ["training", "done", "stopped", "failed", "interrupted"];
  return {
    text: q,
    status: statuses.includes(status) ? (status as RunStatus) : "",
    kind: kind === "grpo" || kind === "sft" ? kind : "",
    sort: Object.hasOwn(SORTS, sort) ? (sort as RunSort) : "newest",
  };
}
