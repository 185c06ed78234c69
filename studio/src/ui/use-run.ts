/** @file One run with everything that its views need, kept up to date by events. */
import { useEffect, useState } from "preact/hooks";
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
  useEvent("gone", (event) => {
    if (event.id === id) setGone(true);
  });
  return { ...loaded, data: run ?? loaded.data, gone };
}
