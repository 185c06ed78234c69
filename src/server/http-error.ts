/** @file Errors that are answers: an HTTP status, a code for programs, words and a hint for people. */
import { DipError } from "../base/errors.js";

/** Refusals of a whole request, and their statuses. */
export const STATUS = {
  "bad-json": 400,
  unauthorized: 401,
  forbidden: 403,
  "not-found": 404,
  "method-not-allowed": 405,
  "group-conflict": 409,
  "body-too-large": 413,
  "too-many-groups": 413,
  "unsupported-media-type": 415,
  "bad-request": 422,
  "unknown-sample": 422,
  "group-of-one": 422,
  "limit-exceeded": 422,
  busy: 429,
  failed: 500,
  stopping: 503,
  "group-incomplete": 504,
} as const;

/** A code of {@link STATUS}. */
export type HttpErrorCode = keyof typeof STATUS;

/** A request that is refused. */
export class HttpError extends DipError {
  override readonly name = "HttpError";
  readonly status: number;

  constructor(
    readonly code: HttpErrorCode,
    message: string,
    options: {
      readonly hint?: string;
      readonly cause?: unknown;
      /** Seconds, for 429 and 503. */
      readonly retryAfter?: number;
      /** Further headers. */
      readonly headers?: Readonly<Record<string, string>>;
    } = {},
  ) {
    super(message, options);
    this.status = STATUS[code];
    this.retryAfter = options.retryAfter;
    this.headers = options.headers ?? {};
  }

  readonly retryAfter: number | undefined;
  readonly headers: Readonly<Record<string, string>>;

  /** The body that is sent. */
  toJSON(): { error: { code: HttpErrorCode; message: string; hint?: string } } {
    return {
      error: {
        code: this.code,
        message: this.message,
        ...(this.hint !== undefined && { hint: this.hint }),
      },
    };
  }
}
