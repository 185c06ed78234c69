/** @file Asking again: which failures, how long after, and when to give up. */
import { OpenAiError } from "./errors.js";

/** How failures are met. */
export interface RetryPolicy {
  /** Tries in all. @default 6 */
  readonly attempts: number;
  /** Milliseconds of waiting between tries in all. @default 300,000 */
  readonly budget: number;
  /** The first wait, milliseconds; each further one may be twice as long. @default 500 */
  readonly first: number;
  /** The longest wait that is not the server's wish. @default 30,000 */
  readonly longest: number;
}

/** The defaults. */
export const retryDefaults: RetryPolicy = { attempts: 6, budget: 300_000, first: 500, longest: 30_000 };

/** Time and chance, so that tests need neither. */
export interface RetryEffects {
  readonly sleep: (milliseconds: number, signal?: AbortSignal) => Promise<void>;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** Told before each wait. */
  readonly onRetry?: (error: OpenAiError, wait: number, attempt: number) => void;
}

/** Waits, unless the signal ends it. */
export function sleep(milliseconds: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted === true) return reject(signal.reason as Error);
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", stop);
      resolve();
    }, milliseconds);
    const stop = (): void => {
      clearTimeout(timer);
      reject(signal?.reason as Error);
    };
    signal?.addEventListener("abort", stop, { once: true });
  });
}

/** Milliseconds of a Retry-After header (seconds or a date), or of `retry-after-ms`; absent where there is none or it is neither. */
export function retryAfterOf(headers: Headers, now: number): number | undefined {
  const exact = Number(headers.get("retry-after-ms") ?? NaN);
  if (Number.isFinite(exact) && exact >= 0) return exact;
  const text = headers.get("retry-after");
  if (text === null || text.trim() === "") return undefined;
  const seconds = Number(text);
  if (Number.isFinite(seconds)) return seconds >= 0 ? 1000 * seconds : undefined;
  const date = Date.parse(text);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}

/**
 * Works until it is done, or there is no hope. The wait is the server's wish, else drawn from [half, whole] of an
 * exponentially growing one, so that clients turned away together do not come back together.
 * @throws the last error, with a word on how often it was tried.
 */
export async function withRetries<T>(
  work: (attempt: number) => Promise<T>,
  policy: RetryPolicy,
  { sleep: wait, random, onRetry }: RetryEffects,
  signal?: AbortSignal,
): Promise<T> {
  let waited = 0;
  for (let attempt = 1; ; attempt++) {
    try {
      return await work(attempt);
    } catch (error) {
      if (!(error instanceof OpenAiError) || !error.retriable || signal?.aborted === true) throw error;
      const backoff = Math.min(policy.longest, policy.first * 2 ** (attempt - 1)) * (0.5 + 0.5 * random());
      const next = error.retryAfter ?? backoff;
      if (attempt >= policy.attempts || waited + next > policy.budget) {
        if (attempt === 1 && error.retryAfter === undefined) throw error;
        const asked =
          error.retryAfter === undefined ? "" : `; the server asks to wait ${(next / 1000).toFixed(0)} s`;
        throw new OpenAiError(
          `${error.message} (tried ${attempt} ${attempt === 1 ? "time" : "times"}${asked})`,
          {
            retriable: false,
            ...(error.status !== undefined && { status: error.status }),
            hint:
              error.hint ??
              "Lower --concurrency, or go on later: answers that were had are kept in the cache.",
            cause: error,
          },
        );
      }
      onRetry?.(error, next, attempt);
      waited += next;
      await wait(next, signal);
    }
  }
}
