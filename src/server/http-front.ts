/**
 * @file The server's HTTP side: routes, token, bodies, refusals, and a stop that finishes what was taken. Everything that is
 * decided about rewards is in reward-service.ts and the routes.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { toError } from "../base/errors.js";
import type { Logger } from "../base/logger.js";
import { carriesToken } from "./bearer.js";
import type { RewardRoute } from "./call.js";
import { HttpError } from "./http-error.js";
import type { ServerLimits } from "./limits.js";
import { PROMETHEUS_TYPE, SECONDS } from "./prometheus.js";
import { ClientGone, discardBody, readJsonBody, type BodyBudget } from "./read-body.js";
import type { GroupRequest, RewardService } from "./reward-service.js";
import { rewardRoutes } from "./routes.js";
import type { Truths } from "./truths.js";
import { Cancelled } from "./worker-pool.js";

/** Options of {@link createHttpFront}. */
export interface HttpFrontOptions {
  readonly service: RewardService;
  readonly truths: Truths;
  readonly limits: ServerLimits;
  readonly withoutLook: boolean;
  readonly token: string | undefined;
  readonly openApi: unknown;
  readonly logger: Logger;
}

/** The HTTP side. */
export interface HttpFront {
  readonly server: Server;
  /** Requests that were taken and are not answered. */
  inFlight(): number;
  /** Takes no more, answers what was taken, closes all connections. Resolves when that is done. */
  drain(): Promise<void>;
}

interface Reply {
  readonly status: number;
  readonly type: string;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
}

const json = (status: number, value: unknown, headers: Readonly<Record<string, string>> = {}): Reply => ({
  status,
  type: "application/json; charset=utf-8",
  body: JSON.stringify(value) + "\n",
  headers,
});

/** How long a stopping server goes on telling new clients so once its work is done. */
const SETTLE_MILLISECONDS = 100;

