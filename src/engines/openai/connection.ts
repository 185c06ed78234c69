/**
 * @file HTTP to one server: its address, the key (from the environment only; in no message, log or file), time limits,
 * and errors made of what the server says.
 */
import { InputError, toError } from "../../base/errors.js";
import { hintFor, isRetriable, OpenAiError, serverWords } from "./errors.js";
import { retryAfterOf } from "./retry.js";

/** Where the key is looked for when nobody names a variable; OpenAI's own is used for OpenAI's own address only. */
export const DEFAULT_KEY_VARIABLE = "DIP_R1_API_KEY";

/** Options of {@link createConnection}. */
export interface ConnectionOptions {
  /** Such as http://127.0.0.1:8000/v1. */
  readonly baseUrl: string;
  /** Name of the environment variable that holds the key. @default DIP_R1_API_KEY; OPENAI_API_KEY for api.openai.com */
  readonly apiKeyEnv?: string | undefined;
  /** @default process.env */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** @default the global fetch */
  readonly fetch?: typeof fetch;
  /** Milliseconds without a byte before a request is given up. @default 300,000 */
  readonly idleTimeout?: number;
}

/** One server. */
export interface Connection {
  /** Without a slash at its end; holds no secret. */
  readonly baseUrl: string;
  readonly hasKey: boolean;
  /**
   * Sends JSON; resolves once an answer with status 2xx has begun.
   * @throws OpenAiError for other statuses and where there is no answer.
   */
  post(path: string, body: unknown, signal?: AbortSignal): Promise<Answer>;
  get(path: string, signal?: AbortSignal): Promise<Answer>;
  /** Words without the key. */
  redact(text: string): string;
}

/** An answer that has begun. */
export interface Answer {
  readonly status: number;
  readonly contentType: string;
  readonly body: ReadableStream<Uint8Array>;
  /** The rest of it as text. @throws OpenAiError where it breaks off */
  text(): Promise<string>;
  /** Says that bytes came: the idle clock starts again. */
  alive(): void;
  /** Ends the request; the server may stop working on it. */
  cancel(): void;
  /** An error while reading the body, in our words. */
  broken(cause: unknown): OpenAiError;
}

/**
 * A base URL as it is kept: http or https, no credentials, no query.
 * @throws InputError (without the address where that holds a secret).
 */
export function checkBaseUrl(text: string): string {
  let url: URL;
  try {
    url = new URL(text);
  } catch (error) {
    throw new InputError("--base-url is no URL", {
      hint: "For instance http://127.0.0.1:8000/v1.",
      cause: error,
    });
  }
  if (url.username !== "" || url.password !== "" || url.search !== "" || url.hash !== "")
    throw new InputError("--base-url must not hold a user, a key or a query: it is kept in results", {
      hint: "Keys are read from the environment: --api-key-env NAME.",
    });
  if (url.protocol !== "http:" && url.protocol !== "https:")
    throw new InputError(`--base-url ${text}: neither http nor https`);
  return url.href.replace(/\/+$/, "");
}

/** The key, if there is one. @throws InputError where a variable was named and is not set, or holds no key. */
function keyOf(
  baseUrl: string,
  { apiKeyEnv, environment = process.env }: ConnectionOptions,
): string | undefined {
  const official = new URL(baseUrl).hostname === "api.openai.com";
  const name = apiKeyEnv ?? (official ? "OPENAI_API_KEY" : DEFAULT_KEY_VARIABLE);
  const key = environment[name]?.trim();
  if (key === undefined || key === "") {
    if (apiKeyEnv === undefined) return undefined;
    throw new InputError(`the environment variable ${name} (--api-key-env) is not set`);
  }
  // Never quoted: a mistake here is most often a file's content or two keys in one.
  if (!/^[\x21-\x7e]+$/.test(key))
    throw new InputError(
      `the environment variable ${name} holds no key: it has spaces or other characters in it`,
    );
  return key;
}

/** Every way in which fetch says that there was no answer, in one sentence. */
function networkWords(error: unknown): string {
  const causes: string[] = [];
  for (let one: unknown = error; one instanceof Error && causes.length < 4; one = one.cause) {
    const code = (one as { code?: unknown }).code;
    causes.push(typeof code === "string" ? `${one.message} (${code})` : one.message);
  }
  return (
    [...new Set(causes.filter((text) => text !== "" && text !== "fetch failed"))].at(-1) ??
    toError(error).message
  );
}

