/** @file The metrics of some runs, complete and live. */
import { useEffect, useRef, useState } from "preact/hooks";
import type { RunId } from "../../../src/server/studio/api.js";
import { api } from "../api.js";
import { addRows, tableOf, type MetricTable } from "../charts/metric-table.js";
import { useEvent } from "../events.js";

/** What is known of each run. */
export interface Metrics {
  readonly tables: ReadonlyMap<RunId, MetricTable>;
  readonly errors: ReadonlyMap<RunId, unknown>;
  /** Counts changes of any table. */
  readonly version: number;
}

/** Loads runs that are new among `ids`, and adds rows as they come. */
export function useMetrics(ids: readonly RunId[]): Metrics {
  const tables = useRef(new Map<RunId, MetricTable>());
  const errors = useRef(new Map<RunId, unknown>());
  const asking = useRef(new Set<RunId>());
  const [version, setVersion] = useState(0);
  const gone = useRef(false);
  const frame = useRef(0);

  /** At most once a frame, however many events came. */
  const changed = () => {
    cancelAnimationFrame(frame.current);
    frame.current = requestAnimationFrame(() => {
      if (!gone.current) setVersion((count) => count + 1);
    });
  };

  const ask = (id: RunId) => {
    if (asking.current.has(id)) return;
    asking.current.add(id);
    const have = tables.current.get(id);
    const query = have ? { from: have.steps.length, epoch: have.epoch } : {};
    api
      .metrics(id, query)
      .then(
        (columns) => {
          errors.current.delete(id);
          const table = tables.current.get(id);
          if (!table || addRows(table, columns) === "ask") tables.current.set(id, tableOf(columns));
        },
        (error: unknown) => errors.current.set(id, error),
      )
      .finally(() => {
        asking.current.delete(id);
        changed();
      });
  };

  const key = ids.join("\n");
  useEffect(() => {
    gone.current = false;
    for (const id of ids) if (!tables.current.has(id)) ask(id);
    return () => {
      gone.current = true;
      cancelAnimationFrame(frame.current);
    };
  }, [key]);
  useEvent("metrics", (event) => {
    const table = tables.current.get(event.id);
    if (!table) return;
    const result = addRows(table, event);
    if (result === "ask") ask(event.id);
    else if (result === "added") changed();
  });
  const again = () => {
    for (const id of ids) ask(id);
  };
  useEvent("reset", again);
  useEvent("hello", () => {
    if (errors.current.size > 0) again();
  });
  return { tables: tables.current, errors: errors.current, version };
}
