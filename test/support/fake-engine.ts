/**
 * @file An engine whose policy is a table: exact, tiny, differentiable by hand, so that the loops can be tested without a
 * network. Its logits depend on the prompt's first token (the picture), on the section it is in and on the last token.
 */
import { createRng, deriveSeed } from "../../src/base/rng.js";
import type {
  AdamParams,
  Capabilities,
  Checkpoint,
  Datum,
  Engine,
  Loss,
  LossReport,
  Prompt,
  Rollout,
  Sampler,
  SamplingParams,
  StepReport,
} from "../../src/engines/contract.js";
import { policyLoss } from "../../src/rl/policy-loss.js";
import type { EncodedSample, TextCodec } from "../../src/rl/text.js";

/** What the policy can say; the last four are boxes. */
export const vocabulary = [
  "<eos>",
  "<think>some people</think><look>[",
  "]</look><answer>[",
  "]</answer>",
  ",",
  "[0,0,20,40]",
  "[20,0,40,40]",
  "[44,8,60,56]",
  "[0,44,20,60]",
] as const;
const V: number = vocabulary.length;
const [END, LOOK, ANSWER, CLOSE, COMMA] = [0, 1, 2, 3, 4];
const SECTIONS = 4;
/** Rows of "last token": every token, and none. */
const ROWS = V + 1;
/** Pictures the policy can tell apart. */
export const PICTURES = 2;

/** The tokens of {@link vocabulary}. */
export const fakeCodec: TextCodec = {
  endTokens: [END],
  encode(text) {
    const tokens: number[] = [];
    for (let at = 0; at < text.length;) {
      const token = vocabulary.findIndex((word) => text.startsWith(word, at));
      if (token < 0) throw new Error(`no token for ${text.slice(at, at + 20)}`);
      tokens.push(token);
      at += vocabulary[token]!.length;
    }
    return Int32Array.from(tokens);
  },
  decode: (tokens) => Array.from(tokens, (token) => vocabulary[token]!).join(""),
  spans(tokens) {
    let at = 0;
    return Array.from(tokens, (token) => ({ start: at, end: (at += vocabulary[token]!.length) }));
  },
};

/** A picture the policy can tell from others, with its people. */
export interface FakeSample {
  readonly id: string;
  readonly width: number;
  readonly height: number;
  readonly picture: number;
}

/** Two pictures: people at the first two boxes, or at the last two. */
export function fakeSample(index: number): FakeSample {
  return { id: `fake-${index}`, width: 128, height: 128, picture: index % PICTURES };
}

/** The teacher's response to a sample. */
export function fakeTeacher(sample: FakeSample): string {
  const people = sample.picture === 0 ? "[0,0,20,40],[20,0,40,40]" : "[44,8,60,56],[0,44,20,60]";
  return `<think>some people</think><look>[]</look><answer>[${people}]</answer>`;
}

/** The model sees 64 x 64 pixels. */
export function fakeEncode(sample: FakeSample): EncodedSample {
  const boxes = sample.picture === 0 ? [5, 6] : [7, 8];
  return {
    prompt: { chunks: [{ kind: "text", tokens: Int32Array.of(sample.picture, 9, 9) }] },
    truth: {
      size: { width: 64, height: 64 },
      objects: boxes.map((token) => {
        const [x1, y1, x2, y2] = JSON.parse(vocabulary[token]!) as [number, number, number, number];
        return { box: { x1, y1, x2, y2 }, label: "person" };
      }),
      ignore: [],
    },
  };
}

/** Logits that write the grammar most of the time, and boxes at random. */
function initialLogits(): Float64Array {
  const logits = new Float64Array(PICTURES * SECTIONS * ROWS * V);
  const set = (section: number, last: number, next: number, value: number): void => {
    for (let picture = 0; picture < PICTURES; picture++) {
      logits[((picture * SECTIONS + section) * ROWS + last) * V + next] = value;
    }
  };
  set(0, V, LOOK, 6);
  for (let last = 0; last < ROWS; last++) {
    for (const section of [1, 2]) {
      const opened = last === (section === 1 ? LOOK : ANSWER) || last === COMMA;
      for (let next = 5; next < V; next++) set(section, last, next, opened ? 4 : 0);
      set(section, last, COMMA, last > 4 && last < V ? 4 : 0);
      set(section, last, section === 1 ? ANSWER : CLOSE, last === COMMA ? 0 : 4);
    }
    set(3, last, END, 6);
  }
  return logits;
}

