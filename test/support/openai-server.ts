/**
 * @file An OpenAI-compatible server on loopback for tests: answers as it is told, streamed or not, and misbehaves as it is
 * told. It sees the pictures it is sent, so that it can answer what is in them.
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { decodeImage } from "../../src/datasets/image-file.js";
import type { RgbImage } from "../../src/base/rgb-image.js";

/** A request as it came in. */
export interface SeenRequest {
  readonly body: Record<string, unknown>;
  readonly headers: IncomingMessage["headers"];
  readonly text: string;
  readonly images: readonly RgbImage[];
  /** Counts from 0 over all chat requests. */
  readonly index: number;
}

/** What to answer; a text alone is an answer that ends by itself. */
export interface MockAnswer {
  readonly text: string;
  readonly finish?: "stop" | "length";
  /** Pieces of the stream. @default the text in pieces of 4 characters */
  readonly pieces?: readonly string[];
  /** Log-probability of every piece; absent = none are told. */
  readonly logprob?: number;
  /** Another text as content than the pieces join to. */
  readonly content?: string;
  /** Completion tokens told; null = no usage. */
  readonly tokens?: number | null;
}

/** How a request goes wrong, before it is answered. */
export type Fault =
  | {
      readonly kind: "status";
      readonly status: number;
      readonly body?: string;
      readonly headers?: Record<string, string>;
    }
  | { readonly kind: "reset" }
  /** Some pieces, then the connection ends without a finish reason. */
  | { readonly kind: "cut"; readonly after: number; readonly clean?: boolean }
  | { readonly kind: "garbage" }
  /** An error as an event of the stream. */
  | { readonly kind: "error-event" }
  | { readonly kind: "silent" };

/** Options of {@link startOpenAiServer}. */
export interface MockOptions {
  readonly answer: (
    request: SeenRequest,
    sample: number,
  ) => MockAnswer | string | Promise<MockAnswer | string>;
  readonly faults?: (index: number) => Fault | undefined;
  /** Whether `n` is understood. @default true */
  readonly n?: boolean;
  /** Whether streams are. @default true */
  readonly stream?: boolean;
  /** Listed models; null = there is no such list. @default ["mock"] */
  readonly models?: readonly string[] | null;
  /** The key that is asked for. */
  readonly key?: string;
  /** Milliseconds between two pieces of a stream. @default 0 */
  readonly pause?: number;
}

/** A running server. */
export interface MockServer {
  readonly baseUrl: string;
  readonly seen: SeenRequest[];
  /** Pieces written to all streams, to see that one was cancelled. */
  pieces(): number;
  /** Chat requests at work at once, at most. */
  peak(): number;
  close(): Promise<void>;
}

async function readBody(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return Buffer.concat(parts).toString("utf8");
}

async function contentOf(body: Record<string, unknown>): Promise<Pick<SeenRequest, "text" | "images">> {
  const messages = body["messages"] as { content: Record<string, unknown>[] }[];
  const images: RgbImage[] = [];
  let text = "";
  for (const part of messages[0]!.content) {
    if (part["type"] === "text") text += part["text"] as string;
    else {
      const { url } = part["image_url"] as { url: string };
      images.push(await decodeImage(Buffer.from(url.slice(url.indexOf(",") + 1), "base64")));
    }
  }
  return { text, images };
}

const cut4 = (text: string): string[] => text.match(/[^]{1,4}/g) ?? [];

