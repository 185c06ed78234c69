/** @file GET /api/events: what changes, as server-sent events that resume by themselves and miss nothing. */
import type { StudioEvent } from "./api.js";
import { concerns, type LoggedEvent } from "./event-log.js";
import type { StudioRoute } from "./route.js";

/** Milliseconds after which the browser comes back. */
const RETRY = 1000;

const written = ({ id, event }: LoggedEvent): string =>
  `id: ${id}\nevent: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;

/** The route. */
export const eventsRoute: StudioRoute = {
  method: "GET",
  path: "/api/events",
  handle: ({ query, signal, lastEventId }, studio) => ({
    kind: "stream",
    type: "text/event-stream; charset=utf-8",
    async run(write) {
      const runs = new Set(query.getAll("run"));
      const { log, watcher } = studio;
      // From here on changes are seen: what the page loads after its first event cannot be older than that.
      const release = await watcher.hold();
      const queue: LoggedEvent[] = [];
      let wake: (() => void) | undefined;
      const stop = log.listen((event) => {
        queue.push(event);
        wake?.();
      });
      // A connection that died is noticed, and none is closed for being quiet.
      const heartbeat = setInterval(() => wake?.(), studio.heartbeat);
      const ended = () => wake?.();
      signal.addEventListener("abort", ended);
      try {
        const missed = lastEventId === undefined ? undefined : log.after(lastEventId);
        const begin: StudioEvent =
          lastEventId === undefined ? { type: "hello", version: studio.version } : { type: "reset" };
        // What was logged while we got here is in `missed` already.
        queue.length = 0;
        if (missed === undefined) await write(`retry: ${RETRY}\n${written({ id: log.last, event: begin })}`);
        else {
          await write(`retry: ${RETRY}\n: resumed\n\n`);
          queue.push(...missed);
        }
        while (!signal.aborted) {
          const pieces = queue.splice(0).filter(({ event }) => concerns(event, runs));
          if (pieces.length > 0) await write(pieces.map(written).join(""));
          if (queue.length > 0) continue;
          const woken = await new Promise<boolean>((resolve) => {
            wake = () => resolve(queue.length > 0);
            if (signal.aborted) resolve(false);
          });
          wake = undefined;
          if (!woken && !signal.aborted) await write(": still here\n\n");
        }
      } finally {
        signal.removeEventListener("abort", ended);
        clearInterval(heartbeat);
        stop();
        release();
      }
    },
  }),
};
