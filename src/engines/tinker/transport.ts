/** @file One HTTP request to a Tinker server: address, key, time limit, and what its failure means for a second try. */
import { errorOfAnswer, protocolError, TinkerError } from "./errors.js";
import {
  realRetryTools,
  TryFailed,
  withRetries,
  type Idempotence,
  type RetryPolicy,
  type RetryTools,
} from "./retry.js";

/** A body and what it is. */
export interface RequestBody {
  readonly bytes: Uint8Array | string;
  readonly contentType: string;
  /** As `zstd`. */
  readonly contentEncoding?: string;
}

/** One request. */
export interface TransportRequest {
  readonly method: "GET" | "POST" | "DELETE";
  /** Under /api/v1/. */
  readonly path: string;
  readonly body?: RequestBody;
  readonly headers?: Readonly<Record<string, string>>;
  readonly idempotence: Idempotence;
  /** Of one try, ms. @default the transport's */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
  /** Tried once only. @default false */
  readonly noRetry?: boolean;
}

/** An answer of status 2xx. */
export interface Answer {
  readonly contentType: string;
  readonly bytes: Uint8Array;
}

/** Sends requests. */
export interface Transport {
  /**
   * Sends, tries again as the policy says, and reads the answer; what `read` refuses as `protocol` was damaged on the way
   * and is asked for again.
   */
  send<T>(request: TransportRequest, read: (answer: Answer) => T): Promise<T>;
  /** The same with JSON both ways. */
  sendJson(request: Omit<TransportRequest, "body"> & { readonly json?: unknown }): Promise<unknown>;
  /** One try. @throws TryFailed */
  attempt(request: TransportRequest): Promise<Answer>;
  /** Tries of one's own, with this transport's patience. */
  retrying<T>(
    attempt: () => Promise<T>,
    request: Pick<TransportRequest, "idempotence" | "signal">,
  ): Promise<T>;
  /** Tries that were made again so far, by the code of their trouble. */
  readonly retries: Readonly<Record<string, number>>;
}

/** JSON of an answer. @throws TinkerError (`protocol`) where it is none. */
export function jsonOf({ bytes }: Answer): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes)) as unknown;
  } catch (error) {
    throw protocolError("the answer is no JSON", error);
  }
}

/** What {@link createTransport} needs. */
export interface TransportOptions {
  /** As `http://127.0.0.1:8000`. */
  readonly baseUrl: string;
  readonly apiKey: string;
  readonly policy: RetryPolicy;
  /** Of one try where a request does not say, ms. @default 60000 */
  readonly requestTimeoutMs?: number;
  readonly tools?: RetryTools;
  readonly fetch?: typeof globalThis.fetch;
  readonly onRetry?: (message: string) => void;
}

/** Failures before a connection stood: the request was surely not taken. */
const NOT_SENT = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "UND_ERR_CONNECT_TIMEOUT",
]);
/** Statuses by which a server says that it has not begun. */
const NOT_TAKEN = new Set([425, 429, 503]);

function causeCode(error: unknown): string | undefined {
  for (let at: unknown = error; at instanceof Error; at = at.cause) {
    if (at instanceof AggregateError && at.errors.length > 0) return causeCode(at.errors[0]);
    if ("code" in at && typeof at.code === "string") return at.code;
  }
  return undefined;
}

/** Seconds or a date, as ms from now; nothing where it is neither. */
export function retryAfterMs(header: string | null, nowDate = Date.now()): number | undefined {
  if (header === null || header.trim() === "") return undefined;
  const seconds = Number(header);
  const ms = Number.isFinite(seconds) ? seconds * 1000 : Date.parse(header) - nowDate;
  return Number.isFinite(ms) ? Math.max(0, ms) : undefined;
}

/** A transport over `fetch`. */
export function createTransport(options: TransportOptions): Transport {
  const { apiKey, policy, tools = realRetryTools, fetch = globalThis.fetch, onRetry } = options;
  const base = options.baseUrl.replace(/\/+$/, "");
  const retries: Record<string, number> = {};

  async function attempt(request: TransportRequest): Promise<Answer> {
    const { method, path, body, headers, timeoutMs = options.requestTimeoutMs ?? 60_000, signal } = request;
    const operation = `${method} ${path}`;
    const timeout = AbortSignal.timeout(timeoutMs);
    const lost = (thrown: unknown): Error => {
      if (signal?.aborted === true) return new TinkerError("aborted", `${operation}: ended by its caller`);
      const code = causeCode(thrown);
      const why = timeout.aborted ? `no answer within ${timeoutMs / 1000} s` : (code ?? String(thrown));
      const error = new TinkerError("unreachable", `${operation} at ${base}: ${why}`, {
        operation,
        cause: thrown,
      });
      return new TryFailed({
        error,
        maybeTaken: code === undefined || !NOT_SENT.has(code),
        timedOut: timeout.aborted,
      });
    };
    let response: Response;
    let bytes: Uint8Array;
    try {
      response = await fetch(`${base}/api/v1/${path}`, {
        method,
        headers: {
          "X-API-Key": apiKey,
          ...(body && { "Content-Type": body.contentType }),
          ...(body?.contentEncoding !== undefined && { "Content-Encoding": body.contentEncoding }),
          ...headers,
        },
        ...(body && { body: body.bytes }),
        signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
      });
      bytes = new Uint8Array(await response.arrayBuffer());
    } catch (thrown) {
      throw lost(thrown);
    }
    if (response.ok) return { contentType: response.headers.get("content-type") ?? "", bytes };
    const { status } = response;
    const after = retryAfterMs(response.headers.get("retry-after"));
    throw new TryFailed({
      error: errorOfAnswer(operation, status, new TextDecoder().decode(bytes)),
      maybeTaken: (status >= 500 || status === 408) && !NOT_TAKEN.has(status),
      ...(after !== undefined && { retryAfterMs: after }),
    });
  }

  async function retrying<T>(
    own: () => Promise<T>,
    { idempotence, signal, noRetry }: Pick<TransportRequest, "idempotence" | "signal" | "noRetry">,
  ): Promise<T> {
    return withRetries(own, {
      policy: noRetry === true ? { ...policy, budgetMs: 0 } : policy,
      tools,
      idempotence,
      ...(signal && { signal }),
      onRetry({ error }, delay) {
        retries[error.code] = (retries[error.code] ?? 0) + 1;
        onRetry?.(`${error.message}; trying again in ${(delay / 1000).toFixed(1)} s`);
      },
    });
  }

  function send<T>(request: TransportRequest, read: (answer: Answer) => T): Promise<T> {
    return retrying(async () => {
      const answer = await attempt(request);
      try {
        return read(answer);
      } catch (error) {
        // The call was worked on; its answer was damaged on the way.
        if (error instanceof TinkerError) throw new TryFailed({ error, maybeTaken: true });
        throw error;
      }
    }, request);
  }

  return {
    retries,
    attempt,
    retrying,
    send,
    sendJson: ({ json, ...request }) =>
      send(
        {
          ...request,
          ...(json !== undefined && {
            body: { bytes: JSON.stringify(json), contentType: "application/json" },
          }),
        },
        jsonOf,
      ),
  };
}
