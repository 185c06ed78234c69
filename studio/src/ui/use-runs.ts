/** @file All runs, kept up to date by events. */
import { useEffect, useState } from "preact/hooks";
import type { RunList, RunSummary } from "../../../src/server/studio/api.js";
import { api } from "../api.js";
import { useEvent } from "../events.js";
import { useData, type Loaded } from "./use-data.js";

/** Puts a run in its place: the newest first, as the server lists them. */
export function putRun(runs: readonly RunSummary[], run: RunSummary): readonly RunSummary[] {
  const at = runs.findIndex(({ id }) => id === run.id);
  if (at >= 0) return runs.with(at, run);
  const before = runs.findIndex(({ created }) => created <= run.created);
  return runs.toSpliced(before < 0 ? runs.length : before, 0, run);
}

/** The list, live. */
export function useRuns(): Loaded<RunList> {
  const loaded = useData("runs", (signal) => api.runs(signal));
  const [list, setList] = useState<RunList | undefined>(loaded.data);
  useEffect(() => setList(loaded.data), [loaded.data]);
  useEvent("run", ({ run }) =>
    setList(
      (now) =>
        now && { problems: now.problems.filter(({ id }) => id !== run.id), runs: putRun(now.runs, run) },
    ),
  );
  useEvent("gone", ({ id }) =>
    setList((now) => now && { ...now, runs: now.runs.filter((run) => run.id !== id) }),
  );
  return { ...loaded, data: list ?? loaded.data };
}
