/**
 * @file Turns what changes in the folder of runs into events. It looks at the files' sizes and times, every second while
 * anybody listens: notices of file systems differ by platform, get lost on network disks and say nothing of what was
 * appended. What it has told is remembered between listeners, so that nothing is told twice or never.
 */
import { canonicalJson, toError } from "../../base/index.js";
import type { Logger } from "../../base/logger.js";
import type { RunId } from "./api.js";
import type { EventLog } from "./event-log.js";
import type { RunStore } from "./run-store.js";
import type { StudioRun } from "./studio-run.js";

/** What was told of a run. */
interface Told {
  summary: string;
  metricsEpoch: number;
  metrics: number;
  evaluationsEpoch: number;
  evaluations: number;
  groupsEpoch: number;
  groups: number;
}

/** The watcher. */
export interface Watcher {
  /** Looks once; looks at the same time are one. */
  look(): Promise<void>;
  /** Keeps looking until what it gives is called. Resolves after the first look. */
  hold(): Promise<() => void>;
  /** Stops all looking. */
  close(): void;
}

/** Rows of metrics in one event: a long file is told in pieces that a page can take. */
const ROWS = 2000;

/** @param interval milliseconds between two looks. @default 1000 */
export function createWatcher(
  store: RunStore,
  log: EventLog,
  options: { readonly logger: Logger; readonly interval?: number },
): Watcher {
  const { interval = 1000, logger } = options;
  const told = new Map<RunId, Told>();
  let holders = 0;
  let first = true;
  let timer: NodeJS.Timeout | undefined;
  let looking: Promise<void> | undefined;

  /** Of a run that nobody was told of: lines that are there already are for the page to load. */
  const beginning = (run: StudioRun): Told => ({
    summary: "",
    metricsEpoch: run.metrics.tail.epoch,
    metrics: run.metrics.steps.length,
    evaluationsEpoch: run.evaluations.tail.epoch,
    evaluations: run.evaluations.rows.length,
    groupsEpoch: run.groups.tail.epoch,
    groups: run.groups.length,
  });

  async function tell(run: StudioRun): Promise<void> {
    const known = told.get(run.id);
    const now = known ?? beginning(run);
    if (known === undefined) told.set(run.id, now);
    const { id, metrics, evaluations, groups } = run;
    const { epoch } = metrics.tail;
    if (epoch !== now.metricsEpoch) now.metrics = 0;
    while (now.metrics < metrics.steps.length || epoch !== now.metricsEpoch) {
      const { columns, steps, ...slice } = metrics.slice(now.metrics);
      const take = <T>(list: readonly T[]) => list.slice(0, ROWS);
      const to = Math.min(slice.to, now.metrics + ROWS);
      log.add({
        type: "metrics",
        id,
        ...slice,
        to,
        steps: take(steps),
        columns: Object.fromEntries(Object.entries(columns).map(([key, column]) => [key, take(column)])),
      });
      now.metrics = to;
      now.metricsEpoch = epoch;
    }
    if (evaluations.tail.epoch !== now.evaluationsEpoch) {
      now.evaluations = 0;
      now.evaluationsEpoch = evaluations.tail.epoch;
    }
    for (const row of evaluations.rows.slice(now.evaluations)) log.add({ type: "evaluation", id, row });
    now.evaluations = evaluations.rows.length;
    // The index of groups is built when somebody asks for groups; from then on it is carried on here.
    if (groups.tail.offset > 0 || groups.tail.epoch !== now.groupsEpoch) await groups.tail.refresh();
    if (groups.length !== now.groups || groups.tail.epoch !== now.groupsEpoch) {
      now.groups = groups.length;
      now.groupsEpoch = groups.tail.epoch;
      log.add({
        type: "groups",
        id,
        epoch: groups.tail.epoch,
        total: groups.length,
        step: groups.groups.at(-1)?.step ?? 0,
      });
    }
    const summary = run.summary();
    const words = canonicalJson(summary);
    if (words === now.summary) return;
    now.summary = words;
    if (known !== undefined || !first) log.add({ type: "run", run: summary });
  }

  async function lookNow(): Promise<void> {
    const { runs, problems } = await store.look();
    for (const run of runs) await tell(run);
    const there = new Set([...runs.map(({ id }) => id), ...problems.map(({ id }) => id)]);
    for (const id of [...told.keys()].filter((one) => !there.has(one))) {
      told.delete(id);
      log.add({ type: "gone", id });
    }
    first = false;
  }

  const look = () => (looking ??= lookNow().finally(() => (looking = undefined)));

  const again = () => {
    timer = setTimeout(() => {
      look()
        .catch((error: unknown) => logger.warn(`looking for changes: ${toError(error).message}`))
        .finally(() => {
          if (holders > 0) again();
        });
    }, interval);
    // A studio that is told to stop does not wait for the next look.
    timer.unref();
  };

  return {
    look,
    async hold() {
      await look();
      if (holders++ === 0) again();
      let held = true;
      return () => {
        if (held) holders--;
        held = false;
        if (holders === 0) clearTimeout(timer);
      };
    },
    close() {
      holders = 0;
      clearTimeout(timer);
    },
  };
}
