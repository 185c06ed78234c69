/** @file Decoding of many rows at once: one step a token, finished rows leaving the batch. */
import type { Rng } from "../../base/rng.js";
import { decodeStep } from "../../qwen/decode-graph.js";
import { weightInputs } from "../../qwen/layers.js";
import { textRopeTables } from "../../qwen/rope-tables.js";
import { createRepeatGuard, type RepeatGuard } from "../../response/repeat-guard.js";
import { compile, input, type DeviceTensor, type Program } from "../../tensor/index.js";
import type { Rollout, SamplingParams, StopReason } from "../contract.js";
import { rowBucket } from "./buckets.js";
import { carryCache, type Cache } from "./cache-carrier.js";
import type { ModelContext } from "./context.js";
import type { ProgramCache } from "./program-cache.js";
import { chooseToken } from "./token-choice.js";

/** One response on its way. */
export interface DecodingRow {
  readonly params: SamplingParams;
  /** Place among the responses to its prompt, from 0. */
  readonly response: number;
  readonly rng: Rng;
  readonly ropeDelta: number;
  /** Tokens in the cache: the prompt's, then the response's but its last. */
  length: number;
  readonly tokens: number[];
  readonly logprobs: number[];
  readonly guard: RepeatGuard | undefined;
  stopReason: StopReason | undefined;
}

/**
 * A response that has no token yet.
 *
 * @param rng draws this response's tokens and nothing else.
 * @param promptLength tokens of its prompt, which are in the cache.
 * @param ropeDelta added to a token's index to give its rotary position: images take fewer positions than tokens.
 * @param response its place among the responses to its prompt, from 0.
 * @throws InputError where `maxBoxRepeats` lies between 0 and 1.
 */
export function createRow(
  params: SamplingParams,
  rng: Rng,
  promptLength: number,
  ropeDelta: number,
  response = 0,
): DecodingRow {
  const limit = params.maxBoxRepeats ?? 0;
  return {
    params,
    response,
    rng,
    ropeDelta,
    length: promptLength,
    tokens: [],
    logprobs: [],
    guard: limit > 0 ? createRepeatGuard(limit) : undefined,
    stopReason: undefined,
  };
}

/** The row's response as the contract has it, copied out of the row; `length` where nothing ended it. */
export function finishRow(row: DecodingRow): Rollout {
  return {
    tokens: Int32Array.from(row.tokens),
    logprobs: Float32Array.from(row.logprobs),
    stopReason: row.stopReason ?? "length",
  };
}

/**
 * An empty cache in the host's memory: for each layer, keys and values of [rows, kvHeads, capacity, headDim], zeros.
 *
 * @param capacity tokens a row has room for, prompt and response together.
 */
export function createCache(context: ModelContext, rows: number, capacity: number): Cache {
  const { layers, kvHeads, headDim } = context.config.text;
  const stride = kvHeads * capacity * headDim;
  return {
    capacity,
    headDim,
    stride,
    layers: Array.from({ length: layers }, () => ({
      key: new Float32Array(rows * stride),
      value: new Float32Array(rows * stride),
    })),
  };
}

/** What decoding needs beside rows and cache. */
export interface DecodeContext {
  readonly context: ModelContext;
  readonly weights: ReadonlyMap<string, Float32Array>;
  /** Graphs with these weights bound; they live as long as the sampler. */
  readonly programs: ProgramCache;
  readonly banned: ReadonlySet<number>;
  /** Text of one token, for the repeat guard. */
  readonly pieceOf: (id: number) => string;
  /** One number a token of the vocabulary; see {@link chooseToken}. */
  readonly scratch: Float64Array;
}

/** Takes the row's next token from its logits and says whether the row goes on. */
export function takeToken(
  { context, banned, pieceOf, scratch }: DecodeContext,
  row: DecodingRow,
  logits: Float32Array,
  index: number,
): boolean {
  const { vocabSize } = context.config.text;
  const { temperature, topP, topK, stop, maxTokens, onToken } = row.params;
  const options = {
    temperature,
    banned,
    scratch,
    ...(topP !== undefined && { topP }),
    ...(topK !== undefined && { topK }),
  };
  const { token, logprob } = chooseToken(logits, index * vocabSize, vocabSize, options, row.rng);
  row.tokens.push(token);
  row.logprobs.push(logprob);
  onToken?.(row.response, token);
  if (stop.includes(token)) row.stopReason = "stop";
  else if (row.guard?.push(pieceOf(token))) row.stopReason = "loop";
  else if (row.tokens.length >= maxTokens) row.stopReason = "length";
  return row.stopReason === undefined;
}