/** Offsets into the logits of the row before each token. */
function rowsOf(prompt: Prompt, tokens: ArrayLike<number>): number[] {
  const first = prompt.chunks[0]!;
  const picture = first.kind === "text" ? first.tokens[0]! : 0;
  let section = 0;
  let last = V;
  return Array.from(tokens, (token) => {
    const row = ((picture * SECTIONS + section) * ROWS + last) * V;
    if (token === LOOK && section === 0) section = 1;
    else if (token === ANSWER && section === 1) section = 2;
    else if (token === CLOSE && section === 2) section = 3;
    last = token;
    return row;
  });
}

/** Log-probabilities of all tokens of a row. */
function logSoftmax(logits: Float64Array, row: number, temperature: number): Float64Array {
  const scaled = Float64Array.from({ length: V }, (_, v) => logits[row + v]! / temperature);
  const top = Math.max(...scaled);
  const norm = top + Math.log(scaled.reduce((sum, value) => sum + Math.exp(value - top), 0));
  return scaled.map((value) => value - norm);
}

function score(logits: Float64Array, prompt: Prompt, tokens: Int32Array, temperature: number): Float32Array {
  return Float32Array.from(
    rowsOf(prompt, tokens),
    (row, t) => logSoftmax(logits, row, temperature)[tokens[t]!]!,
  );
}

function draw(logits: Float64Array, prompt: Prompt, params: SamplingParams, seed: number): Rollout {
  const rng = createRng(seed);
  const tokens: number[] = [];
  const logprobs: number[] = [];
  const temperature = params.temperature === 0 ? 1 : params.temperature;
  while (tokens.length < params.maxTokens) {
    const row = rowsOf(prompt, [...tokens, END]).at(-1)!;
    const all = logSoftmax(logits, row, temperature);
    let token = all.indexOf(Math.max(...all));
    if (params.temperature > 0) {
      const point = rng.next();
      let below = 0;
      token = all.findIndex((logprob) => (below += Math.exp(logprob)) > point);
      if (token < 0) token = V - 1;
    }
    tokens.push(token);
    logprobs.push(all[token]!);
    if (params.stop.includes(token)) break;
  }
  return {
    tokens: Int32Array.from(tokens),
    logprobs: Float32Array.from(logprobs),
    stopReason: params.stop.includes(tokens.at(-1)!) ? "stop" : "length",
  };
}

/** The engine, with its insides open to tests. */
export interface FakeEngine extends Engine {
  readonly logits: Float64Array;
  /** Calls so far. */
  readonly calls: { forwardBackward: number; optimStep: number; reference: number; openSamplers: number };
}