/** Starts a server on a free port. */
export async function startOpenAiServer(options: MockOptions): Promise<MockServer> {
  const seen: SeenRequest[] = [];
  let [written, working, peak, count] = [0, 0, 0, 0];
  const json = (response: ServerResponse, status: number, value: unknown, headers = {}): void => {
    response.writeHead(status, { "content-type": "application/json", ...headers });
    response.end(typeof value === "string" ? value : JSON.stringify(value));
  };
  const scores = (pieces: readonly string[], logprob: number) => ({
    content: pieces.map((token) => ({ token, logprob, bytes: [...Buffer.from(token)] })),
  });

  async function chat(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = JSON.parse(await readBody(request)) as Record<string, unknown>;
    const index = count++;
    const fault = options.faults?.(index);
    if (fault?.kind === "status")
      return json(
        response,
        fault.status,
        fault.body ?? { error: { message: `fault ${fault.status}` } },
        fault.headers,
      );
    if (fault?.kind === "reset") return void request.socket.destroy();
    if (fault?.kind === "silent") return;
    if (fault?.kind === "garbage") {
      response.writeHead(200, {
        "content-type": body["stream"] === true ? "text/event-stream" : "application/json",
      });
      return void response.end("data: {not json\n\n");
    }
    const one: SeenRequest = { body, headers: request.headers, index, ...(await contentOf(body)) };
    seen.push(one);
    const n = options.n === false ? 1 : ((body["n"] as number | undefined) ?? 1);
    const answers = await Promise.all(
      Array.from({ length: n }, async (_, i): Promise<MockAnswer> => {
        const answer = await options.answer(one, i);
        return typeof answer === "string" ? { text: answer } : answer;
      }),
    );
    const pieces = answers.map((answer) => [...(answer.pieces ?? cut4(answer.text))]);
    const total = answers.every(({ tokens }) => tokens !== null)
      ? answers.reduce((sum, { tokens }, i) => sum + (tokens ?? pieces[i]!.length), 0)
      : undefined;
    const usage = total === undefined ? undefined : { prompt_tokens: 10, completion_tokens: total };
    const wantsScores = body["logprobs"] === true;
    if (body["stream"] !== true || options.stream === false)
      return json(response, 200, {
        choices: answers.map(({ text, content, finish = "stop", logprob }, i) => ({
          index: i,
          message: { role: "assistant", content: content ?? text },
          finish_reason: finish,
          ...(wantsScores && logprob !== undefined && { logprobs: scores(pieces[i]!, logprob) }),
        })),
        usage,
      });
    response.writeHead(200, { "content-type": "text/event-stream" });
    const send = (value: unknown): void => void response.write(`data: ${JSON.stringify(value)}\n\n`);
    response.write(": hello\n\n");
    if (fault?.kind === "error-event") {
      send({ error: { message: "out of memory" } });
      return void response.end();
    }
    const longest = Math.max(0, ...pieces.map(({ length }) => length));
    for (let at = 0; at < longest; at++) {
      if (fault?.kind === "cut" && at === fault.after)
        return void (fault.clean === true ? response.end() : response.destroy());
      for (const [i, all] of pieces.entries()) {
        const piece = all[at];
        if (piece === undefined || response.destroyed) continue;
        const logprob = answers[i]!.logprob;
        const told = wantsScores && logprob !== undefined && { logprobs: scores([piece], logprob) };
        send({ choices: [{ index: i, delta: { content: piece }, finish_reason: null, ...told }] });
        written++;
      }
      if (response.destroyed) return;
      if (options.pause !== undefined) await new Promise((resolve) => setTimeout(resolve, options.pause));
    }
    for (const [i, { finish = "stop" }] of answers.entries())
      send({ choices: [{ index: i, delta: {}, finish_reason: finish }] });
    if (usage !== undefined) send({ choices: [], usage });
    response.end("data: [DONE]\n\n");
  }

  const server = createServer((request, response) => {
    const failed = (error: unknown): void => json(response, 500, { error: { message: String(error) } });
    if (options.key !== undefined && request.headers.authorization !== `Bearer ${options.key}`)
      return json(response, 401, {
        error: { message: `wrong key: ${request.headers.authorization ?? "none"}` },
      });
    if (request.url === "/v1/models") {
      if (options.models === null) return json(response, 404, { detail: "Not Found" });
      return json(response, 200, { data: (options.models ?? ["mock"]).map((id) => ({ id })) });
    }
    if (request.url !== "/v1/chat/completions") return json(response, 404, { detail: "Not Found" });
    peak = Math.max(peak, ++working);
    response.on("close", () => working--);
    chat(request, response).catch(failed);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    baseUrl: `http://127.0.0.1:${port}/v1`,
    seen,
    pieces: () => written,
    peak: () => peak,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
