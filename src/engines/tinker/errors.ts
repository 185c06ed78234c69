/**
 * @file What can go wrong between us and a server of the Tinker API, as one error class with a closed list of codes, each
 * with advice. The server's own words are always in the message.
 */
import { DipError } from "../../base/errors.js";

/** What kind of trouble it is. */
export type TinkerErrorCode =
  /** No answer: refused, reset, timed out, and the retry budget is spent. */
  | "unreachable"
  /** The request may or may not have been worked on, and repeating it is not safe. */
  | "ambiguous"
  /** An answer that is cut off or makes no sense. */
  | "protocol"
  /** 401 or 403. */
  | "unauthorized"
  /** 402. */
  | "billing"
  /** 404: no such model, session, checkpoint, future. */
  | "not-found"
  /** 409: the name or the sequence number is taken. */
  | "conflict"
  /** 410, or a session that the server has forgotten. */
  | "session-expired"
  /** The model was unloaded, or the server has been started anew. */
  | "model-gone"
  /** 400, 413, 415 or 422: the server understands and refuses. */
  | "refused"
  /** 429, longer than the retry budget. */
  | "rate-limited"
  /** 5xx, longer than the retry budget. */
  | "server"
  /** A request that was accepted and failed. */
  | "failed"
  /** An earlier request of this model was lost: what it holds is not known. */
  | "out-of-step"
  /** The server has not finished in the time we were ready to wait. */
  | "timeout"
  /** Ended by its caller. */
  | "aborted";

const HINTS: Partial<Record<TinkerErrorCode, string>> = {
  unreachable:
    "Is the server running, and is the address right? A run goes on from its last checkpoint with --resume.",
  ambiguous: "Go on from the last checkpoint with --resume: a new model is made from what was saved.",
  protocol:
    "Something between here and the server alters answers, or the server speaks another version of the API.",
  unauthorized: "Set TINKER_API_KEY; a SkyRL server takes any key.",
  "not-found":
    "It may have expired, been deleted, or be another server's; where a whole call is missing, the server is of another version (docs/cluster.md).",
  conflict: "Take another name, or go on from the last checkpoint with --resume.",
  refused: "The server's words say what it does not take; the versions tested are in docs/cluster.md.",
  billing: "The service asks for payment; look at your account.",
  "session-expired":
    "The server heard no heartbeat for too long. Go on from the last checkpoint with --resume.",
  "model-gone":
    "The server was restarted, or unloaded the model. Go on from the last checkpoint with --resume.",
  "rate-limited": "Lower the engine's concurrency, or try again later.",
  server: "Look at the server's log.",
  failed: "Look at the server's log.",
  "out-of-step": "Go on from the last checkpoint with --resume.",
  timeout: "Look at the server's log; raise resultTimeoutMs where the work is really that long.",
};

/** Facts around an error. */
export interface TinkerErrorOptions {
  /** The API call, as `POST forward_backward`. */
  readonly operation?: string;
  /** HTTP status of the answer, where there was one. */
  readonly status?: number;
  /** The server's own words. */
  readonly detail?: string;
  readonly hint?: string;
  readonly cause?: unknown;
}

/** Any failure of a Tinker call. `code` says what kind, `detail` what the server said. */
export class TinkerError extends DipError {
  override readonly name = "TinkerError";
  readonly code: TinkerErrorCode;
  readonly operation?: string;
  readonly status?: number;
  readonly detail?: string;

  constructor(code: TinkerErrorCode, message: string, options: TinkerErrorOptions = {}) {
    const hint = options.hint ?? HINTS[code];
    super(message, { ...(hint !== undefined && { hint }), cause: options.cause });
    this.code = code;
    if (options.operation !== undefined) this.operation = options.operation;
    if (options.status !== undefined) this.status = options.status;
    if (options.detail !== undefined) this.detail = options.detail;
  }
}

/** An answer that cannot be read. */
export function protocolError(message: string, cause?: unknown): TinkerError {
  return new TinkerError("protocol", message, { cause });
}

/** Whether this is a {@link TinkerError} of one of these kinds. */
export function isTinkerError(error: unknown, ...codes: readonly TinkerErrorCode[]): error is TinkerError {
  return error instanceof TinkerError && (codes.length === 0 || codes.includes(error.code));
}

function text(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** The server's words in an answer's body: `detail` as FastAPI writes it (text, or a list of what is wrong where). */
export function serverWords(body: string): string {
  let json: unknown;
  try {
    json = JSON.parse(body);
  } catch {
    return body.trim().slice(0, 500);
  }
  if (typeof json !== "object" || json === null) return text(json).slice(0, 500);
  const fields = json as Record<string, unknown>;
  const detail = fields["detail"] ?? fields["error"] ?? fields["message"] ?? json;
  if (!Array.isArray(detail)) return text(detail).slice(0, 500);
  return detail
    .map((one: unknown) => {
      if (typeof one !== "object" || one === null || !("msg" in one)) return text(one);
      const { loc, msg } = one as { loc?: unknown; msg: unknown };
      const where = Array.isArray(loc) ? loc.filter((part) => part !== "body").join(".") : "";
      return where === "" ? text(msg) : `${where}: ${text(msg)}`;
    })
    .join("; ")
    .slice(0, 1000);
}

const BY_STATUS: Readonly<Record<number, TinkerErrorCode>> = {
  401: "unauthorized",
  402: "billing",
  403: "unauthorized",
  404: "not-found",
  409: "conflict",
  410: "session-expired",
  429: "rate-limited",
};

/** What kind of trouble an answer's status and words are. */
export function codeOf(status: number, words: string): TinkerErrorCode {
  // SkyRL says this with 400, after it has been restarted or has expired the session.
  if (/\bnot loaded\b/.test(words)) return "model-gone";
  if (status === 404 && /^session not found/i.test(words)) return "session-expired";
  return BY_STATUS[status] ?? (status >= 500 || status === 408 ? "server" : "refused");
}

/** The error that an answer's status and body mean. */
export function errorOfAnswer(operation: string, status: number, body: string): TinkerError {
  const detail = serverWords(body);
  return new TinkerError(
    codeOf(status, detail),
    `${operation}: the server answered ${status}${detail === "" ? "" : `: ${detail}`}`,
    {
      operation,
      status,
      detail,
      ...(status === 415 && {
        hint: 'This server takes passes as protobuf only: leave encoding "json" out.',
      }),
    },
  );
}
