/**
 * @file What a run will take, before anything runs: images, rollouts, tokens, memory, cost. Arithmetic on a recipe and on
 * what its data and tokenizer say of some of its images; nothing here is measured on a model.
 */
import { TOKEN_BUDGET } from "../engines/local/buckets.js";
import type { QwenConfig } from "../qwen/config.js";
import { parameterShapes } from "../qwen/parameters.js";
import type { PlanServer } from "./plan-server.js";
import type { Recipe } from "./recipe-schema.js";

/** Lengths over some images, tokens. */
export interface Lengths {
  readonly mean: number;
  readonly p95: number;
  readonly max: number;
}

/** What was seen of the training images that were looked at. */
export interface PlanSample {
  /** Images looked at. */
  readonly images: number;
  /** Prompt with its picture. */
  readonly prompt: Lengths;
  /** The picture alone. */
  readonly picture: Lengths;
  /** The ground truth written as SFT teaches it, end token included: what a complete answer takes. */
  readonly answer: Lengths;
  /** Mean of the answers, each cut at the recipe's longest response. */
  readonly answerWithin: number;
  /** Share of the images whose ground truth does not fit into the longest response. */
  readonly truncatedShare: number;
  readonly objects: { readonly mean: number; readonly max: number };
}

/** One kind of work. */
export interface PlanPart {
  readonly name: "sampling" | "reference" | "recomputed" | "training" | "evaluation";
  readonly images: number;
  /** Responses drawn, scored or trained on. */
  readonly sequences: number;
  /** Each response's own prompt, as a server that bills tokens counts it. */
  readonly promptTokens: number;
  /** If responses are as long as complete answers. */
  readonly responseTokens: number;
  /** If every response runs to its limit. */
  readonly mostResponseTokens: number;
}

/** Bytes of the embedded engine, by what they are for. */
export interface PlanMemory {
  readonly parameters: number;
  readonly trainable: number;
  readonly weights: number;
  /** Sampler's copy of what changes, and the reference's weights. */
  readonly copies: number;
  readonly gradients: number;
  readonly optimizer: number;
  /** Keys and values of the sequences that are decoded together. */
  readonly cache: number;
  /** Of one forward and backward pass, by shapes: activations kept of each layer, attention scores, logits and their gradient. */
  readonly activations: number;
  readonly total: number;
}

/** Prices, in one currency, for a million tokens. */
export interface PlanPrices {
  readonly prompt: number;
  readonly response: number;
  /** Of tokens trained on or scored. */
  readonly train: number;
}

/** The whole plan. */
export interface Plan {
  readonly kind: Recipe["kind"];
  readonly steps: number;
  /** A time limit may end it earlier. */
  readonly minutes: number | null;
  readonly sample: PlanSample;
  readonly parts: readonly PlanPart[];
  readonly tokens: { readonly expected: number; readonly most: number };
  /** Of the embedded engine. */
  readonly memory: PlanMemory | null;
  /** Of a server's GPU, where the engine is one. */
  readonly server: PlanServer | null;
  readonly cost: { readonly expected: number; readonly most: number } | null;
}

/** Lengths of a list. */
export function lengthsOf(values: readonly number[]): Lengths {
  const sorted = values.toSorted((a, b) => a - b);
  return {
    mean: values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length),
    p95: sorted[Math.max(0, Math.ceil(0.95 * sorted.length) - 1)] ?? 0,
    max: sorted.at(-1) ?? 0,
  };
}

/** How often the sets are judged: before, each so many steps, and at the end. */
export function evaluationRounds(steps: number, every: number): number {
  return 2 + (every > 0 ? Math.ceil(steps / every) - 1 : 0);
}

/** The longest response that the recipe allows in training. */
export function longestResponse(recipe: Recipe): number {
  return recipe.kind === "grpo" ? recipe.grpo.sampling.maxTokens : Infinity;
}

/** Responses to judge in one round. @param sets Length of each evaluation set, by its name */
function evaluationWork(recipe: Recipe, sets: Readonly<Record<string, number>>) {
  const { evaluation, data } = recipe;
  const inDomain = data.inDomain ?? Object.keys(data.eval).slice(0, 1);
  let [images, responses] = [0, 0];
  for (const [name, length] of Object.entries(sets)) {
    const own = inDomain.includes(name);
    const most = own ? evaluation.images : (evaluation.outOfDomain.images ?? evaluation.images);
    const samples = own ? evaluation.samples : (evaluation.outOfDomain.samples ?? evaluation.samples);
    const count = Math.min(most, length);
    images += count;
    responses += count * (1 + samples);
  }
  return { images, responses };
}

