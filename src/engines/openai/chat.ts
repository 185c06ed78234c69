/**
 * @file One request to `/chat/completions`, streamed or not, and what came of it. A stream that repeats itself is cancelled
 * while it runs; a stream that breaks off before its end is an error that may be tried again, never a short answer.
 */
import { z } from "zod";
import type { StopReason } from "../contract.js";
import type { Answer, Connection } from "./connection.js";
import { OpenAiError, serverWords } from "./errors.js";
import { watchLoop, type LoopOptions, type LoopWatch } from "./loop.js";
import { alignPieces, type ScoredPiece, type WireToken } from "./pieces.js";
import type { ServerProfile } from "./servers.js";
import { eventsOf } from "./sse.js";

/** A part of the user's message. */
export type ChatPart =
  { readonly kind: "text"; readonly text: string } | { readonly kind: "image"; readonly url: string };

/** What is asked. */
export interface ChatRequest {
  readonly model: string;
  readonly parts: readonly ChatPart[];
  readonly maxTokens: number;
  /** 0 is greedy. */
  readonly temperature: number;
  readonly topP: number;
  /** 0 keeps all. */
  readonly topK: number;
  readonly seed: number;
  /** Answers in this one request. */
  readonly n: number;
  readonly logprobs: boolean;
  readonly stream: boolean;
  /** Special tokens must stay in the text, where the server can. */
  readonly specialTokens: boolean;
  /** Further fields of the body, of this server's own. */
  readonly extra?: Readonly<Record<string, unknown>>;
}

/** One answer. */
export interface ChatChoice {
  readonly text: string;
  readonly stopReason: StopReason;
  /** The tokens of the text, where the server told them. */
  readonly pieces?: readonly ScoredPiece[];
  /** Tokens of the answer; pieces that came where the server told no number; absent where nothing is known. */
  readonly tokens?: number;
}

/** All answers of a request. */
export interface ChatAnswer {
  readonly choices: readonly ChatChoice[];
  readonly promptTokens?: number;
}

/** The body of a request. */
export function chatBody(request: ChatRequest, server: ServerProfile): Record<string, unknown> {
  const { model, parts, maxTokens, temperature, topP, topK, seed, n, logprobs, stream } = request;
  return {
    model,
    messages: [
      {
        role: "user",
        content: parts.map((part) =>
          part.kind === "text"
            ? { type: "text", text: part.text }
            : { type: "image_url", image_url: { url: part.url } },
        ),
      },
    ],
    [server.maxTokensField]: maxTokens,
    temperature,
    top_p: topP,
    ...(server.topK !== undefined && { [server.topK.field]: topK === 0 ? server.topK.all : topK }),
    ...server.neutral,
    ...(server.seed && { seed }),
    ...(n > 1 && { n }),
    ...(logprobs && server.logprobs && { logprobs: true }),
    ...request.extra,
    ...(request.specialTokens && server.keepSpecialTokens && { skip_special_tokens: false }),
    ...(stream && { stream: true, ...(server.streamUsage && { stream_options: { include_usage: true } }) }),
  };
}

const wireToken = z.object({
  token: z.string(),
  logprob: z.number(),
  bytes: z.array(z.number()).nullish(),
});
const logprobs = z.object({ content: z.array(wireToken).nullish() }).nullish();
/** Some servers give content as parts. */
const content = z
  .union([z.string(), z.array(z.object({ text: z.string().optional() }))])
  .nullish()
  .transform((value) =>
    Array.isArray(value) ? value.map(({ text }) => text ?? "").join("") : (value ?? ""),
  );
const usage = z
  .object({ prompt_tokens: z.number().nullish(), completion_tokens: z.number().nullish() })
  .nullish();
const finish = z.string().nullish();
const wholeSchema = z.object({
  choices: z.array(
    z.object({
      index: z.number().optional(),
      message: z.object({ content }),
      finish_reason: finish,
      logprobs,
    }),
  ),
  usage,
});
const chunkSchema = z.object({
  choices: z
    .array(
      z.object({
        index: z.number().default(0),
        delta: z.object({ content }).nullish(),
        finish_reason: finish,
        logprobs,
      }),
    )
    .default([]),
  usage,
});

const reasonOf = (reason: string): StopReason => (reason === "length" ? "length" : "stop");

function parseJson<T>(schema: z.ZodType<T>, text: string, connection: Connection): T {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new OpenAiError(
      `${connection.baseUrl}: an answer that is not JSON: ${connection.redact(serverWords(text))}`,
      { retriable: true, cause: error },
    );
  }
  // Some servers answer 200 and put the error inside.
  if (typeof value === "object" && value !== null && (value as { error?: unknown }).error)
    throw new OpenAiError(`${connection.baseUrl}: ${connection.redact(serverWords(text))}`, {
      retriable: true,
    });
  const read = schema.safeParse(value);
  if (read.success) return read.data;
  const issue = read.error.issues[0]!;
  throw new OpenAiError(
    `${connection.baseUrl}: not an answer of chat completions: "${issue.path.map(String).join(".")}": ${issue.message}`,
    { retriable: false, hint: "Is this an OpenAI-compatible server, and does the base URL end in /v1?" },
  );
}