/**
 * A connection; nothing is sent yet.
 * @throws InputError for a base URL or a key that cannot be used.
 */
export function createConnection(options: ConnectionOptions): Connection {
  const baseUrl = checkBaseUrl(options.baseUrl);
  const key = keyOf(baseUrl, options);
  const idle = options.idleTimeout ?? 300_000;
  const redact = (text: string): string => (key === undefined ? text : text.replaceAll(key, "[key]"));

  async function send(
    method: "GET" | "POST",
    path: string,
    body: unknown,
    outer?: AbortSignal,
  ): Promise<Answer> {
    const controller = new AbortController();
    let timedOut = false;
    let timer: NodeJS.Timeout | undefined;
    const stop = (): void => clearTimeout(timer);
    const alive = (): void => {
      stop();
      timer = setTimeout(() => {
        timedOut = true;
        controller.abort();
      }, idle);
      timer.unref();
    };
    const onAbort = (): void => controller.abort(outer?.reason);
    if (outer?.aborted === true) onAbort();
    outer?.addEventListener("abort", onAbort, { once: true });
    const finish = (): void => {
      stop();
      outer?.removeEventListener("abort", onAbort);
    };
    const url = `${baseUrl}${path}`;
    const failure = (cause: unknown, when: string): OpenAiError => {
      finish();
      if (outer?.aborted === true) return new OpenAiError("the request was cancelled", { retriable: false });
      return timedOut
        ? new OpenAiError(`${url}: no byte for ${idle / 1000} s ${when}`, {
            retriable: true,
            hint: "The server is too slow for this: raise --timeout, or lower --concurrency or --max-tokens.",
          })
        : new OpenAiError(`${url}: ${redact(networkWords(cause))} ${when}`, {
            retriable: true,
            hint: "Is the server running, and is --base-url its address?",
          });
    };
    alive();
    let response: Response;
    try {
      response = await (options.fetch ?? fetch)(url, {
        method,
        headers: {
          accept: "application/json, text/event-stream",
          ...(body !== undefined && { "content-type": "application/json" }),
          ...(key !== undefined && { authorization: `Bearer ${key}` }),
        },
        ...(body !== undefined && { body: JSON.stringify(body) }),
        // A key follows no redirect to wherever.
        redirect: "manual",
        signal: controller.signal,
      });
    } catch (error) {
      throw failure(error, "before an answer");
    }
    alive();
    const text = async (): Promise<string> => {
      try {
        return await response.text();
      } catch (error) {
        throw failure(error, "within the answer");
      } finally {
        finish();
      }
    };
    if (response.status >= 300 && response.status < 400) {
      finish();
      await response.body?.cancel().catch(() => undefined);
      throw new OpenAiError(`${url}: status ${response.status}, the server is elsewhere`, {
        status: response.status,
        retriable: false,
        hint: `Give the address it redirects to as --base-url${redactedLocation(response.headers)}.`,
      });
    }
    if (!response.ok) {
      const words = redact(serverWords(await text()));
      throw new OpenAiError(`${url}: status ${response.status}${words === "" ? "" : `: ${words}`}`, {
        status: response.status,
        retriable: isRetriable(response.status),
        retryAfter: retryAfterOf(response.headers, Date.now()),
        hint: hintFor(response.status, words),
      });
    }
    return {
      status: response.status,
      contentType: response.headers.get("content-type") ?? "",
      body: response.body ?? new ReadableStream({ start: (stream) => stream.close() }),
      text,
      alive,
      cancel() {
        finish();
        controller.abort();
      },
      broken: (cause) => failure(cause, "within the answer"),
    };
  }

  return {
    baseUrl,
    hasKey: key !== undefined,
    redact,
    post: (path, body, signal) => send("POST", path, body, signal),
    get: (path, signal) => send("GET", path, undefined, signal),
  };
}

/** Where a redirect points to, without its query. */
function redactedLocation(headers: Headers): string {
  const location = headers.get("location");
  return location === null ? "" : ` (${location.split("?")[0]})`;
}
