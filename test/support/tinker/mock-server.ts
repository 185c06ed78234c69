/**
 * @file A small server of the Tinker API on loopback over a table model, with the habits of SkyRL's two backends to choose
 * from. What it answers to what is the recorded wire's; what it computes is exact.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import {
  decodeForwardBackwardRequest,
  forwardBackwardRequestFromJson,
  zstdDecompress,
} from "../../../src/engines/tinker/wire/index.js";
import { mockRoutes } from "./mock-routes.js";
import { createMockState, Refusal, type MockModel, type MockOptions } from "./mock-state.js";

export type { MockModel, MockOptions } from "./mock-state.js";

/** The server, and what a test may look at or do to it. */
export interface MockServer {
  readonly url: string;
  readonly models: Map<string, MockModel>;
  /** Calls so far, by name. */
  readonly calls: Record<string, number>;
  /** Training requests that were worked on: name and sequence number. */
  readonly worked: string[];
  /** Unloads everything, forgets the sessions. */
  restart(): void;
  expireSessions(): void;
  close(): Promise<void>;
}

async function bodyOf(request: IncomingMessage): Promise<Uint8Array> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  const bytes = new Uint8Array(Buffer.concat(parts));
  return request.headers["content-encoding"] === "zstd" ? zstdDecompress(bytes) : bytes;
}

/** Starts one on a free port of the loopback address. */
export async function startMockServer(options: MockOptions = {}): Promise<MockServer> {
  const state = createMockState(options);
  const { models, sessions, samplers, calls, worked } = state;
  const routes = mockRoutes(state);

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = (request.url ?? "").replace(/^\/api\/v1\//, "");
    calls[path] = (calls[path] ?? 0) + 1;
    const write = (status: number, content: Uint8Array | unknown): void => {
      const proto = content instanceof Uint8Array;
      const bytes = proto ? content : Buffer.from(JSON.stringify(content));
      response.writeHead(status, {
        "content-type": proto ? "application/x-protobuf" : "application/json",
        "content-length": bytes.length,
      });
      response.end(bytes);
    };
    try {
      const body = await bodyOf(request);
      if (request.method === "GET") return write(200, routes.get(path));
      if (path === "forward_backward" || path === "forward") {
        const proto = request.headers["content-type"] === "application/x-protobuf";
        if (!proto && state.habits.protobuf)
          throw new Refusal(415, "forward_backward requires a application/x-protobuf body");
        const decoded = proto
          ? decodeForwardBackwardRequest(body)
          : forwardBackwardRequestFromJson(JSON.parse(Buffer.from(body).toString()));
        return write(200, routes.train(decoded, Buffer.from(body).toString("base64")));
      }
      const text = Buffer.from(body).toString();
      const json = JSON.parse(text) as Record<string, unknown>;
      if (path === "retrieve_future") {
        const result = routes.retrieve(json);
        return write(result.status, result.proto ?? result.json);
      }
      const handler = routes.post[path];
      if (handler === undefined) throw new Refusal(404, "Not Found");
      write(200, handler(json, text));
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      write(error.status, { detail: error.detail });
    }
  }

  const server: Server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => {
      response.writeHead(500, { "content-type": "text/plain" });
      response.end(String(error));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    models,
    calls,
    worked,
    restart() {
      for (const model of models.values()) model.loaded = false;
      sessions.clear();
      samplers.clear();
    },
    expireSessions() {
      sessions.clear();
      for (const model of models.values()) model.loaded = false;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