function choiceOf(
  text: string,
  stopReason: StopReason,
  tokens: readonly WireToken[],
  count: number | undefined,
): ChatChoice {
  const pieces = tokens.length > 0 ? alignPieces(text, tokens) : undefined;
  return {
    text,
    stopReason,
    ...(pieces !== undefined && { pieces }),
    ...(pieces !== undefined ? { tokens: pieces.length } : count !== undefined && { tokens: count }),
  };
}

async function readWhole(
  answer: Answer,
  connection: Connection,
  request: ChatRequest,
  loop: LoopOptions,
): Promise<ChatAnswer> {
  const body = parseJson(wholeSchema, await answer.text(), connection);
  if (body.choices.length === 0)
    throw new OpenAiError(`${connection.baseUrl}: an answer without choices`, { retriable: true });
  const told = body.usage?.completion_tokens ?? undefined;
  const choices = body.choices.slice(0, request.n).map(({ message, finish_reason, logprobs: scores }) => {
    const cut = watchLoop(loop).push(message.content);
    const text = cut === undefined ? message.content : message.content.slice(0, cut);
    // One number for all answers says something of a single one only where there is but one, and it was not cut.
    const count = body.choices.length === 1 && cut === undefined ? told : undefined;
    return choiceOf(
      text,
      cut === undefined ? reasonOf(finish_reason ?? "stop") : "loop",
      scores?.content ?? [],
      count,
    );
  });
  const promptTokens = body.usage?.prompt_tokens ?? undefined;
  return { choices, ...(promptTokens !== undefined && { promptTokens }) };
}

interface Growing {
  text: string;
  stopReason: StopReason | undefined;
  readonly tokens: WireToken[];
  pieces: number;
  readonly watch: LoopWatch;
}

async function readStream(
  answer: Answer,
  connection: Connection,
  request: ChatRequest,
  loop: LoopOptions,
): Promise<ChatAnswer> {
  const growing = Array.from({ length: request.n }, (): Growing => ({
    text: "",
    stopReason: undefined,
    tokens: [],
    pieces: 0,
    watch: watchLoop(loop),
  }));
  let promptTokens: number | undefined;
  let completionTokens: number | undefined;
  let done = false;
  try {
    for await (const data of eventsOf(answer.body, () => answer.alive())) {
      if (data.trim() === "[DONE]") {
        done = true;
        break;
      }
      const chunk = parseJson(chunkSchema, data, connection);
      promptTokens = chunk.usage?.prompt_tokens ?? promptTokens;
      completionTokens = chunk.usage?.completion_tokens ?? completionTokens;
      for (const { index, delta, finish_reason, logprobs: scores } of chunk.choices) {
        const one = growing[index];
        if (one === undefined || one.stopReason === "loop") continue;
        const piece = delta?.content ?? "";
        if (piece !== "") {
          one.pieces++;
          const cut = one.watch.push(piece);
          one.text += cut === undefined ? piece : piece.slice(0, cut);
          if (cut !== undefined) one.stopReason = "loop";
        }
        one.tokens.push(...(scores?.content ?? []));
        if (one.stopReason === undefined && typeof finish_reason === "string")
          one.stopReason = reasonOf(finish_reason);
      }
      // Nothing more is wanted of a request whose every answer repeats itself.
      if (growing.every(({ stopReason }) => stopReason === "loop")) {
        done = true;
        break;
      }
    }
  } catch (error) {
    throw error instanceof OpenAiError ? error : answer.broken(error);
  } finally {
    answer.cancel();
  }
  const started = growing.filter((one) => one.pieces > 0 || one.stopReason !== undefined);
  if (started.length === 0 || started.some(({ stopReason }) => stopReason === undefined))
    throw new OpenAiError(
      `${connection.baseUrl}: the stream ended ${done ? "without a reason" : "in the middle of an answer"}`,
      { retriable: true, hint: "The server may have restarted, or a proxy cut a long stream off." },
    );
  const choices = started.map(({ text, stopReason, tokens, pieces }) =>
    choiceOf(
      text,
      stopReason!,
      tokens,
      started.length === 1 && stopReason !== "loop" ? (completionTokens ?? pieces) : pieces,
    ),
  );
  return { choices, ...(promptTokens !== undefined && { promptTokens }) };
}

/**
 * Asks once; no retries.
 * @throws OpenAiError
 */
export async function chatOnce(
  connection: Connection,
  server: ServerProfile,
  request: ChatRequest,
  loop: LoopOptions,
  signal?: AbortSignal,
): Promise<ChatAnswer> {
  const answer = await connection.post("/chat/completions", chatBody(request, server), signal);
  // A server may not know how to stream and answer whole.
  return request.stream && !answer.contentType.includes("application/json")
    ? readStream(answer, connection, request, loop)
    : readWhole(answer, connection, request, loop);
}
