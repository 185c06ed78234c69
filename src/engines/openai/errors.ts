/** @file What goes wrong between this client and a server, with the server's words and without the key. */
import { DipError } from "../../base/errors.js";

/** Longest stretch of a server's answer that a message quotes. */
const LONGEST_QUOTE = 400;

/** A request that failed. */
export class OpenAiError extends DipError {
  override readonly name = "OpenAiError";
  /** HTTP status; absent where there was no answer, or a broken one. */
  readonly status?: number;
  /** Whether asking again may help. */
  readonly retriable: boolean;
  /** Milliseconds that the server asks to wait. */
  readonly retryAfter?: number;

  constructor(
    message: string,
    options: {
      readonly status?: number;
      readonly retriable: boolean;
      readonly retryAfter?: number | undefined;
      readonly hint?: string | undefined;
      readonly cause?: unknown;
    },
  ) {
    const { status, retriable, retryAfter, hint, cause } = options;
    super(message, { ...(hint !== undefined && { hint }), ...(cause !== undefined && { cause }) });
    this.retriable = retriable;
    if (status !== undefined) this.status = status;
    if (retryAfter !== undefined) this.retryAfter = retryAfter;
  }
}

/** The server's own words in an error body: OpenAI's `{error: {message}}`, FastAPI's `{detail}`, or the text itself. */
export function serverWords(body: string): string {
  let words = body;
  try {
    const value = JSON.parse(body) as unknown;
    if (typeof value === "object" && value !== null) {
      const { error, detail, message } = value as Record<string, unknown>;
      const inner =
        typeof error === "object" && error !== null ? (error as Record<string, unknown>)["message"] : error;
      const found = inner ?? detail ?? message;
      if (found !== undefined) words = typeof found === "string" ? found : JSON.stringify(found);
    }
  } catch {
    // Not JSON: a proxy's page, or plain words.
  }
  const line = words.replace(/\s+/g, " ").trim();
  return line.length > LONGEST_QUOTE ? `${line.slice(0, LONGEST_QUOTE)}...` : line;
}

/** What to do about a status. */
export function hintFor(status: number, words: string): string | undefined {
  switch (status) {
    case 401:
    case 403:
      return "Put the key into an environment variable and name it by --api-key-env.";
    case 404:
      return "The base URL usually ends in /v1, and the model's name must be the one that the server lists.";
    case 413:
      return "The picture is too large for the server: lower the pixel budget (--max-pixels).";
    case 400:
    case 422:
      return /context|token|length|too long/i.test(words)
        ? "Prompt, picture and --max-tokens together must fit the server's context."
        : "The server refuses a field of the request: choose the --server of this server.";
    default:
      return undefined;
  }
}

/** Statuses where asking again may help. */
export function isRetriable(status: number): boolean {
  return (
    status === 408 || status === 409 || status === 425 || status === 429 || (status >= 500 && status !== 501)
  );
}
