/** @file Keeps a session alive: servers unload the models of sessions they no longer hear from. */
import type { Logger } from "../../base/logger.js";
import { isTinkerError, type TinkerError } from "./errors.js";
import type { Transport } from "./transport.js";

/** `silent`: the last beats went unanswered; `expired`: the server has ended the session. */
export type SessionState = "alive" | "silent" | "expired" | "closed";

/** The beating of one session. */
export interface Heartbeat {
  readonly state: SessionState;
  /** Answered beats so far. */
  readonly beats: number;
  /** Beats once, now; never throws. */
  beat(): Promise<void>;
  stop(): void;
}

/** What a heartbeat needs. */
export interface HeartbeatOptions {
  readonly transport: Transport;
  readonly sessionId: string;
  /** ms between beats; 0 = only when asked. */
  readonly everyMs: number;
  /** Silence after which a warning is due, ms. @default 120000 */
  readonly warnAfterMs?: number;
  readonly now: () => number;
  readonly logger: Logger;
  readonly onExpired?: (error: TinkerError) => void;
}

/** Begins to beat. The timer does not keep the process alive. */
export function startHeartbeat(options: HeartbeatOptions): Heartbeat {
  const { transport, sessionId, everyMs, warnAfterMs = 120_000, now, logger, onExpired } = options;
  let state: SessionState = "alive";
  let beats = 0;
  let answered = now();
  let busy = false;
  const beat = async (): Promise<void> => {
    if (busy || state === "expired" || state === "closed") return;
    busy = true;
    try {
      await transport.sendJson({
        method: "POST",
        path: "session_heartbeat",
        json: { session_id: sessionId, type: "session_heartbeat" },
        idempotence: "repeatable",
        timeoutMs: 10_000,
        // The next beat is the retry.
        noRetry: true,
      });
      answered = now();
      beats++;
      if (state === "silent") state = "alive";
    } catch (error) {
      if (isTinkerError(error, "session-expired", "not-found")) {
        state = "expired";
        clearInterval(timer);
        logger.warn(`the server has ended session ${sessionId}: ${error.detail ?? error.message}`);
        onExpired?.(error);
      } else if (state === "alive") {
        const silence = now() - answered;
        if (silence >= warnAfterMs) {
          state = "silent";
          logger.warn(
            `no heartbeat of session ${sessionId} was answered for ${Math.round(silence / 1000)} s; the server may unload its models`,
          );
        }
      }
    } finally {
      busy = false;
    }
  };
  const timer = everyMs > 0 ? setInterval(() => void beat(), everyMs) : undefined;
  timer?.unref();
  return {
    get state() {
      return state;
    },
    get beats() {
      return beats;
    },
    beat,
    stop() {
      clearInterval(timer);
      if (state !== "expired") state = "closed";
    },
  };
}
