/** @file Reads a request's body within limits: its own, and that of all bodies that are held at once. */
import type { IncomingMessage } from "node:http";
import { toError } from "../base/errors.js";
import { HttpError } from "./http-error.js";

/** Bytes of bodies that are held. */
export interface BodyBudget {
  held: number;
  readonly limit: number;
}

/** A body, parsed, and how to give its bytes back. */
export interface HeldBody {
  readonly value: unknown;
  readonly bytes: number;
  release(): void;
}

/** Thrown where the client left before its body was whole. */
export class ClientGone extends Error {
  override readonly name = "ClientGone";
}

function checkHeaders({ headers }: IncomingMessage, limit: number): void {
  const type = headers["content-type"]?.split(";")[0]?.trim().toLowerCase();
  // A page in a browser can send text/plain to a server on loopback without asking; JSON it cannot.
  if (type !== "application/json")
    throw new HttpError(
      "unsupported-media-type",
      `content-type is ${type ?? "missing"}, not application/json`,
    );
  const encoding = headers["content-encoding"];
  if (encoding !== undefined && encoding !== "identity")
    throw new HttpError(
      "unsupported-media-type",
      `content-encoding ${encoding} is not read: send plain JSON`,
    );
  if (Number(headers["content-length"] ?? 0) > limit) throw tooLarge(limit);
}

function tooLarge(limit: number): HttpError {
  return new HttpError("body-too-large", `the body is larger than ${limit} bytes`, {
    hint: "Send fewer groups a request, or start the server with a larger --max-body-mb.",
  });
}

/**
 * Reads and parses.
 * @throws HttpError for a body that is not JSON, too large, or one too many; ClientGone
 */
export async function readJsonBody(
  request: IncomingMessage,
  options: { readonly limit: number; readonly budget: BodyBudget; readonly retryAfter: () => number },
): Promise<HeldBody> {
  const { limit, budget } = options;
  checkHeaders(request, limit);
  const chunks: Buffer[] = [];
  let bytes = 0;
  const release = () => {
    budget.held -= bytes;
    bytes = 0;
  };
  try {
    // The stream is kept on an early end: a refusal is still to be sent.
    for await (const piece of request.iterator({ destroyOnReturn: false })) {
      const chunk = piece as Buffer;
      bytes += chunk.length;
      budget.held += chunk.length;
      if (bytes > limit) throw tooLarge(limit);
      if (budget.held > budget.limit)
        throw new HttpError("busy", `bodies of ${budget.held} bytes are in work`, {
          retryAfter: options.retryAfter(),
        });
      chunks.push(chunk);
    }
  } catch (error) {
    release();
    if (error instanceof HttpError) throw error;
    throw new ClientGone(toError(error).message);
  }
  const text = Buffer.concat(chunks).toString("utf8");
  try {
    return { value: JSON.parse(text) as unknown, bytes, release };
  } catch (error) {
    release();
    const constant = /[[,:]\s*(-?Infinity|NaN)\b/.exec(text)?.[1];
    throw new HttpError("bad-json", `the body is not JSON: ${toError(error).message}`, {
      ...(constant !== undefined && {
        hint: `JSON has no ${constant}; Python's json.dumps refuses it with allow_nan=False.`,
      }),
    });
  }
}

/**
 * Throws away what is still to come of a refused body, so that the client, which may only read after it has written, gets its answer
 * instead of a broken connection. Bounded: after `bytes` or `milliseconds` the connection is not worth saving.
 */
export async function discardBody(
  request: IncomingMessage,
  options: { readonly bytes: number; readonly milliseconds: number },
): Promise<void> {
  if (request.complete || request.destroyed) return;
  await new Promise<void>((resolve) => {
    let bytes = 0;
    const timer = setTimeout(finish, options.milliseconds);
    function finish() {
      clearTimeout(timer);
      request.off("data", count).off("end", finish).off("close", finish);
      resolve();
    }
    function count(chunk: Buffer) {
      bytes += chunk.length;
      if (bytes > options.bytes) finish();
    }
    request.on("data", count).on("end", finish).on("close", finish);
  });
}
