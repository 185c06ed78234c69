/** @file One detection at a time: asked, followed, stopped. */
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import type { DetectRequest } from "../../../src/server/studio/api.js";
import { api, ApiError } from "../api.js";
import { afterEvent, asking, idle, isBusy, type DetectState } from "./detect-state.js";

/** A detection and what can be done about it. */
export interface Detecting {
  readonly state: DetectState;
  readonly ask: (request: DetectRequest) => void;
  readonly stop: () => void;
  /** Forgets what was found. */
  readonly clear: () => void;
}

/** Whatever was thrown, as the wire's errors are. */
function failureOf(error: unknown): NonNullable<DetectState["error"]> {
  if (error instanceof ApiError)
    return {
      code: error.code,
      message: error.message,
      ...(error.hint !== undefined && { hint: error.hint }),
    };
  return {
    code: "PAGE",
    message: error instanceof Error ? error.message : String(error),
    hint: "Try again; where it fails again, look at the terminal in which `dip-r1 studio` runs.",
  };
}

/** Leaving the view ends the work at the server. */
export function useDetect(): Detecting {
  const [state, setState] = useState<DetectState>(idle);
  const running = useRef<AbortController | undefined>(undefined);
  const stop = useCallback(() => {
    running.current?.abort();
    running.current = undefined;
    setState((now) => (isBusy(now) ? { ...now, phase: "stopped" } : now));
  }, []);
  useEffect(() => () => running.current?.abort(), []);

  const ask = useCallback((request: DetectRequest) => {
    running.current?.abort();
    const controller = new AbortController();
    running.current = controller;
    setState(asking);
    const follow = async () => {
      let ended = false;
      for await (const event of api.detect(request, controller.signal)) {
        if (controller.signal.aborted) return;
        ended ||= event.event === "done" || event.event === "failed";
        setState((now) => afterEvent(now, event));
      }
      if (!ended && !controller.signal.aborted)
        throw new ApiError("The server ended the answer before it was whole", {
          status: 0,
          code: "TORN",
          hint: "It may have been stopped. Start it again with `dip-r1 studio` and ask once more.",
        });
    };
    follow().catch((error: unknown) => {
      if (!controller.signal.aborted)
        setState((now) => ({ ...now, phase: "failed", error: failureOf(error) }));
    });
  }, []);
  const clear = useCallback(() => {
    stop();
    setState(idle);
  }, [stop]);
  return { state, ask, stop, clear };
}
