/** @file The graphs over whole sequences: scoring, prompts of rollouts, and training. */
import type { QwenConfig } from "../../qwen/config.js";
import { languageHead, languageModel, type TextOutputs } from "../../qwen/language-model.js";
import { weightInputs, type LoraLayer, type WeightSource } from "../../qwen/layers.js";
import {
  compile,
  gatherRows,
  gradients,
  input,
  multiply,
  tokenLogprobs,
  type Device,
  type DeviceMemory,
  type Program,
  type ProgramOptions,
  type Tensor,
} from "../../tensor/index.js";
import { textRows, type TextShape } from "./text-batch.js";
import { lossGraph, type LossGraphKind } from "./policy-graph.js";

/** What a graph is built for: the part of a ModelContext that decides it. */
export interface TextGraphContext {
  readonly config: QwenConfig;
  readonly device: Device;
  readonly memory?: DeviceMemory;
  readonly adapters: ReadonlyMap<string, LoraLayer>;
}

/** Name of the gradient of a weight among a program's outputs. */
export const gradientName = (weight: string) => `d ${weight}`;
/** Input and gradient of the visual features. */
export const FEATURES = "features";

/** Where a graph runs, and that its weights stay there. */
export function placement(
  { device, memory }: TextGraphContext,
  weights: { readonly tensors: ReadonlyMap<string, Tensor> },
): ProgramOptions {
  return { device, ...(memory && { resident: { memory, names: weights.tensors.keys() } }) };
}

function decoder(config: QwenConfig, weights: WeightSource, shape: TextShape) {
  const { responses, promptLength, maskPrompts, features } = shape;
  const rows = textRows(shape);
  const half = config.text.headDim / 2;
  const featureInput = features > 0 ? input(FEATURES, [features, config.text.hiddenSize]) : undefined;
  const outputs: TextOutputs = languageModel(config.text, weights, {
    ...shape,
    ids: input("ids", [rows], "int32"),
    cos: input("cos", [rows, half]),
    sin: input("sin", [rows, half]),
    ...(responses > 0 && { promptOf: input("promptOf", [responses], "int32") }),
    ...(responses > 0 && maskPrompts && { promptMask: input("promptMask", [responses, 1, 1, promptLength]) }),
    ...(featureInput && {
      visual: {
        features: featureInput,
        index: input("visualIndex", [rows], "int32"),
        isImage: input("isImage", [rows, 1]),
      },
    }),
  });
  return { outputs, featureInput };
}

/** Log-probabilities of selected tokens at a temperature, with everything they depend on. */
function scored(context: TextGraphContext, weights: WeightSource, shape: TextShape, count: number) {
  const { outputs, featureInput } = decoder(context.config, weights, shape);
  const hidden = gatherRows(outputs.hidden.at(-1)!, input("selected", [count], "int32"));
  const logits = languageHead(context.config.text, weights, hidden);
  const scaled = multiply(logits, input("inverseTemperature", []));
  const logprobs = tokenLogprobs(scaled, input("targets", [count], "int32"));
  return { logprobs, featureInput };
}

/** Output `logprobs` [count] of the selected tokens. */
export function compileScore(context: TextGraphContext, shape: TextShape, count: number): Promise<Program> {
  const weights = weightInputs(context.adapters);
  const { logprobs } = scored(context, weights, shape, count);
  return compile({ logprobs }, placement(context, weights));
}

/** Outputs `logits` [prompts, vocabulary] at each prompt's last token and the cache, `key_i` and `value_i` by layer. */
export function compilePrefill(context: TextGraphContext, shape: TextShape): Promise<Program> {
  const weights = weightInputs(context.adapters);
  const { outputs } = decoder(context.config, weights, shape);
  const last = gatherRows(outputs.hidden.at(-1)!, input("selected", [shape.prompts], "int32"));
  const cache: Record<string, Tensor> = {};
  outputs.cache.forEach(({ key, value }, layer) => {
    cache[`key_${layer}`] = key;
    cache[`value_${layer}`] = value;
  });
  const logits = languageHead(context.config.text, weights, last);
  return compile({ logits, ...cache }, placement(context, weights));
}

/** What {@link compileTraining} builds: a graph for one shape of microbatch and one kind of loss. */
export interface TrainingGraphOptions {
  readonly shape: TextShape;
  readonly count: number;
  readonly loss: LossGraphKind;
  /** Names of the decoder's weights (or adapter matrices) to be differentiated. */
  readonly trainable: ReadonlySet<string>;
  /** Also the gradient of the visual features. */
  readonly featureGradient: boolean;
}

/**
 * Outputs `loss`, `logprobs` [count], the gradient of each trainable weight under {@link gradientName}, and that of
 * the visual features where it is asked for.
 */
export function compileTraining(context: TextGraphContext, options: TrainingGraphOptions): Promise<Program> {
  const { shape, count, loss: kind, trainable, featureGradient } = options;
  const weights = weightInputs(context.adapters);
  const { logprobs, featureInput } = scored(context, weights, shape, count);
  const loss = lossGraph(kind, logprobs);
  const wanted = [...weights.tensors].filter(([name]) => trainable.has(name));
  if (featureGradient && featureInput !== undefined) wanted.push([FEATURES, featureInput]);
  const found = gradients(
    loss,
    wanted.map(([, tensor]) => tensor),
  );
  const outputs: Record<string, Tensor> = { loss, logprobs };
  wanted.forEach(([name], i) => (outputs[gradientName(name)] = found[i]!));
  return compile(outputs, placement(context, weights));
}
