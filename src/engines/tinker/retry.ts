/**
 * @file When a call is made again: by what went wrong and by whether a second call could do harm, with jitter, honouring
 * Retry-After, within a budget of time.
 */
import { isTinkerError, TinkerError } from "./errors.js";

/** How patient a client is. */
export interface RetryPolicy {
  /** All waiting and trying of one call, ms. @default 300000 */
  readonly budgetMs: number;
  /** First wait; doubles with each try, ms. @default 500 */
  readonly baseDelayMs: number;
  /** Longest wait between two tries, ms; a server's Retry-After may ask for more. @default 30000 */
  readonly maxDelayMs: number;
  /** Answers 500 in a row before a call fails: a request that the server cannot digest stays that way. @default 4 */
  readonly maxInternalErrors: number;
}

/** {@link RetryPolicy} where nothing else is said; the Python SDK's patience. */
export const defaultRetryPolicy: RetryPolicy = {
  budgetMs: 300_000,
  baseDelayMs: 500,
  maxDelayMs: 30_000,
  maxInternalErrors: 4,
};

/**
 * What a second call does. `repeatable`: nothing (it only reads, or the server knows the request again).
 * `once`: it may act twice, so it is only made again where the server has surely not taken the first.
 */
export type Idempotence = "repeatable" | "once";

/** Clock, sleep and chance: handed in, so that tests do not wait. */
export interface RetryTools {
  /** Milliseconds. */
  readonly now: () => number;
  readonly sleep: (ms: number, signal?: AbortSignal) => Promise<void>;
  /** Uniform in [0, 1). */
  readonly random: () => number;
}

/** One failed try. */
export interface FailedTry {
  readonly error: TinkerError;
  /** The server may have taken the request. */
  readonly maybeTaken: boolean;
  /** What Retry-After asked for, ms. */
  readonly retryAfterMs?: number;
  /** There was no answer within the time limit of one try. */
  readonly timedOut?: boolean;
}

/** Thrown inside a try by the transport. */
export class TryFailed extends Error {
  constructor(readonly failed: FailedTry) {
    super(failed.error.message);
  }
}

/** Trouble that may pass. */
function isTransient(error: TinkerError): boolean {
  if (error.status !== undefined) return [408, 425, 429].includes(error.status) || error.status >= 500;
  return isTinkerError(error, "unreachable", "protocol");
}

/** Real time and chance. */
export const realRetryTools: RetryTools = {
  now: () => performance.now(),
  random: Math.random,
  sleep: (ms, signal) =>
    new Promise((resolve, reject) => {
      const stop = () => {
        clearTimeout(timer);
        reject(new TinkerError("aborted", "ended while waiting to try again"));
      };
      const timer = setTimeout(() => {
        signal?.removeEventListener("abort", stop);
        resolve();
      }, ms);
      if (signal?.aborted === true) stop();
      else signal?.addEventListener("abort", stop, { once: true });
    }),
};

/** The wait before try `attempt` (1 = the second), ms: doubling, half of it by chance, never less than asked for. */
export function retryDelay(
  attempt: number,
  policy: RetryPolicy,
  random: () => number,
  retryAfterMs = 0,
): number {
  const full = Math.min(policy.maxDelayMs, policy.baseDelayMs * 2 ** (attempt - 1));
  return Math.max(full * (0.5 + 0.5 * random()), retryAfterMs);
}

/** What {@link withRetries} is told of a call. */
export interface RetryOptions {
  readonly policy: RetryPolicy;
  readonly tools: RetryTools;
  readonly idempotence: Idempotence;
  readonly signal?: AbortSignal;
  readonly onRetry?: (failed: FailedTry, delayMs: number) => void;
}

/**
 * Tries until it works, the trouble is of a kind that stays, or the budget is spent.
 *
 * @param attempt One try; throws {@link TryFailed}.
 * @throws TinkerError: the last try's, or `ambiguous` where a call that must not be made twice may have been taken.
 */
export async function withRetries<T>(attempt: () => Promise<T>, options: RetryOptions): Promise<T> {
  const { policy, tools, idempotence, signal, onRetry } = options;
  const began = tools.now();
  let internal = 0;
  for (let tries = 1; ; tries++) {
    try {
      return await attempt();
    } catch (thrown) {
      if (!(thrown instanceof TryFailed)) throw thrown;
      const { failed } = thrown;
      const { error, maybeTaken, retryAfterMs } = failed;
      if (idempotence === "once" && maybeTaken) {
        throw new TinkerError(
          "ambiguous",
          `${error.message}; whether the server has taken the request is not known`,
          { operation: error.operation, status: error.status, detail: error.detail, cause: error },
        );
      }
      if (!isTransient(error)) throw error;
      internal = error.status === 500 ? internal + 1 : 0;
      if (internal >= policy.maxInternalErrors) throw error;
      const delay = retryDelay(tries, policy, tools.random, retryAfterMs);
      if (tools.now() - began + delay > policy.budgetMs) {
        throw new TinkerError(error.code, `${error.message} (gave up after ${tries} tries)`, {
          operation: error.operation,
          status: error.status,
          detail: error.detail,
          cause: error,
        });
      }
      onRetry?.(failed, delay);
      await tools.sleep(delay, signal);
    }
  }
}
