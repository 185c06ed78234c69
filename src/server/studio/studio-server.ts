/** @file The studio's HTTP side: security first, then routes or the page's files; streams end with their clients or with the server. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { stat } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { InputError, toError } from "../../base/errors.js";
import { silentLogger, type Logger } from "../../base/logger.js";
import { HttpError } from "../http-error.js";
import { ClientGone, discardBody, readJsonBody, type BodyBudget } from "../read-body.js";
import { closeCompare } from "./compare-routes.js";
import { createDetector, type ModelSource } from "./detector.js";
import { localModels, type LocalModelOptions } from "./model-sources.js";
import { asHttpError, createRouter, type StudioCall, type StudioReply } from "./route.js";
import { studioRoutes } from "./routes.js";
import { checkOrigin, securityHeaders } from "./security.js";
import { createStaticFiles } from "./static-files.js";
import { createStudio, type Studio } from "./studio.js";

/** Options of {@link startStudio}. */
export interface StudioServerOptions {
  /** The folder of runs; it need not be there yet. */
  readonly folder: string;
  /** @default "127.0.0.1" */
  readonly host?: string;
  /** 0: any free one. @default 0 */
  readonly port?: number;
  /** Ports tried after this one where it is taken. @default 0 */
  readonly furtherPorts?: number;
  readonly models?: LocalModelOptions;
  /** A served model, the first guess of Detect. @default none */
  readonly served?: ModelSource;
  /** Folders that the built page may be in. @default dist/studio */
  readonly page?: readonly string[];
  /** Milliseconds between two looks for changes. @default 1000 */
  readonly interval?: number;
  /** Milliseconds between two signs of life of a quiet stream of events. @default 15000 */
  readonly heartbeat?: number;
  readonly logger?: Logger;
}

/** A running studio. */
export interface StudioServer {
  /** http://host:port/ */
  readonly url: string;
  readonly port: number;
  /** Ends streams, answers what was taken, stops. May be called again: the same promise. */
  stop(): Promise<void>;
}

/** Of a POST's body, unless its route says otherwise. */
const BODY_BYTES = 2 ** 20;
/** Of all bodies that are held at once. */
const HELD_BYTES = 192 * 2 ** 20;

function refusal(
  error: unknown,
  logger: Logger,
): { status: number; value: unknown; headers: Record<string, string> } {
  const known = asHttpError(error);
  if (known instanceof HttpError) {
    const { status, retryAfter, headers } = known;
    const value =
      known.code === "body-too-large"
        ? { error: { code: known.code, message: known.message, hint: "Send a smaller picture." } }
        : known.toJSON();
    return {
      status,
      value,
      headers: { ...headers, ...(retryAfter !== undefined && { "retry-after": String(retryAfter) }) },
    };
  }
  const { message, stack } = toError(error);
  logger.warn(`a request failed: ${stack ?? message}`);
  return { status: 500, value: new HttpError("failed", message).toJSON(), headers: {} };
}