/** A fresh engine; every one begins with the same weights. */
export function createFakeEngine(capabilities: Partial<Capabilities> = {}): FakeEngine {
  const logits = initialLogits();
  const base = logits.slice();
  const gradient = new Float64Array(logits.length);
  const moments = [new Float64Array(logits.length), new Float64Array(logits.length)] as const;
  const saved = new Map<string, { logits: Float64Array; moments: Float64Array[]; step: number }>();
  const calls = { forwardBackward: 0, optimStep: 0, reference: 0, openSamplers: 0 };
  let steps = 0;

  function samplerOf(weights: Float64Array): Promise<Sampler> {
    calls.openSamplers++;
    const sample = (prompt: Prompt, params: SamplingParams): Rollout[] =>
      Array.from({ length: params.n }, (_, i) => draw(weights, prompt, params, deriveSeed(params.seed, i)));
    return Promise.resolve({
      sample: (prompt, params) => Promise.resolve(sample(prompt, params)),
      sampleBatch: (prompts, params) =>
        Promise.resolve(prompts.map((prompt, i) => sample(prompt, params[i]!))),
      logprobs: (prompt, tokens, temperature = 1) =>
        Promise.resolve(score(weights, prompt, tokens, temperature)),
      logprobsBatch: (items, temperature = 1) =>
        Promise.resolve(items.map(({ prompt, tokens }) => score(weights, prompt, tokens, temperature))),
      close() {
        calls.openSamplers--;
        return Promise.resolve();
      },
    });
  }

  function forwardBackward(batch: readonly Datum[], loss: Loss): Promise<LossReport> {
    calls.forwardBackward++;
    const temperature = loss.kind === "policy" ? loss.temperature : 1;
    const logprobs = batch.map(({ prompt, tokens }) => score(logits, prompt, tokens, temperature));
    const value =
      loss.kind === "policy"
        ? policyLoss(
            batch.map((datum, i) => ({
              logprobs: logprobs[i]!,
              oldLogprobs: datum.oldLogprobs!,
              advantages: datum.advantages!,
              weights: datum.weights,
              referenceLogprobs: datum.referenceLogprobs,
            })),
            loss,
          )
        : {
            loss: batch.reduce(
              (sum, { weights }, i) => weights.reduce((a, weight, t) => a - weight * logprobs[i]![t]!, sum),
              0,
            ),
            gradient: batch.map(({ weights }) => Float64Array.from(weights, (weight) => -weight)),
          };
    batch.forEach(({ prompt, tokens }, i) => {
      rowsOf(prompt, tokens).forEach((row, t) => {
        const all = logSoftmax(logits, row, temperature);
        const slope = value.gradient[i]![t]! / temperature;
        for (let v = 0; v < V; v++) {
          gradient[row + v] = gradient[row + v]! + slope * ((v === tokens[t] ? 1 : 0) - Math.exp(all[v]!));
        }
      });
    });
    return Promise.resolve({ loss: value.loss, logprobs });
  }

  function optimStep(params: AdamParams): Promise<StepReport> {
    calls.optimStep++;
    steps++;
    const { learningRate, beta1 = 0.9, beta2 = 0.999, eps = 1e-8, weightDecay = 0, maxGradNorm = 0 } = params;
    const gradNorm = Math.sqrt(gradient.reduce((sum, g) => sum + g * g, 0));
    const scale = maxGradNorm > 0 ? Math.min(1, maxGradNorm / (gradNorm + 1e-6)) : 1;
    const [m, v] = moments;
    for (let i = 0; i < logits.length; i++) {
      const g = gradient[i]! * scale;
      m[i] = beta1 * m[i]! + (1 - beta1) * g;
      v[i] = beta2 * v[i]! + (1 - beta2) * g * g;
      const update = m[i]! / (1 - beta1 ** steps) / (Math.sqrt(v[i]! / (1 - beta2 ** steps)) + eps);
      logits[i] = logits[i]! * (1 - learningRate * weightDecay) - learningRate * update;
    }
    gradient.fill(0);
    return Promise.resolve({ gradNorm, step: steps });
  }

  return {
    capabilities: {
      engine: "local",
      model: "fake",
      losses: ["crossEntropy", "policy"],
      klInLoss: true,
      images: true,
      promptLogprobs: true,
      maxTokens: 64,
      concurrency: 1,
      ...capabilities,
    },
    logits,
    calls,
    sampler: () => samplerOf(logits.slice()),
    reference() {
      calls.reference++;
      return samplerOf(base);
    },
    forwardBackward,
    optimStep,
    save(path) {
      saved.set(path, {
        logits: logits.slice(),
        moments: moments.map((moment) => moment.slice()),
        step: steps,
      });
      return Promise.resolve({ path, step: steps });
    },
    load({ path }: Checkpoint) {
      const state = saved.get(path)!;
      logits.set(state.logits);
      moments.forEach((moment, i) => moment.set(state.moments[i]!));
      gradient.fill(0);
      steps = state.step;
      return Promise.resolve();
    },
    close: () => Promise.resolve(),
  };
}
