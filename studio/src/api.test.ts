import { afterEach, describe, expect, it, vi } from "vitest";
import type { DetectEvent } from "../../src/server/studio/api.js";
import { api, ApiError, apiUrl, pictureUrl } from "./api.js";

const answer = (body: string, init: ResponseInit = {}) =>
  vi.stubGlobal("fetch", () => Promise.resolve(new Response(body, init)));
const caught = (promise: Promise<unknown>) => promise.catch((error: unknown) => error);

afterEach(() => {
  vi.unstubAllGlobals();
});

describe("addresses", () => {
  it("are relative, and hold lists key by key", () => {
    expect(
      apiUrl("/runs/a/groups", { failure: ["loop", "missed"], offset: 0, sample: "", sort: undefined }),
    ).toBe("./api/runs/a/groups?failure=loop&failure=missed&offset=0");
    expect(apiUrl("/runs")).toBe("./api/runs");
    expect(pictureUrl("/api/runs/a/image?set=train")).toBe("./api/runs/a/image?set=train");
  });
});

describe("errors", () => {
  it("keep the server's words and hint", async () => {
    answer('{"error":{"code":"not-found","message":"there is no run x","hint":"look"}}', { status: 404 });
    const error = await caught(api.run("x"));
    expect(error).toBeInstanceOf(ApiError);
    expect(error).toMatchObject({
      message: "there is no run x",
      hint: "look",
      status: 404,
      code: "not-found",
    });
  });
  it("find words for an answer of anybody else", async () => {
    answer("<html>bad gateway</html>", { status: 502, statusText: "Bad Gateway" });
    expect(await caught(api.runs())).toMatchObject({
      message: "The server answered 502 Bad Gateway",
      status: 502,
    });
  });
  it("say what to do where nobody answers", async () => {
    vi.stubGlobal("fetch", () => Promise.reject(new TypeError("Failed to fetch")));
    expect(await caught(api.runs())).toMatchObject({
      code: "OFFLINE",
      hint: expect.stringContaining("dip-r1 studio"),
    });
  });
  it("are none for who has aborted", async () => {
    const controller = new AbortController();
    controller.abort(new Error("enough"));
    vi.stubGlobal("fetch", () => Promise.reject(controller.signal.reason as Error));
    expect(await caught(api.runs(controller.signal))).toMatchObject({ message: "enough" });
  });
});

describe("detect", () => {
  it("yields events however the stream is cut", async () => {
    const bytes = new TextEncoder().encode(
      '{"event":"queued","waiting":0}\n{"event":"done","seconds":1,"tokens":2}',
    );
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        for (const byte of bytes) controller.enqueue(Uint8Array.of(byte));
        controller.close();
      },
    });
    vi.stubGlobal("fetch", () => Promise.resolve(new Response(body)));
    const events: DetectEvent[] = [];
    for await (const event of api.detect({ model: "m", image: { base64: "" } })) events.push(event);
    expect(events).toEqual([
      { event: "queued", waiting: 0 },
      { event: "done", seconds: 1, tokens: 2 },
    ]);
  });
});
