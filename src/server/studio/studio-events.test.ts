import { appendFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { request, type ClientRequest } from "node:http";
import { join } from "node:path";
import { afterAll, afterEach, beforeEach, describe, expect, it } from "vitest";
import { send, until } from "../../../test/support/http-client.js";
import { makeRunsFolder, recordedLines, startTestStudio } from "../../../test/support/studio/runs.js";
import type { StudioEvent } from "./api.js";
import { concerns, createEventLog } from "./event-log.js";
import type { StudioServer } from "./studio-server.js";

const runs = makeRunsFolder();
let studio: StudioServer;
let run: string;
const metrics = recordedLines("metrics.jsonl");
const evaluations = recordedLines("evaluations.jsonl");
const rollouts = recordedLines("rollouts.jsonl");
const whole = (lines: readonly string[]) => lines.map((line) => line + "\n").join("");

beforeEach(async () => {
  run = runs.add("live", (manifest) => (manifest.state = "running"));
  writeFileSync(join(run, "metrics.jsonl"), whole(metrics.slice(0, 3)));
  writeFileSync(join(run, "rollouts.jsonl"), whole(rollouts.slice(0, 12)));
  writeFileSync(join(run, "evaluations.jsonl"), whole(evaluations.slice(0, 2)));
  studio = await startTestStudio(runs.path);
});
afterEach(async () => {
  await studio.stop();
  rmSync(run, { recursive: true, force: true });
});
afterAll(() => runs.remove());

interface Listener {
  readonly events: { readonly id: string; readonly event: StudioEvent }[];
  readonly text: () => string;
  close(): void;
}

const listeners: Listener[] = [];
afterEach(() => listeners.splice(0).forEach((one) => one.close()));

/** An EventSource as far as a server notices. */
function listen(query = "", lastEventId?: string, url = studio.url): Listener {
  const events: Listener["events"] = [];
  let text = "";
  let at = 0;
  const sent: ClientRequest = request(
    `${url}api/events${query}`,
    { headers: { ...(lastEventId !== undefined && { "last-event-id": lastEventId }) } },
    (answer) => {
      answer.on("error", () => undefined);
      answer.on("data", (chunk: Buffer) => {
        text += chunk.toString("utf8");
        for (let end = text.indexOf("\n\n", at); end >= 0; end = text.indexOf("\n\n", at)) {
          const piece = text.slice(at, end);
          at = end + 2;
          const data = /^data: (.*)$/m.exec(piece)?.[1];
          if (data === undefined) continue;
          const event = JSON.parse(data) as StudioEvent;
          expect(/^event: (.*)$/m.exec(piece)![1]).toBe(event.type);
          events.push({ id: /^id: (.*)$/m.exec(piece)![1]!, event });
        }
      });
    },
  );
  sent.on("error", () => undefined);
  sent.end();
  const listener = { events, text: () => text, close: () => sent.destroy() };
  listeners.push(listener);
  return listener;
}

const typesOf = ({ events }: Listener) => events.map(({ event }) => event.type);
const rowsOf = ({ events }: Listener) =>
  events.flatMap(({ event }) => (event.type === "metrics" ? event.steps : []));

describe("GET /api/events", () => {
  it("greets, then tells what is appended, changed, new and gone", async () => {
    const heard = listen();
    await until(() => heard.events.length > 0);
    expect(heard.events[0]!.event).toMatchObject({ type: "hello" });
    expect(heard.text()).toMatch(/^retry: \d+\n/);
    appendFileSync(join(run, "metrics.jsonl"), whole(metrics.slice(3, 5)));
    await until(() => typesOf(heard).includes("run"));
    const told = heard.events.find(({ event }) => event.type === "metrics")!.event;
    expect(told).toMatchObject({ id: "live", epoch: 0, from: 3, to: 5, steps: [4, 5] });
    expect(heard.events.at(-1)!.event).toMatchObject({ type: "run", run: { id: "live", step: 5, status: "interrupted" } }); // prettier-ignore
    appendFileSync(join(run, "evaluations.jsonl"), whole(evaluations.slice(2, 3)));
    await until(() => typesOf(heard).includes("evaluation"));
    runs.add("new");
    await until(() => heard.events.some(({ event }) => event.type === "run" && event.run.id === "new"));
    rmSync(join(runs.path, "new"), { recursive: true });
    await until(() => typesOf(heard).includes("gone"));
    expect(heard.events.at(-1)!.event).toEqual({ type: "gone", id: "new" });
  });

  it("tells of groups once their index was asked for", async () => {
    const heard = listen();
    await until(() => heard.events.length > 0);
    await send(`${studio.url}api/runs/live/groups`);
    await until(() => typesOf(heard).includes("groups"));
    appendFileSync(join(run, "rollouts.jsonl"), whole(rollouts.slice(12, 16)));
    await until(() => heard.events.some(({ event }) => event.type === "groups" && event.total === 4));
    expect(heard.events.findLast(({ event }) => event.type === "groups")!.event).toMatchObject({
      step: 4,
      epoch: 0,
    });
  });

  it("tells of a file that was cut back under another epoch", async () => {
    const heard = listen();
    await until(() => heard.events.length > 0);
    truncateSync(join(run, "metrics.jsonl"), metrics[0]!.length + 1);
    await until(() => typesOf(heard).includes("metrics"));
    expect(heard.events.find(({ event }) => event.type === "metrics")!.event).toMatchObject({
      epoch: 1,
      from: 0,
      to: 1,
      steps: [1],
    });
  });

  it("misses nothing over a broken connection, and says nothing twice", async () => {
    const first = listen();
    await until(() => first.events.length > 0);
    appendFileSync(join(run, "metrics.jsonl"), whole(metrics.slice(3, 6)));
    await until(() => rowsOf(first).length === 3);
    await until(() => typesOf(first).at(-1) === "run");
    const { id } = first.events.at(-1)!;
    first.close();
    // Nobody listens while this is written.
    appendFileSync(join(run, "metrics.jsonl"), whole(metrics.slice(6, 9)));
    appendFileSync(join(run, "evaluations.jsonl"), whole(evaluations.slice(2, 4)));
    const second = listen("", id);
    await until(() => rowsOf(second).length === 3 && typesOf(second).filter((type) => type === "evaluation").length === 2); // prettier-ignore
    appendFileSync(join(run, "metrics.jsonl"), whole(metrics.slice(9, 10)));
    await until(() => rowsOf(second).length === 4);
    expect(rowsOf(second)).toEqual([7, 8, 9, 10]);
    expect(typesOf(second)).not.toContain("hello");
    expect(typesOf(second)).not.toContain("reset");
    const ids = [...first.events, ...second.events].map((one) => one.id);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it("says to load again where the place is not known", async () => {
    for (const last of ["other.5", "nonsense", ""]) {
      const heard = listen("", last);
      await until(() => heard.events.length > 0);
      expect([last, heard.events[0]!.event]).toEqual([last, { type: "reset" }]);
      heard.close();
    }
  });

  it("tells of the runs asked for, and of runs that come and go", async () => {
    const heard = listen("?run=another");
    await until(() => heard.events.length > 0);
    appendFileSync(join(run, "metrics.jsonl"), whole(metrics.slice(3, 5)));
    await until(() => typesOf(heard).includes("run"));
    expect(typesOf(heard)).toEqual(["hello", "run"]);
  });

  it("gives signs of life while nothing happens", async () => {
    const other = await startTestStudio(runs.path, { heartbeat: 10 });
    const heard = listen("", undefined, other.url);
    await until(() => heard.text().split(": still here\n\n").length > 3);
    expect(typesOf(heard)).toEqual(["hello"]);
    await other.stop();
  });

  it("ends its streams when the studio stops", async () => {
    const heard = listen();
    await until(() => heard.events.length > 0);
    await studio.stop();
    await expect(send(`${studio.url}api/runs`)).rejects.toThrow(/ECONNREFUSED/);
  });
});

describe("the log of events", () => {
  const event = (id: string): StudioEvent => ({ type: "gone", id });

  it("forgets the oldest, and knows that it did", () => {
    const log = createEventLog("boot", 10);
    const start = log.last;
    for (let i = 0; i < 100; i++) log.add(event(String(i)));
    expect(log.after(start)).toBeUndefined();
    expect(log.after("boot.100")).toEqual([]);
    expect(log.after("boot.101")).toBeUndefined();
    const kept = log.after("boot.95")!;
    expect(kept.map((one) => one.id)).toEqual(["boot.96", "boot.97", "boot.98", "boot.99", "boot.100"]);
  });

  it("sends news of runs to all, the rest to who asked", () => {
    const a = new Set(["a"]);
    expect(concerns(event("b"), a)).toBe(true);
    const groups: StudioEvent = { type: "groups", id: "b", epoch: 0, total: 1, step: 1 };
    expect([concerns(groups, a), concerns(groups, new Set()), concerns({ ...groups, id: "a" }, a)]).toEqual([false, true, true]); // prettier-ignore
  });
});
