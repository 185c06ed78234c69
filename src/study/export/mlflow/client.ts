/**
 * @file MLflow's REST API (2.0), the calls that a finished or growing run needs: HTTP with a key from the environment,
 * time limits, and retries of what may be sent twice.
 */
import { DipError, InputError, toError } from "../../../base/index.js";
import { isRetriable } from "../../../engines/openai/errors.js";
import { retryAfterOf, retryDefaults, sleep } from "../../../engines/openai/retry.js";

/** A call that failed. */
export class MlflowError extends DipError {
  override readonly name = "MlflowError";
  constructor(
    message: string,
    /** HTTP status; absent where there was no answer. */
    readonly status: number | undefined,
    /** MLflow's own, such as RESOURCE_DOES_NOT_EXIST. */
    readonly code: string | undefined,
    options: { readonly hint?: string; readonly cause?: unknown; readonly retryAfter?: number } = {},
  ) {
    super(message, options);
    this.retryAfter = options.retryAfter;
  }
  /** Milliseconds that the server asks to wait. */
  readonly retryAfter: number | undefined;
  /** The server has surely not taken the request. */
  get refused(): boolean {
    const code = ((this.cause as Error | undefined)?.cause as { code?: unknown } | undefined)?.code;
    return this.status === 429 || this.status === 503 || code === "ECONNREFUSED";
  }
  /** Asking again may help. */
  get retriable(): boolean {
    return this.status === undefined || isRetriable(this.status);
  }
}

/** Options of {@link createMlflowClient}. */
export interface MlflowClientOptions {
  /** Such as http://127.0.0.1:5000. @default MLFLOW_TRACKING_URI */
  readonly trackingUri?: string;
  /** @default process.env */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  readonly fetch?: typeof fetch;
  /** Waits between tries; tests hand in one that does not. */
  readonly sleep?: (milliseconds: number) => Promise<void>;
  /** Milliseconds of one call at most. @default 60,000 */
  readonly timeout?: number;
  /** Told before each wait. */
  readonly onRetry?: (message: string, wait: number) => void;
}

/** One server. */
export interface MlflowClient {
  /** Holds no secret. */
  readonly trackingUri: string;
  /**
   * Calls `api/2.0/mlflow/...`.
   * @param repeat `once` for what would act twice: it is only tried again where the server has surely not taken it.
   * @throws MlflowError
   */
  call<T = unknown>(
    method: "GET" | "POST",
    endpoint: string,
    parameters: object,
    repeat?: "once" | "repeatable",
  ): Promise<T>;
  /** Keeps a file with the server's artifact proxy. @param path as in an artifact URI `mlflow-artifacts:/path` */
  putArtifact(path: string, content: Uint8Array, contentType: string): Promise<void>;
}

function checkUri(text: string | undefined): string {
  if (text === undefined || text.trim() === "")
    throw new InputError("no MLflow server is named", {
      hint: "Give --tracking-uri http://HOST:PORT, or set MLFLOW_TRACKING_URI.",
    });
  let url: URL | undefined;
  try {
    url = new URL(text);
  } catch {
    // Not quoted below: it may be a path with a password in it all the same.
  }
  if (url === undefined || (url.protocol !== "http:" && url.protocol !== "https:"))
    throw new InputError("the tracking URI is neither http:// nor https://", {
      hint: "Only servers are spoken to; for a folder or a database start one on it: `mlflow server --backend-store-uri ...`.",
    });
  if (url.username !== "" || url.password !== "" || url.search !== "" || url.hash !== "")
    throw new InputError("the tracking URI must not hold a user, a password or a query", {
      hint: "Set MLFLOW_TRACKING_TOKEN, or MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD.",
    });
  return url.href.replace(/\/+$/, "");
}