/** Not listening yet. */
export function createHttpFront(options: HttpFrontOptions): HttpFront {
  const { service, truths, limits, logger } = options;
  const { registry } = service;
  const requestsTotal = registry.counter("dip_r1_requests_total", "Requests answered, by path and status.");
  const requestSeconds = registry.histogram(
    "dip_r1_request_seconds",
    "Seconds from the head of a request to its answer, by path.",
    SECONDS,
  );
  const gone = registry.counter("dip_r1_clients_gone_total", "Clients that left before their answer.");
  const budget: BodyBudget = { held: 0, limit: limits.bufferedBytes };
  let inFlight = 0;
  /** Of them those that came before the stop, and who waits for their end. */
  let taken = 0;
  let allAnswered: (() => void) | undefined;
  let ready = false;
  let stopping = false;
  registry.gauge("dip_r1_requests_in_flight", "Requests taken and not answered.", () => inFlight);
  registry.gauge("dip_r1_body_bytes", "Bytes of bodies that are held.", () => budget.held);
  registry.gauge("process_resident_memory_bytes", "Resident memory.", () => process.memoryUsage.rss());
  registry.gauge(
    "process_start_time_seconds",
    "When the process began.",
    () => performance.timeOrigin / 1000,
  );
  service.ready.then(
    () => (ready = true),
    () => undefined,
  );

  const routes = new Map(rewardRoutes.map((route) => [route.path, route]));
  const pages = new Map<string, () => Reply>([
    ["/health", () => json(200, { status: "ok" })],
    [
      "/ready",
      () =>
        ready && !stopping
          ? json(200, { status: "ready" })
          : json(503, { status: stopping ? "stopping" : "starting" }),
    ],
    ["/metrics", () => ({ status: 200, type: PROMETHEUS_TYPE, body: registry.text() })],
    ["/openapi.json", () => json(200, options.openApi)],
  ]);
  const open = new Set(["/health", "/ready"]);

  const score = async (
    route: RewardRoute,
    url: URL,
    request: IncomingMessage,
    signal: AbortSignal,
  ): Promise<Reply> => {
    const stopped = () => new HttpError("stopping", "the server is stopping", { retryAfter: 5 });
    // What came before the stop is taken, even if its body is still on the way.
    const late = stopping;
    // A group that waits for its rest was taken: the rest is still let in.
    if (late && service.gathering() === 0) throw stopped();
    if (service.full())
      throw new HttpError("busy", "too many groups are in work", { retryAfter: service.retryAfter() });
    const body = await readJsonBody(request, {
      limit: limits.bodyBytes,
      budget,
      retryAfter: service.retryAfter,
    });
    try {
      const value = await route.handle(body.value, url.searchParams, {
        truths,
        withoutLook: options.withoutLook,
        score(groups: readonly GroupRequest[]) {
          if (late && !groups.every(({ gather }) => gather !== undefined && service.gathers(gather.key)))
            throw stopped();
          return service.score(groups, signal);
        },
      });
      return json(200, value);
    } finally {
      body.release();
    }
  };

  const answer = async (
    request: IncomingMessage,
    signal: AbortSignal,
  ): Promise<{ path: string; reply: Reply }> => {
    const url = new URL(request.url ?? "/", "http://server");
    const path = url.pathname;
    const route = routes.get(path);
    const page = pages.get(path);
    // Unknown paths share a label: metrics must not grow by what scanners try.
    const label = route !== undefined || page !== undefined ? path : "other";
    try {
      if (
        options.token !== undefined &&
        !open.has(path) &&
        !carriesToken(request.headers.authorization, options.token)
      )
        throw new HttpError("unauthorized", "the bearer token is missing or wrong", {
          headers: { "www-authenticate": "Bearer" },
        });
      const method = route === undefined ? "GET" : "POST";
      if (route === undefined && page === undefined)
        throw new HttpError("not-found", `there is nothing at ${path}`, {
          hint: "GET /openapi.json says what there is.",
        });
      if (request.method !== method)
        throw new HttpError("method-not-allowed", `${path} takes ${method}`, { headers: { allow: method } });
      return { path: label, reply: route === undefined ? page!() : await score(route, url, request, signal) };
    } catch (error) {
      return { path: label, reply: refusal(error) };
    }
  };

  const refusal = (error: unknown): Reply => {
    if (error instanceof HttpError) {
      const { retryAfter } = error;
      return json(error.status, error.toJSON(), {
        ...error.headers,
        ...(retryAfter !== undefined && { "retry-after": String(retryAfter) }),
      });
    }
    if (error instanceof ClientGone || error instanceof Cancelled) throw error;
    const { message, stack } = toError(error);
    logger.warn(`a request failed: ${stack ?? message}`);
    return json(500, new HttpError("failed", message).toJSON());
  };

  const send = async (request: IncomingMessage, response: ServerResponse, reply: Reply) => {
    if (!request.complete) {
      response.shouldKeepAlive = false;
      await discardBody(request, { bytes: 2 * limits.bodyBytes, milliseconds: 5000 });
    }
    if (stopping) response.shouldKeepAlive = false;
    response.writeHead(reply.status, {
      "content-type": reply.type,
      "content-length": Buffer.byteLength(reply.body),
      "cache-control": "no-store",
      ...reply.headers,
    });
    response.end(reply.body);
  };

  const server = createServer(
    { requestTimeout: 120_000, headersTimeout: 20_000, keepAliveTimeout: 75_000 },
    (request, response) => {
      const started = performance.now();
      const abort = new AbortController();
      const late = stopping;
      inFlight++;
      if (!late) taken++;
      response.once("close", () => {
        inFlight--;
        if (!late && --taken === 0) allAnswered?.();
        if (response.writableFinished) return;
        gone.add();
        abort.abort();
      });
      answer(request, abort.signal)
        .then(async ({ path, reply }) => {
          requestsTotal.add({ path, status: String(reply.status) });
          requestSeconds.observe((performance.now() - started) / 1000, { path });
          await send(request, response, reply);
        })
        .catch((error: unknown) => {
          if (!(error instanceof ClientGone || error instanceof Cancelled))
            logger.warn(toError(error).message);
          response.destroy();
        });
    },
  );

  return {
    server,
    inFlight: () => inFlight,
    async drain() {
      stopping = true;
      await service.gathered();
      // Until the last answer the server stays reachable: who comes now is told to come back (503), not cut off.
      if (taken > 0) await new Promise<void>((resolve) => (allAnswered = resolve));
      // So are those whose connection waits to be accepted, behind large bodies.
      await new Promise((resolve) => setTimeout(resolve, SETTLE_MILLISECONDS));
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
        // Those at work close after their answer (shouldKeepAlive).
        server.closeIdleConnections();
      });
    },
  };
}
