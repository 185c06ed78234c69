/** @file Something asked of the server, for as long as a component is shown. */
import { useCallback, useEffect, useState } from "preact/hooks";
import { useEvent } from "../events.js";

/** What is known of an answer. While it is asked for again, the last one stays. */
export interface Loaded<T> {
  readonly data?: T;
  /** Of the last attempt. */
  readonly error?: unknown;
  readonly loading: boolean;
  /** Asks again. */
  readonly reload: () => void;
}

/**
 * Asks, and asks again when `key` changes, after a `reset` of the event stream, and when the connection has come back
 * from an error.
 * @param key Names what is asked for; of another key, nothing is known until its answer is there.
 * @param load Gets a signal that is aborted when nobody waits any more.
 */
export function useData<T>(key: string, load: (signal: AbortSignal) => Promise<T>): Loaded<T> {
  const [state, setState] = useState<{
    readonly key: string;
    readonly data?: T;
    readonly error?: unknown;
    readonly loading: boolean;
  }>({ key, loading: true });
  const [attempt, setAttempt] = useState(0);
  const reload = useCallback(() => setAttempt((count) => count + 1), []);
  useEffect(() => {
    const controller = new AbortController();
    setState((now) => (now.key === key ? { ...now, loading: true } : { key, loading: true }));
    load(controller.signal).then(
      (data) => {
        if (!controller.signal.aborted) setState({ key, data, loading: false });
      },
      (error: unknown) => {
        if (!controller.signal.aborted) setState((now) => ({ ...now, key, error, loading: false }));
      },
    );
    return () => controller.abort();
  }, [key, attempt]);
  useEvent("reset", reload);
  useEvent("hello", () => {
    if (state.error !== undefined) reload();
  });
  const mine = state.key === key;
  return {
    data: mine ? state.data : undefined,
    error: mine ? state.error : undefined,
    loading: mine ? state.loading : true,
    reload,
  };
}
