/**
 * @file What the server tells by itself. One EventSource for the whole page: the browser reconnects it with the last
 * event's id and the server sends what was missed. Where that cannot be (the server was started anew, or the browser
 * gave the connection up), everybody hears `reset` and loads again: so nothing is missed either way.
 */
import { useEffect, useRef, useState } from "preact/hooks";
import type { StudioEvent } from "../../src/server/studio/api.js";
import { apiUrl } from "./api.js";

/** `lost` = between two attempts. */
export type ConnectionState = "connecting" | "live" | "lost";

/** Names of events. */
export type EventType = StudioEvent["type"];
/** The event of a name. */
export type EventOf<T extends EventType> = Extract<StudioEvent, { readonly type: T }>;

/** What is needed of EventSource. */
export interface EventStream {
  readonly readyState: number;
  onopen: ((event: Event) => void) | null;
  onerror: ((event: Event) => void) | null;
  addEventListener(type: string, listener: (event: MessageEvent<string>) => void): void;
  close(): void;
}

/** The page's ear. */
export interface EventStore {
  readonly state: ConnectionState;
  /** Hears events of a type, from now on. @returns ends it. */
  on<T extends EventType>(type: T, listener: (event: EventOf<T>) => void): () => void;
  /** Hears changes of the connection. @returns ends it. */
  onState(listener: (state: ConnectionState) => void): () => void;
  close(): void;
}

/** `satisfies` keeps it whole: an event of the wire that is not here would never be heard. */
const TYPES = Object.keys({
  hello: true,
  reset: true,
  run: true,
  gone: true,
  metrics: true,
  evaluation: true,
  groups: true,
} satisfies Record<EventType, true>) as EventType[];

const CLOSED = 2;

/**
 * Opens the stream, and opens it again when it was given up.
 * @param options.retry Milliseconds until then. @default 3000
 */
export function createEventStore(
  open: () => EventStream,
  { retry = 3000 }: { readonly retry?: number } = {},
): EventStore {
  const listeners = new Map<EventType, Set<(event: StudioEvent) => void>>();
  const stateListeners = new Set<(state: ConnectionState) => void>();
  let state: ConnectionState = "connecting";
  let greeted = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let stream = connect();

  function setState(next: ConnectionState): void {
    if (next === state) return;
    state = next;
    for (const listener of stateListeners) listener(next);
  }

  function tell(event: StudioEvent): void {
    for (const listener of listeners.get(event.type) ?? []) listener(event);
  }

  function connect(): EventStream {
    const opened = open();
    opened.onopen = () => setState("live");
    opened.onerror = () => {
      setState("lost");
      // CONNECTING: the browser tries by itself, with the last id.
      if (opened.readyState !== CLOSED) return;
      opened.close();
      clearTimeout(timer);
      timer = setTimeout(() => {
        stream = connect();
      }, retry);
    };
    for (const type of TYPES)
      opened.addEventListener(type, ({ data }) => {
        const event = JSON.parse(data) as StudioEvent;
        if (event.type === "hello") {
          // A second greeting: this connection does not go on from where the last one ended.
          if (greeted) tell({ type: "reset" });
          greeted = true;
        }
        tell(event);
      });
    return opened;
  }

  return {
    get state() {
      return state;
    },
    on(type, listener) {
      const heard = listener as (event: StudioEvent) => void;
      const set = listeners.get(type) ?? new Set();
      listeners.set(type, set.add(heard));
      return () => set.delete(heard);
    },
    onState(listener) {
      stateListeners.add(listener);
      return () => stateListeners.delete(listener);
    },
    close() {
      clearTimeout(timer);
      stream.close();
    },
  };
}

let shared: EventStore | undefined;

/** The page's one store, opened when it is first needed. */
export function events(): EventStore {
  shared ??= createEventStore(() => new EventSource(apiUrl("/events")));
  return shared;
}

/** Hears events of a type while the component is shown; the newest `listener` is called. */
export function useEvent<T extends EventType>(type: T, listener: (event: EventOf<T>) => void): void {
  const newest = useRef(listener);
  newest.current = listener;
  useEffect(() => events().on(type, (event) => newest.current(event)), [type]);
}

/** State of the connection; the component draws again when it changes. */
export function useConnection(): ConnectionState {
  const [state, setState] = useState<ConnectionState>(() => events().state);
  useEffect(() => {
    setState(events().state);
    return events().onState(setState);
  }, []);
  return state;
}
