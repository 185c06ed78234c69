/** @file One run with everything that its views need, kept up to date by events. */
import { useEffect, useRef, useState } from "preact/hooks";
import type { RunDetail, RunId } from "../../../src/server/studio/api.js";
import { api } from "../api.js";
import { useEvent } from "../events.js";
import { useData, type Loaded } from "./use-data.js";

/** The run, live; `gone` once its folder is. */
export function useRun(id: RunId): Loaded<RunDetail> & { readonly gone: boolean } {
  const loaded = useData(`run ${id}`, (signal) => api.run(id, signal));
  const [run, setRun] = useState<RunDetail | undefined>(loaded.data);
  const [gone, setGone] = useState(false);
  useEffect(() => {
    setRun(loaded.data);
    setGone(false);
  }, [loaded.data]);
  useEvent("run", (event) => {
    if (event.run.id === id) setRun((now) => now && { ...now, ...event.run });
  });
  useEvent("evaluation", (event) => {
    if (event.id !== id) return;
    const { row } = event;
    const other = (one: typeof row) =>
      one.step !== row.step || one.set !== row.set || one.decoding !== row.decoding;
    setRun((now) => now && { ...now, evaluations: [...now.evaluations.filter(other), row] });
  });
  useEvent("groups", (event) => {
    if (event.id === id) setRun((now) => now && { ...now, counts: { ...now.counts, groups: event.total } });
  });
  // The index of rollouts may still be under way when the run is opened: its count is asked for again, not for ever.
  const attempts = useRef(0);
  const { reload } = loaded;
  const uncounted = run?.kind === "grpo" && run.step > 0 && run.counts.groups === 0;
  useEffect(() => {
    if (!uncounted || attempts.current >= 5) return;
    attempts.current++;
    const timer = setTimeout(reload, 1500);
    return () => clearTimeout(timer);
  }, [uncounted, loaded.data]);
  useEvent("gone", (event) => {
    if (event.id === id) setGone(true);
  });
  return { ...loaded, data: run ?? loaded.data, gone };
}
