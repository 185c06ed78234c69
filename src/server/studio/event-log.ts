/**
 * @file Events in order, each with an id to resume from. The last ones are kept: who comes back with an id of this server gets
 * everything after it; who comes with another is told to load again.
 */
import { randomBytes } from "node:crypto";
import type { RunId, StudioEvent } from "./api.js";

/** An event as it is sent. */
export interface LoggedEvent {
  /** `BOOT.NUMBER` */
  readonly id: string;
  readonly event: StudioEvent;
}

/** The log. */
export interface EventLog {
  /** Id of the newest event. */
  readonly last: string;
  add(event: StudioEvent): void;
  /** Events after an id; nothing where it is not known any more. */
  after(id: string): readonly LoggedEvent[] | undefined;
  /** Told of every new event; call what it gives to stop. */
  listen(listener: (event: LoggedEvent) => void): () => void;
}

/** Events kept for who comes back: an hour of a run that makes a step a second, some kilobytes each. */
const KEPT = 4000;

/** An empty log. @param boot tells this server's ids from those of one before it */
export function createEventLog(boot = randomBytes(6).toString("hex"), kept = KEPT): EventLog {
  const events: LoggedEvent[] = [];
  const listeners = new Set<(event: LoggedEvent) => void>();
  let count = 0;
  return {
    get last() {
      return `${boot}.${count}`;
    },
    add(event) {
      const logged = { id: `${boot}.${++count}`, event };
      events.push(logged);
      // In large pieces: an array gives up its head slowly.
      if (events.length > 2 * kept) events.splice(0, events.length - kept);
      for (const listener of listeners) listener(logged);
    },
    after(id) {
      const [of, number] = id.split(".");
      const at = Number(number);
      if (of !== boot || !Number.isInteger(at) || at > count || at < 0) return undefined;
      const missed = count - at;
      return missed > events.length ? undefined : events.slice(events.length - missed);
    },
    listen(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

/** Whether an event is sent to who asked for these runs only; runs that come, change or go are news to all. */
export function concerns(event: StudioEvent, runs: ReadonlySet<RunId>): boolean {
  if (runs.size === 0 || event.type === "run" || !("id" in event) || event.type === "gone") return true;
  return runs.has(event.id);
}
