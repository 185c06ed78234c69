/** @file A proxy on loopback that does to requests and answers what networks do. */
import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** What befalls one request. */
export type Fault =
  /** Both ways, ms. */
  | { readonly kind: "latency"; readonly ms: number }
  /** The connection breaks before the server hears of it. */
  | { readonly kind: "reset-before" }
  /** The server has worked on it; the connection breaks before its answer, or within its body. */
  | { readonly kind: "reset-after" }
  | { readonly kind: "reset-mid-body" }
  /** Answered by the proxy; the server never hears of it. */
  | { readonly kind: "status"; readonly status: number; readonly retryAfter?: string }
  /** The server works on it; the proxy answers 502. */
  | { readonly kind: "bad-gateway" }
  /** A whole answer, but cut off or changed. */
  | { readonly kind: "truncate" }
  | { readonly kind: "corrupt" }
  /** The server gets it twice. */
  | { readonly kind: "duplicate" }
  /** No answer, ever. */
  | { readonly kind: "hang" };

/** Which fault befalls a request, if any. `index` counts the requests of this path. */
export type FaultPlan = (request: { readonly path: string; readonly index: number }) => Fault | undefined;

/** A proxy in front of a server. */
export interface FaultProxy {
  readonly url: string;
  /** Replaces the plan; counts begin anew. */
  plan(next: FaultPlan): void;
  /** Faults so far, by kind. */
  readonly faults: Record<string, number>;
  close(): Promise<void>;
}

interface Whole {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  readonly body: Buffer;
}

function forward(target: URL, incoming: IncomingMessage, body: Buffer): Promise<Whole> {
  return new Promise((resolve, reject) => {
    const outgoing = httpRequest(
      {
        host: target.hostname,
        port: target.port,
        method: incoming.method,
        path: incoming.url,
        headers: { ...incoming.headers, "content-length": body.length },
        agent: false,
      },
      (answer) => {
        const parts: Buffer[] = [];
        answer.on("data", (part: Buffer) => parts.push(part));
        answer.on("end", () =>
          resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: Buffer.concat(parts) }),
        );
      },
    );
    outgoing.on("error", reject);
    outgoing.end(body);
  });
}

/** Starts one on a free port; without faults until it is given a plan. */
export async function startFaultProxy(targetUrl: string): Promise<FaultProxy> {
  const target = new URL(targetUrl);
  const faults: Record<string, number> = {};
  let plan: FaultPlan = () => undefined;
  let counts: Record<string, number> = {};

  async function handle(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = (incoming.url ?? "").replace(/^\/api\/v1\//, "");
    const index = (counts[path] = (counts[path] ?? -1) + 1);
    const fault = plan({ path, index });
    if (fault !== undefined) faults[fault.kind] = (faults[fault.kind] ?? 0) + 1;
    const parts: Buffer[] = [];
    for await (const part of incoming) parts.push(part as Buffer);
    const sent = Buffer.concat(parts);
    const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
    switch (fault?.kind) {
      case "reset-before":
        return void incoming.socket.destroy();
      case "hang":
        return;
      case "status":
        response.writeHead(fault.status, {
          "content-type": "application/json",
          ...(fault.retryAfter !== undefined && { "retry-after": fault.retryAfter }),
        });
        return void response.end(JSON.stringify({ detail: `made up by the proxy: ${fault.status}` }));
      case "latency":
        await pause(fault.ms);
        break;
      case "duplicate":
        await forward(target, incoming, sent);
        break;
    }
    const { status, headers, body } = await forward(target, incoming, sent);
    if (fault?.kind === "latency") await pause(fault.ms);
    if (fault?.kind === "reset-after") return void incoming.socket.destroy();
    if (fault?.kind === "bad-gateway") {
      response.writeHead(502, { "content-type": "text/plain" });
      return void response.end("Bad Gateway");
    }
    if (fault?.kind === "reset-mid-body") {
      response.writeHead(status, { ...headers, "content-length": body.length });
      response.write(body.subarray(0, Math.max(1, body.length >> 1)), () => incoming.socket.destroy());
      return;
    }
    let bytes: Buffer = body;
    if (fault?.kind === "truncate") bytes = body.subarray(0, Math.floor(body.length * 0.6));
    if (fault?.kind === "corrupt") {
      bytes = Buffer.from(body);
      for (let at = 0; at < bytes.length; at += 5) bytes[at]! ^= 0xff;
    }
    response.writeHead(status, { ...headers, "content-length": bytes.length });
    response.end(bytes);
  }

  const server = createServer((incoming, response) => {
    handle(incoming, response).catch(() => incoming.socket.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    faults,
    plan(next) {
      plan = next;
      counts = {};
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
