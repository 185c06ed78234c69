/**
 * @file The model of the mock server: a table of logits by the last token. Exact and tiny, so that what a client trains can
 * be compared with the formulas.
 */
import { createRng } from "../../../src/base/rng.js";
import type { WireDatum } from "../../../src/engines/tinker/wire/index.js";

/** Token ids are below this. */
export const VOCABULARY = 12;
const V = VOCABULARY;

/** What a picture's tokens are. */
export const IMAGE_TOKEN = 1;

/** Logits [last token, next token]. */
export type Table = Float64Array;

/** The base model. */
export function baseTable(): Table {
  const rng = createRng(5);
  return Float64Array.from({ length: V * V }, () => rng.uniform(-1, 1));
}

/** Log-probabilities of every next token. */
export function logSoftmax(table: Table, last: number): Float64Array {
  const row = table.subarray(last * V, (last + 1) * V);
  const peak = Math.max(...row);
  const norm = peak + Math.log(row.reduce((sum, x) => sum + Math.exp(x - peak), 0));
  return Float64Array.from(row, (x) => x - norm);
}

/** One token; temperature 0 is greedy. */
export function draw(table: Table, last: number, temperature: number, random: () => number): number {
  const scores = logSoftmax(table, last);
  if (temperature === 0) return scores.indexOf(Math.max(...scores));
  const weights = scores.map((score) => Math.exp(score / temperature));
  let left = random() * weights.reduce((a, b) => a + b, 0);
  for (let token = 0; token < V; token++) if ((left -= weights[token]!) < 0) return token;
  return V - 1;
}

/** Result of one sequence. */
export interface SequencePass {
  readonly logprobs: Float32Array;
  readonly losses: Float32Array;
}

/** d term / d logprob and the term, as the API's losses have them. */
function termOf(
  lossFn: string,
  logprob: number,
  old: number,
  advantage: number,
  config: Readonly<Record<string, number>>,
): readonly [number, number] {
  if (lossFn === "cross_entropy") return [-logprob, -1];
  const ratio = Math.exp(logprob - old);
  if (lossFn === "importance_sampling") return [-ratio * advantage, -ratio * advantage];
  const { clip_low_threshold: low = 0.8, clip_high_threshold: high = 1.2 } = config;
  const bounded = Math.min(Math.max(ratio, low), high);
  const plain = ratio * advantage;
  return bounded * advantage < plain ? [-bounded * advantage, 0] : [-plain, -plain];
}

/**
 * One sequence: adds its gradient, by `mean` divided by the sum of its weights.
 * @param tokens The input with pictures spelled out, ids below {@link VOCABULARY}; targets are taken modulo it.
 */
export function pass(
  table: Table,
  gradient: Float64Array,
  tokens: ArrayLike<number>,
  { lossFnInputs }: WireDatum,
  loss: { readonly name: string; readonly config: Readonly<Record<string, number>>; readonly mean: boolean },
): SequencePass {
  const targets = lossFnInputs["target_tokens"]!.data;
  const weights = lossFnInputs["weights"]?.data ?? new Float32Array(tokens.length).fill(1);
  const divisor = loss.mean ? Array.from(weights).reduce((a, b) => a + b, 0) : 1;
  const logprobs = new Float32Array(tokens.length);
  const losses = new Float32Array(tokens.length);
  for (let t = 0; t < tokens.length; t++) {
    const target = targets[t]! % V;
    const scores = logSoftmax(table, tokens[t]!);
    logprobs[t] = scores[target]!;
    const [term, slope] = termOf(
      loss.name,
      scores[target]!,
      lossFnInputs["logprobs"]?.data[t] ?? 0,
      lossFnInputs["advantages"]?.data[t] ?? 0,
      loss.config,
    );
    losses[t] = weights[t]! * term;
    const scale = (weights[t]! * slope) / divisor;
    for (let v = 0; v < V; v++) {
      gradient[tokens[t]! * V + v]! += scale * ((v === target ? 1 : 0) - Math.exp(scores[v]!));
    }
  }
  return { logprobs, losses };
}

/** State of AdamW. */
export interface TableOptimizer {
  step: number;
  readonly m: Float64Array;
  readonly v: Float64Array;
}

/** No step yet. */
export function newOptimizer(): TableOptimizer {
  return { step: 0, m: new Float64Array(V * V), v: new Float64Array(V * V) };
}

/** One step, in place; the norm of the gradient. */
export function adamStep(
  table: Table,
  gradient: Float64Array,
  state: TableOptimizer,
  params: Readonly<Record<string, number>>,
): number {
  const { learning_rate: rate = 0, beta1 = 0.9, beta2 = 0.999, eps = 1e-8, weight_decay: decay = 0 } = params;
  state.step++;
  for (let i = 0; i < gradient.length; i++) {
    const g = gradient[i]!;
    state.m[i] = beta1 * state.m[i]! + (1 - beta1) * g;
    state.v[i] = beta2 * state.v[i]! + (1 - beta2) * g * g;
    const m = state.m[i]! / (1 - beta1 ** state.step);
    const v = state.v[i]! / (1 - beta2 ** state.step);
    table[i]! -= rate * (m / (Math.sqrt(v) + eps) + decay * table[i]!);
  }
  return Math.hypot(...gradient);
}
