import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { StudioEvent } from "../../src/server/studio/api.js";
import { createEventStore, type EventStream } from "./events.js";

/** An EventSource that does what the test says. */
class FakeStream implements EventStream {
  readyState = 0;
  onopen: ((event: Event) => void) | null = null;
  onerror: ((event: Event) => void) | null = null;
  readonly listeners = new Map<string, (event: MessageEvent<string>) => void>();
  closed = false;
  addEventListener(type: string, listener: (event: MessageEvent<string>) => void): void {
    this.listeners.set(type, listener);
  }
  close(): void {
    this.closed = true;
    this.readyState = 2;
  }
  open(): void {
    this.readyState = 1;
    this.onopen?.(new Event("open"));
  }
  fail(readyState: 0 | 2): void {
    this.readyState = readyState;
    this.onerror?.(new Event("error"));
  }
  send(event: StudioEvent): void {
    this.listeners.get(event.type)?.({ data: JSON.stringify(event) } as MessageEvent<string>);
  }
}

describe("createEventStore", () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });
  const make = () => {
    const streams: FakeStream[] = [];
    const store = createEventStore(
      () => {
        const stream = new FakeStream();
        streams.push(stream);
        return stream;
      },
      { retry: 1000 },
    );
    return { store, streams };
  };
  const hello: StudioEvent = { type: "hello", version: "1" };

  it("tells events to those who listen for them", () => {
    const { store, streams } = make();
    const heard: string[] = [];
    const end = store.on("gone", ({ id }) => heard.push(id));
    streams[0]!.send({ type: "gone", id: "a" });
    streams[0]!.send(hello);
    end();
    streams[0]!.send({ type: "gone", id: "b" });
    expect(heard).toEqual(["a"]);
  });

  it("knows its state, and leaves reconnecting to the browser while that tries", () => {
    const { store, streams } = make();
    const states: string[] = [store.state];
    store.onState((state) => states.push(state));
    streams[0]!.open();
    streams[0]!.fail(0);
    vi.advanceTimersByTime(10_000);
    streams[0]!.open();
    expect(states).toEqual(["connecting", "live", "lost", "live"]);
    expect(streams).toHaveLength(1);
  });

  it("opens the stream again when the browser gave it up", () => {
    const { store, streams } = make();
    streams[0]!.fail(2);
    expect(store.state).toBe("lost");
    vi.advanceTimersByTime(1000);
    expect(streams).toHaveLength(2);
    streams[1]!.open();
    expect(store.state).toBe("live");
  });

  it("says reset where a connection begins anew, not where it resumes", () => {
    const { store, streams } = make();
    let resets = 0;
    store.on("reset", () => resets++);
    streams[0]!.send(hello);
    expect(resets).toBe(0);
    streams[0]!.fail(0);
    streams[0]!.open();
    streams[0]!.send({ type: "gone", id: "a" });
    expect(resets).toBe(0);
    streams[0]!.send(hello);
    expect(resets).toBe(1);
    streams[0]!.send({ type: "reset" });
    expect(resets).toBe(2);
  });

  it("ends for good", () => {
    const { store, streams } = make();
    streams[0]!.fail(2);
    store.close();
    vi.advanceTimersByTime(10_000);
    expect(streams).toHaveLength(1);
    expect(streams[0]!.closed).toBe(true);
  });
});