function compileStep({ context, weights }: DecodeContext, batch: number, capacity: number): Promise<Program> {
  const { text } = context.config;
  const half = text.headDim / 2;
  const source = weightInputs();
  const step = decodeStep(
    text,
    source,
    {
      batch,
      ids: input("ids", [batch], "int32"),
      cos: input("cos", [batch, half]),
      sin: input("sin", [batch, half]),
      lengths: input("lengths", [batch], "int32"),
      total: input("total", [1], "int32"),
    },
    capacity,
    context.memory === undefined ? "new" : "present",
  );
  const bound = new Map([...source.tensors.keys()].map((name) => [name, weights.get(name)!]));
  const kept = context.memory === undefined ? [] : Object.keys(step.cache);
  // The arena saves the attention operator from asking the system for a cache's worth of memory at every step.
  return compile(
    { logits: step.logits, ...step.cache },
    { device: context.device, bound, kept, arena: true },
  );
}

/** Tables of text positions, where all three axes agree: [positions, headDim / 2]. */
function positionTable(context: ModelContext, positions: number) {
  const { text } = context.config;
  const axes = Int32Array.from({ length: 3 * positions }, (_, i) => i % positions);
  return { half: text.headDim / 2, ...textRopeTables(axes, text) };
}

/** A batch is not closed up below this: a step on fewer rows is hardly cheaper, and each size is a graph to build. */
const FEWEST_ROWS = 8;

/**
 * Decodes rows to their ends. Row i owns row i of the cache, which holds its prompt, and has its first token already.
 * Finished rows leave: once the rest fits a batch of half the size, the cache is closed up and a smaller graph goes on.
 */
export async function decodeRows(
  decode: DecodeContext,
  rows: readonly DecodingRow[],
  cache: Cache,
): Promise<void> {
  const { context } = decode;
  const table = positionTable(context, cache.capacity);
  let active = rows.map((row, slot) => ({ row, slot })).filter(({ row }) => row.stopReason === undefined);
  let size = rowBucket(rows.length);
  const carrier = carryCache(cache, context.memory);
  try {
    while (active.length > 0) {
      const wanted = rowBucket(Math.max(active.length, Math.min(rows.length, FEWEST_ROWS)));
      if (wanted <= size / 2) {
        await carrier.toHost();
        active = closeUp(cache, active);
        size = wanted;
      }
      const batch = size;
      const program = await decode.programs.get(`decode/${batch}/${cache.capacity}`, () =>
        compileStep(decode, batch, cache.capacity),
      );
      const ids = new Int32Array(batch);
      const lengths = new Int32Array(batch);
      const cos = new Float32Array(batch * table.half);
      const sin = new Float32Array(batch * table.half);
      for (const { row, slot } of active) {
        ids[slot] = row.tokens.at(-1)!;
        lengths[slot] = row.length;
        const at = (row.length + row.ropeDelta) * table.half;
        cos.set(table.cos.subarray(at, at + table.half), slot * table.half);
        sin.set(table.sin.subarray(at, at + table.half), slot * table.half);
      }
      const total = Int32Array.of(1 + lengths.reduce((a, b) => Math.max(a, b), 0));
      const feeds = { ids, lengths, cos, sin, total, ...carrier.feeds(batch) };
      const kept: Record<string, DeviceTensor> = {};
      const out = await program.run(feeds, {}, kept);
      carrier.take({ out, kept, rows: active.map(({ row, slot }) => ({ slot, length: row.length })) });
      active = active.filter(({ row, slot }) => {
        row.length++;
        return takeToken(decode, row, out.logits as Float32Array, slot);
      });
    }
  } finally {
    carrier.close();
  }
}

/** Moves the active rows to the front of the cache, in order. */
function closeUp(cache: Cache, active: readonly { row: DecodingRow; slot: number }[]) {
  return active.map(({ row, slot: from }, to) => {
    if (from !== to) {
      for (const { key, value } of cache.layers) {
        for (const array of [key, value]) {
          array.copyWithin(to * cache.stride, from * cache.stride, (from + 1) * cache.stride);
        }
      }
    }
    return { row, slot: to };
  });
}