/** The HTTP side, not listening yet. */
function createFront(studio: Studio, options: { readonly bound: string; readonly page?: readonly string[] }) {
  const { logger } = studio;
  const router = createRouter(studioRoutes);
  const files = createStaticFiles(options.page);
  const budget: BodyBudget = { held: 0, limit: HELD_BYTES };
  const streams = new Set<AbortController>();
  let stopping = false;

  const sendBytes = (
    request: IncomingMessage,
    response: ServerResponse,
    status: number,
    body: Uint8Array | string,
    headers: Record<string, string>,
  ) => {
    if (stopping) response.shouldKeepAlive = false;
    response.writeHead(status, {
      ...securityHeaders,
      "content-length": Buffer.byteLength(body),
      "cache-control": "no-store",
      ...headers,
    });
    response.end(request.method === "HEAD" ? undefined : body);
  };

  const sendJson = (
    request: IncomingMessage,
    response: ServerResponse,
    status: number,
    value: unknown,
    headers: Record<string, string> = {},
  ) =>
    sendBytes(request, response, status, JSON.stringify(value) + "\n", {
      "content-type": "application/json; charset=utf-8",
      ...headers,
    });

  async function sendStream(
    response: ServerResponse,
    reply: Extract<StudioReply, { kind: "stream" }>,
    abort: AbortController,
  ): Promise<void> {
    streams.add(abort);
    // Its connection ends with it: a stop waits for no idle one.
    response.shouldKeepAlive = false;
    response.writeHead(200, {
      ...securityHeaders,
      "content-type": reply.type,
      "cache-control": "no-store",
      // Proxies keep small pieces back otherwise.
      "x-accel-buffering": "no",
    });
    response.flushHeaders();
    try {
      await reply.run(async (text) => {
        if (abort.signal.aborted || response.write(text)) return;
        await new Promise<void>((resolve) => {
          const done = () => {
            response.off("drain", done);
            abort.signal.removeEventListener("abort", done);
            resolve();
          };
          response.once("drain", done);
          abort.signal.addEventListener("abort", done);
        });
      });
      response.end();
    } finally {
      streams.delete(abort);
    }
  }

  async function answer(
    request: IncomingMessage,
    response: ServerResponse,
    abort: AbortController,
  ): Promise<void> {
    const target = request.url ?? "/";
    const cut = target.indexOf("?");
    // Not through URL: it would fold `..` and `%2e%2e`, which are to be refused, not mended.
    const path = cut < 0 ? target : target.slice(0, cut);
    const query = new URLSearchParams(cut < 0 ? "" : target.slice(cut + 1));
    const method = request.method ?? "GET";
    const api = path.startsWith("/api/");
    checkOrigin(request.headers, { bound: options.bound, api: api || !["GET", "HEAD"].includes(method) });
    if (!api) {
      if (method !== "GET" && method !== "HEAD")
        throw new HttpError("method-not-allowed", `${path} takes GET`, { headers: { allow: "GET, HEAD" } });
      const file = await files.get(path);
      if (file === undefined) throw new HttpError("not-found", `there is nothing at ${path}`);
      sendBytes(request, response, 200, file.body, {
        "content-type": file.type,
        "cache-control": file.immutable ? "public, max-age=31536000, immutable" : "no-cache",
      });
      return;
    }
    const found = router.find(method, path);
    if ("allow" in found) {
      if (found.allow.length === 0) throw new HttpError("not-found", `there is nothing at ${path}`);
      const allow = found.allow.join(", ");
      throw new HttpError("method-not-allowed", `${path} takes ${allow}`, { headers: { allow } });
    }
    const { route, params } = found;
    if (stopping) throw new HttpError("stopping", "the studio is stopping", { retryAfter: 5 });
    const held =
      route.method === "POST"
        ? await readJsonBody(request, {
            limit: route.bodyBytes ?? BODY_BYTES,
            budget,
            retryAfter: () => 2,
          })
        : undefined;
    try {
      const last = request.headers["last-event-id"];
      const call: StudioCall = {
        params,
        query,
        body: held?.value,
        signal: abort.signal,
        ...(typeof last === "string" && { lastEventId: last }),
      };
      const reply = await route.handle(call, studio);
      if (reply.kind === "stream") {
        if (method === "HEAD") sendBytes(request, response, 200, "", { "content-type": reply.type });
        else await sendStream(response, reply, abort);
        return;
      }
      if (reply.kind === "json") {
        sendJson(request, response, 200, reply.value);
        return;
      }
      const { etag } = reply;
      const known = etag !== undefined && request.headers["if-none-match"] === etag;
      const headers = {
        "content-type": reply.type,
        ...(etag !== undefined && { etag, "cache-control": "private, max-age=0, must-revalidate" }),
      };
      if (known) {
        response.writeHead(304, { ...securityHeaders, ...headers });
        response.end();
      } else sendBytes(request, response, 200, reply.body, headers);
    } finally {
      held?.release();
    }
  }

  const server = createServer(
    { requestTimeout: 120_000, headersTimeout: 20_000, keepAliveTimeout: 75_000 },
    (request, response) => {
      const abort = new AbortController();
      response.once("close", () => abort.abort());
      answer(request, response, abort).catch(async (error: unknown) => {
        if (error instanceof ClientGone || response.destroyed) return;
        const { status, value, headers } = refusal(error, logger);
        if (response.headersSent) {
          // Half an answer must not look like a whole one.
          response.destroy();
          return;
        }
        if (!request.complete) {
          response.shouldKeepAlive = false;
          await discardBody(request, { bytes: HELD_BYTES, milliseconds: 5000 });
        }
        sendJson(request, response, status, value, headers);
      });
    },
  );

  return {
    server,
    async drain() {
      stopping = true;
      for (const stream of streams) stream.abort();
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeIdleConnections();
      });
    },
  };
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const failed = (error: Error) => reject(error);
    server.once("error", failed);
    server.listen({ host, port }, () => {
      server.off("error", failed);
      resolve();
    });
  });
}

/** Listens on a port or the first free one after it. @throws InputError where none can be had */
async function listenOn(server: Server, host: string, port: number, further: number): Promise<void> {
  for (let at = port; ; at++) {
    try {
      await listen(server, host, at);
      return;
    } catch (error) {
      const { code, message } = toError(error) as NodeJS.ErrnoException;
      if (code === "EADDRINUSE" && port !== 0 && at < port + further && at < 65_535) continue;
      throw new InputError(`cannot listen on ${host}:${at}: ${message}`, {
        hint:
          code === "EADDRINUSE"
            ? "Another process has the port; choose another one by --port, or 0 for any free one."
            : "Give an address of this machine by --host; 127.0.0.1 is for this machine alone.",
        cause: error,
      });
    }
  }
}

/**
 * Starts; resolves once requests are taken.
 * @throws InputError for an address that cannot be had, and for a folder that is none
 * @example const studio = await startStudio({ folder: "runs" }); console.log(studio.url);
 */
export async function startStudio(options: StudioServerOptions): Promise<StudioServer> {
  const { folder, host = "127.0.0.1", port = 0, furtherPorts = 0, served } = options;
  const there = await stat(folder).catch(() => undefined);
  if (there !== undefined && !there.isDirectory())
    throw new InputError(`${folder}: not a folder`, { hint: "Give the folder of runs, or a run's own." });
  const studio = await createStudio({
    folder,
    logger: options.logger ?? silentLogger,
    interval: options.interval,
    heartbeat: options.heartbeat,
    detector: (store) =>
      createDetector(async () => [
        ...(served === undefined ? [] : [served]),
        ...(await localModels(store, options.models)),
      ]),
  });
  const front = createFront(studio, { bound: host, ...(options.page && { page: options.page }) });
  await listenOn(front.server, host, port, furtherPorts);
  const { port: got } = front.server.address() as AddressInfo;
  let stopped: Promise<void> | undefined;
  return {
    // A wildcard is no address that a browser could open.
    url: `http://${host === "0.0.0.0" || host === "::" ? "127.0.0.1" : host.includes(":") ? `[${host}]` : host}:${got}/`,
    port: got,
    stop() {
      stopped ??= front.drain().then(async () => {
        studio.watcher.close();
        await Promise.all([studio.detector.close(), closeCompare(studio)]);
      });
      return stopped;
    },
  };
}