/** The header's value, as MLflow's own client makes it: user and password go before the token. */
function authorizationOf(environment: Readonly<Record<string, string | undefined>>): string | undefined {
  const user = environment["MLFLOW_TRACKING_USERNAME"];
  const password = environment["MLFLOW_TRACKING_PASSWORD"];
  const token = environment["MLFLOW_TRACKING_TOKEN"]?.trim();
  if (user && password) return `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;
  if (!token) return undefined;
  if (!/^[\x21-\x7e]+$/.test(token))
    throw new InputError("MLFLOW_TRACKING_TOKEN holds no token: it has spaces or other characters in it");
  return `Bearer ${token}`;
}

function hintFor(status: number | undefined): string | undefined {
  if (status === undefined) return "Is the server running, and is the tracking URI its address?";
  if (status === 401 || status === 403)
    return "Set MLFLOW_TRACKING_TOKEN, or MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD; newer servers also refuse host names they were not told of (--allowed-hosts).";
  if (status >= 300 && status < 400) return "Give the address that it redirects to as the tracking URI.";
  return undefined;
}

/** The server's words, on one line. */
function wordsOf(text: string): { code?: string; words: string } {
  try {
    const { error_code: code, message } = JSON.parse(text) as { error_code?: string; message?: string };
    if (typeof message === "string") return { ...(code !== undefined && { code }), words: message };
  } catch {
    // A proxy's page.
  }
  return { words: text };
}

/** @throws InputError for an address or a token that cannot be used; nothing is sent yet. */
export function createMlflowClient(options: MlflowClientOptions = {}): MlflowClient {
  const { environment = process.env, timeout = 60_000, onRetry } = options;
  const wait = options.sleep ?? ((milliseconds: number) => sleep(milliseconds));
  const trackingUri = checkUri(options.trackingUri ?? environment["MLFLOW_TRACKING_URI"]);
  const authorization = authorizationOf(environment);
  const secret = authorization?.split(" ")[1];
  const redact = (text: string) => (secret === undefined ? text : text.replaceAll(secret, "[token]"));

  async function once(
    method: string,
    url: string,
    body?: Uint8Array | string,
    type?: string,
  ): Promise<string> {
    let response: Response;
    let text: string;
    try {
      response = await (options.fetch ?? fetch)(url, {
        method,
        headers: {
          ...(type !== undefined && { "content-type": type }),
          ...(authorization !== undefined && { authorization }),
        },
        ...(body !== undefined && { body: typeof body === "string" ? body : Buffer.from(body) }),
        // A token follows no redirect to wherever.
        redirect: "manual",
        signal: AbortSignal.timeout(timeout),
      });
      text = await response.text();
    } catch (error) {
      const cause = toError(error);
      const inner = cause.cause instanceof Error ? `: ${cause.cause.message}` : "";
      throw new MlflowError(`${trackingUri}: ${redact(cause.message + inner)}`, undefined, undefined, {
        hint: hintFor(undefined)!,
        cause,
      });
    }
    if (response.ok) return text;
    const { code, words } = wordsOf(text);
    const line = redact(words).replaceAll(/\s+/g, " ").trim().slice(0, 400);
    const retryAfter = retryAfterOf(response.headers, Date.now());
    const hint = hintFor(response.status);
    throw new MlflowError(
      `${url.split("?")[0]}: status ${response.status}${line === "" ? "" : `: ${line}`}`,
      response.status,
      code,
      { ...(hint !== undefined && { hint }), ...(retryAfter !== undefined && { retryAfter }) },
    );
  }

  /** Tries again while there is hope. */
  async function send(
    method: string,
    url: string,
    body?: Uint8Array | string,
    type?: string,
    repeat: "once" | "repeatable" = "repeatable",
  ): Promise<string> {
    const { attempts, first, longest, budget } = retryDefaults;
    let waited = 0;
    for (let attempt = 1; ; attempt++) {
      try {
        return await once(method, url, body, type);
      } catch (error) {
        if (!(error instanceof MlflowError) || !error.retriable || attempt >= attempts) throw error;
        if (repeat === "once" && !error.refused) throw error;
        const backoff = Math.min(longest, first * 2 ** (attempt - 1)) * (0.5 + 0.5 * Math.random());
        const next = error.retryAfter ?? backoff;
        if (waited + next > budget) throw error;
        onRetry?.(error.message, next);
        waited += next;
        await wait(next);
      }
    }
  }

  return {
    trackingUri,
    async call<T>(
      method: "GET" | "POST",
      endpoint: string,
      parameters: object,
      repeat?: "once" | "repeatable",
    ) {
      const url = `${trackingUri}/api/2.0/mlflow/${endpoint}`;
      const text =
        method === "GET"
          ? await send(
              method,
              `${url}?${new URLSearchParams(Object.entries(parameters) as [string, string][]).toString()}`,
            )
          : await send(method, url, JSON.stringify(parameters), "application/json", repeat);
      try {
        return (text === "" ? {} : JSON.parse(text)) as T;
      } catch (error) {
        throw new MlflowError(`${url}: the answer is not JSON`, 200, undefined, {
          hint: "Is this an MLflow server's address?",
          cause: error,
        });
      }
    },
    async putArtifact(path, content, contentType) {
      const encoded = path.split("/").map(encodeURIComponent).join("/");
      await send("PUT", `${trackingUri}/api/2.0/mlflow-artifacts/artifacts/${encoded}`, content, contentType);
    },
  };
}
