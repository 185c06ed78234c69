/** @file A small HTTP client for tests of servers: every request on a connection of its own, or on an agent's. */
import { request, type Agent, type IncomingHttpHeaders } from "node:http";

/** An answer. */
export interface Answer<T = unknown> {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  /** The parsed body. */
  json(): T;
}

/** Sends a request; with a body it is a POST of JSON. */
export function send<T = unknown>(
  url: string,
  options: {
    readonly body?: unknown;
    readonly headers?: Record<string, string>;
    readonly agent?: Agent;
    readonly method?: string;
  } = {},
): Promise<Answer<T>> {
  const { body, headers = {}, agent } = options;
  const data = body === undefined ? undefined : typeof body === "string" ? body : JSON.stringify(body);
  return new Promise((resolve, reject) => {
    const sent = request(
      url,
      {
        method: options.method ?? (data === undefined ? "GET" : "POST"),
        agent: agent ?? false,
        headers: {
          ...(data !== undefined && {
            "content-type": "application/json",
            "content-length": Buffer.byteLength(data),
          }),
          ...headers,
        },
      },
      (answer) => {
        const chunks: Buffer[] = [];
        answer.on("data", (chunk: Buffer) => chunks.push(chunk));
        answer.on("error", reject);
        answer.on("end", () => {
          const text = Buffer.concat(chunks).toString("utf8");
          resolve({
            status: answer.statusCode!,
            headers: answer.headers,
            text,
            json: () => JSON.parse(text) as T,
          });
        });
      },
    );
    sent.on("error", reject);
    sent.end(data);
  });
}

/** Waits until `check` holds. */
export async function until(check: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await check())) await new Promise((resolve) => setTimeout(resolve, 20));
}
