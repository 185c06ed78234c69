/** @file What a route of the studio is, what it is handed, and how it answers. */
import { InputError } from "../../base/errors.js";
import { HttpError } from "../http-error.js";
import type { Studio } from "./studio.js";

/** One request, its path and query taken apart. */
export interface StudioCall {
  /** Decoded parts of the path by name: `id` of `/api/runs/:id`. */
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  /** The parsed body of a POST; undefined otherwise. */
  readonly body: unknown;
  /** Aborted once nobody waits for the answer. */
  readonly signal: AbortSignal;
  /** `Last-Event-ID`, where an EventSource comes back. */
  readonly lastEventId?: string;
}

/** How an answer is sent. */
export type StudioReply =
  | { readonly kind: "json"; readonly value: unknown }
  /** `etag` makes it cacheable: the browser asks again and gets a 304. */
  | { readonly kind: "bytes"; readonly type: string; readonly body: Uint8Array; readonly etag?: string }
  /** Sent as it is written; ends when `run` does, or when the client has gone (the call's signal). */
  | {
      readonly kind: "stream";
      readonly type: string;
      /** `write` resolves once there is room for more. */
      readonly run: (write: (text: string) => Promise<void>) => Promise<void>;
    };

/** A path of the API. */
export interface StudioRoute {
  readonly method: "GET" | "POST";
  /** Segments by `/`; one that begins with `:` takes any single segment, percent-decoded. */
  readonly path: `/api/${string}`;
  /** Bytes of a POST's body. @default 1 MiB */
  readonly bodyBytes?: number;
  /** @throws HttpError; InputError becomes a 422 with its words. */
  handle(call: StudioCall, studio: Studio): Promise<StudioReply> | StudioReply;
}

/** A JSON answer. */
export const json = (value: unknown): StudioReply => ({ kind: "json", value });

/** A number of the query. @throws HttpError naming it where it is none or out of bounds */
export function numberOf(
  query: URLSearchParams,
  name: string,
  options: { readonly min?: number; readonly max?: number; readonly integer?: boolean } = {},
): number | undefined {
  const text = query.get(name);
  if (text === null || text === "") return undefined;
  const { min = -Infinity, max = Infinity, integer = false } = options;
  const value = Number(text);
  if (!(value >= min && value <= max) || (integer && !Number.isInteger(value)))
    throw new HttpError("bad-request", `${name}=${text}: not a ${integer ? "whole " : ""}number in range`);
  return value;
}

/** A text of the query that must be there. @throws HttpError naming it */
export function textOf(query: URLSearchParams, name: string): string {
  const text = query.get(name);
  if (text === null || text === "") throw new HttpError("bad-request", `${name} is missing in the query`);
  return text;
}

/** One of several words of the query. @throws HttpError naming it and what it may be */
export function wordOf<T extends string>(
  query: URLSearchParams,
  name: string,
  words: readonly T[],
): T | undefined {
  const text = query.get(name);
  if (text === null || text === "") return undefined;
  const word = words.find((one) => one === text);
  if (word === undefined)
    throw new HttpError("bad-request", `${name}=${text}: not one of ${words.join(", ")}`);
  return word;
}

/** What the user did wrong, as an answer. */
export function asHttpError(error: unknown): unknown {
  if (!(error instanceof InputError)) return error;
  return new HttpError("bad-request", error.message, { hint: error.hint, cause: error });
}

/** Finds the route of a path. Parts are decoded one by one, so that an encoded slash stays within its part. */
export function createRouter(routes: readonly StudioRoute[]) {
  const table = routes.map((route) => ({ route, parts: route.path.split("/") }));
  return {
    /**
     * @returns the route of this method, the methods that the path has, or nothing for a path that is none
     * @throws HttpError for a path that cannot be decoded
     */
    find(
      method: string,
      path: string,
    ):
      | { readonly route: StudioRoute; readonly params: Record<string, string> }
      | { readonly allow: readonly string[] } {
      const given = path.split("/");
      const allow: string[] = [];
      for (const { route, parts } of table) {
        if (parts.length !== given.length) continue;
        if (!parts.every((part, i) => part.startsWith(":") || part === given[i])) continue;
        if (route.method !== method && !(method === "HEAD" && route.method === "GET")) {
          allow.push(route.method);
          continue;
        }
        const params: Record<string, string> = {};
        parts.forEach((part, i) => {
          if (part.startsWith(":")) params[part.slice(1)] = decodePart(given[i]!);
        });
        return { route, params };
      }
      return { allow };
    },
  };
}

function decodePart(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw new HttpError("bad-request", "the path is not percent-encoded UTF-8");
  }
}
