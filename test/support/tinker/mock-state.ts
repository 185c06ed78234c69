/**
 * @file What the mock server knows: its habits, models, sessions, checkpoints and results, and how requests become results.
 */
import type { ModelInputChunk } from "../../../src/engines/tinker/wire/index.js";
import { baseTable, IMAGE_TOKEN, VOCABULARY, type Table, type TableOptimizer } from "./table-model.js";

/** The server's habits. */
export interface MockOptions {
  readonly model?: string;
  /** JAX: each sequence's mean, and their mean; elsewhere the plain sum. @default "sum" */
  readonly normalization?: "sum" | "mean";
  /** JAX: sampling with saved weights puts them into the model in training. @default true */
  readonly isolated?: boolean;
  /** FSDP: one set of weights for sampling, the newest, whichever session asks. @default false */
  readonly oneSampler?: boolean;
  /** FSDP: nothing can be sampled from before a model was made. @default false */
  readonly needsModel?: boolean;
  /** JAX drops pictures without a word. @default true */
  readonly images?: boolean;
  readonly losses?: readonly string[];
  /** Known again by number. @default true */
  readonly deduplicates?: boolean;
  /** Results as protobuf, or as JSON. @default true */
  readonly protobuf?: boolean;
  /** Prompt scores begin with an undefined one. @default true */
  readonly leadingNaN?: boolean;
  readonly promptLogprobs?: boolean;
  readonly gradNorm?: boolean;
  readonly compress?: boolean;
  /** Polls answered "not yet" before each result. @default 0 */
  readonly notYet?: number;
  /** Results announced without their content first. @default false */
  readonly metadataFirst?: boolean;
}

/** A model on the server. */
export interface MockModel {
  table: Table;
  readonly optimizer: TableOptimizer;
  gradient: Float64Array;
  datums: number;
  loaded: boolean;
  requests: number;
  /** Sampler weights that JAX has put into the model. */
  samplerInPlace?: string;
  readonly rank: number;
}

export interface Checkpoint {
  readonly id: string;
  readonly kind: "training" | "sampler";
  readonly modelId: string;
  readonly table: Table;
  readonly optimizer: TableOptimizer;
}

export interface Result {
  readonly status: number;
  readonly json?: unknown;
  readonly proto?: Uint8Array;
  notYet: number;
}

/** A request that the server answers with an error. */
export class Refusal extends Error {
  constructor(
    readonly status: number,
    readonly detail: unknown,
  ) {
    super(String(detail));
  }
}

/** A result's content. */
export type Content = Pick<Result, "json" | "proto">;

/** Everything of one server. */
export type MockState = ReturnType<typeof createMockState>;

/** A server that knows nothing yet. */
export function createMockState(options: MockOptions) {
  const habits = {
    model: "table",
    normalization: "sum",
    isolated: true,
    oneSampler: false,
    needsModel: false,
    images: true,
    losses: ["cross_entropy", "importance_sampling", "ppo"],
    deduplicates: true,
    protobuf: true,
    leadingNaN: true,
    promptLogprobs: true,
    gradNorm: true,
    compress: false,
    notYet: 0,
    metadataFirst: false,
    ...options,
  } satisfies Required<MockOptions>;
  const base = baseTable();
  const models = new Map<string, MockModel>();
  const sessions = new Set<string>();
  const samplers = new Map<string, { readonly checkpoint?: string }>();
  const checkpoints = new Map<string, Checkpoint>();
  const results = new Map<string, Result>();
  const numbered = new Map<string, { readonly body: string; readonly id: string }>();
  const calls: Record<string, number> = {};
  const worked: string[] = [];
  let counter = 0;
  const name = (kind: string): string => `${kind}_${(++counter).toString(16).padStart(8, "0")}`;

  const spell = (chunks: readonly ModelInputChunk[]): number[] =>
    chunks.flatMap((chunk) => {
      // Larger vocabularies are folded into ours, so that any tokenizer can be used.
      if (chunk.type === "encoded_text") return Array.from(chunk.tokens, (id) => id % VOCABULARY);
      return habits.images ? Array.from({ length: chunk.expectedTokens ?? 4 }, () => IMAGE_TOKEN) : [];
    });

  /** Accepts a request; what it throws becomes the result. */
  function accept(work: () => Content): unknown {
    const id = String(++counter);
    let result: Result;
    try {
      result = { status: 200, ...work(), notYet: habits.notYet };
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      result = { status: error.status, json: { detail: error.detail }, notYet: habits.notYet };
    }
    results.set(id, result);
    return { future_id: id, status: "pending", request_id: id };
  }

  function once(modelId: string, seqId: number, body: string, work: () => unknown): unknown {
    const key = `${modelId}/${seqId}`;
    const known = habits.deduplicates ? numbered.get(key) : undefined;
    if (known !== undefined) {
      if (known.body !== body) throw new Refusal(409, "Training request sequence number was reused");
      return { future_id: known.id, status: "pending", request_id: known.id };
    }
    const answer = work() as { readonly request_id: string };
    numbered.set(key, { body, id: answer.request_id });
    return answer;
  }

  function modelOf(id: string): MockModel {
    const model = models.get(id);
    if (model === undefined) throw new Refusal(404, "Model not found");
    model.requests++;
    return model;
  }

  function live(id: string): MockModel {
    const model = models.get(id)!;
    if (!model.loaded) throw new Refusal(400, `Model ${id} not loaded`);
    return model;
  }

  return {
    habits,
    base,
    models,
    sessions,
    samplers,
    checkpoints,
    results,
    calls,
    worked,
    name,
    spell,
    accept,
    once,
    modelOf,
    live,
  };
}