/** Every kind of work of a run. */
export function planParts(
  recipe: Recipe,
  sample: Pick<PlanSample, "prompt" | "answer" | "answerWithin">,
  sets: Readonly<Record<string, number>>,
): PlanPart[] {
  const { prompt, answer, answerWithin } = sample;
  const part = (
    name: PlanPart["name"],
    images: number,
    sequences: number,
    length: number,
    most: number,
  ): PlanPart => ({
    name,
    images,
    sequences,
    promptTokens: Math.round(sequences * prompt.mean),
    responseTokens: Math.round(sequences * length),
    mostResponseTokens: Math.round(sequences * most),
  });
  const { evaluation } = recipe;
  const steps = recipe.kind === "grpo" ? recipe.grpo.steps : recipe.sft.steps;
  const rounds = evaluationRounds(steps, evaluation.every);
  const work = evaluationWork(recipe, sets);
  const judged = part(
    "evaluation",
    rounds * work.images,
    rounds * work.responses,
    Math.min(answer.mean, evaluation.maxTokens),
    evaluation.maxTokens,
  );
  if (recipe.kind === "sft") {
    const images = steps * recipe.sft.batchSize;
    return [part("training", images, images, answer.mean, answer.max), judged];
  }
  const { imagesPerStep, groupSize, iterations, kl, oldLogprobs, sampling } = recipe.grpo;
  const images = steps * imagesPerStep;
  const rollouts = images * groupSize;
  const of = (name: PlanPart["name"], times = 1): PlanPart =>
    part(name, images, times * rollouts, answerWithin, sampling.maxTokens);
  return [
    of("sampling"),
    ...(oldLogprobs === "recomputed" ? [of("recomputed")] : []),
    ...(kl.beta > 0 ? [of("reference")] : []),
    of("training", iterations),
    judged,
  ];
}

/** Tokens of some work. */
export function partTokens({ promptTokens, responseTokens, mostResponseTokens }: PlanPart) {
  return { expected: promptTokens + responseTokens, most: promptTokens + mostResponseTokens };
}

/** What the tokens cost: responses are billed where they are drawn, everything else as what goes in. */
export function planCost(parts: readonly PlanPart[], prices: PlanPrices): { expected: number; most: number } {
  let [expected, most] = [0, 0];
  for (const part of parts) {
    if (part.name === "sampling" || part.name === "evaluation") {
      expected += part.promptTokens * prices.prompt + part.responseTokens * prices.response;
      most += part.promptTokens * prices.prompt + part.mostResponseTokens * prices.response;
    } else {
      const tokens = partTokens(part);
      expected += tokens.expected * prices.train;
      most += tokens.most * prices.train;
    }
  }
  return { expected: expected / 1e6, most: most / 1e6 };
}

const BYTES = 4;

/**
 * Memory of the embedded engine, everything fp32. What ONNX Runtime and Node take for themselves comes on top.
 * @param adapters Numbers in LoRA adapters, where only those learn.
 */
export function planMemory(
  config: QwenConfig,
  recipe: Recipe,
  lengths: { readonly prompt: number; readonly response: number },
  adapters?: number,
): PlanMemory {
  const { text } = config;
  let [parameters, vision] = [0, 0];
  for (const [name, shape] of parameterShapes(config)) {
    const size = shape.reduce((product, side) => product * side, 1);
    parameters += size;
    if (name.includes("visual.")) vision += size;
  }
  const trainable = adapters ?? (recipe.trainable.vision === "frozen" ? parameters - vision : parameters);
  const grpo = recipe.kind === "grpo" ? recipe.grpo : undefined;
  const sequence = lengths.prompt + lengths.response;
  const together =
    grpo === undefined
      ? recipe.evaluation.batchSize
      : Math.max(grpo.imagesPerStep * grpo.groupSize, recipe.evaluation.batchSize);
  const budget = recipe.kind === "grpo" ? recipe.grpo.tokenBudget : recipe.sft.tokenBudget;
  const tokens = Math.max(sequence, Math.min(budget ?? TOKEN_BUDGET, TOKEN_BUDGET));
  // Of each layer: its input, two norms, q, k, v, the attention's output, and three of the MLP's width.
  const kept =
    5 * text.hiddenSize +
    (text.heads + 2 * text.kvHeads) * text.headDim +
    3 * text.intermediateSize +
    2 * text.heads * sequence;
  const memory = {
    weights: BYTES * parameters,
    copies:
      BYTES * (adapters === undefined ? trainable : parameters) +
      (grpo !== undefined && grpo.kl.beta > 0 && adapters === undefined ? BYTES * parameters : 0),
    gradients: BYTES * trainable,
    optimizer: 2 * BYTES * trainable,
    cache: BYTES * together * sequence * text.layers * 2 * text.kvHeads * text.headDim,
    activations: BYTES * tokens * (text.layers * kept + 2 * text.vocabSize),
  };
  const total = Object.values(memory).reduce((sum, bytes) => sum + bytes, 0);
  return { parameters, trainable, ...memory, total };
}
