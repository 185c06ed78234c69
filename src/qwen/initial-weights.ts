/** @file Weights of a model that has learned nothing yet, for pretraining from scratch. */
import { createRng, deriveSeed } from "../base/rng.js";
import type { QwenConfig } from "./config.js";
import { EMBEDDING, parameterShapes } from "./parameters.js";

/** Options of {@link initialWeights}: all of the randomness is in `seed`, and each tensor has a stream of its own. */
export interface InitialWeightsOptions {
  readonly seed: number;
  /**
   * Ids of the tokens 0, 1, 2, ...: their embeddings begin as Fourier features of the value, so that neighbouring
   * numbers are neighbours from the start and an error of a pixel is a small error.
   */
  readonly numberTokens?: ArrayLike<number>;
}

/** Size of the embeddings' elements: small, for a tied head multiplies normed states with them. */
const EMBEDDING_STD = 0.05;
/** Periods of the number features, in units of the number. */
const SHORTEST_PERIOD = 6;
const LONGEST_PERIOD = 2000;

/**
 * Norms 1, biases 0, linear layers normal with deviation 1/sqrt(inputs); layers that write to the residual stream are
 * divided by sqrt(2 * layers), as in GPT-2.
 */
export function initialWeights(
  config: QwenConfig,
  options: InitialWeightsOptions,
): Map<string, Float32Array> {
  const weights = new Map<string, Float32Array>();
  for (const [name, shape] of parameterShapes(config)) {
    const size = shape.reduce((product, dim) => product * dim, 1);
    weights.set(name, initialTensor(name, shape, size));
  }
  if (options.numberTokens !== undefined) {
    writeNumberFeatures(weights.get(EMBEDDING)!, config.text.hiddenSize, options.numberTokens);
  }
  return weights;

  function initialTensor(name: string, shape: readonly number[], size: number): Float32Array {
    if (shape.length === 1) return new Float32Array(size).fill(name.endsWith("bias") ? 0 : 1);
    const rng = createRng(deriveSeed(options.seed, "weights", name));
    let std = name === EMBEDDING || name === "lm_head.weight" ? EMBEDDING_STD : 1 / Math.sqrt(shape[1]!);
    if (/(o_proj|down_proj|attn\.proj)\.weight$/.test(name)) {
      std /= Math.sqrt(2 * (name.includes("visual") ? config.vision.depth : config.text.layers));
    }
    return Float32Array.from({ length: size }, () => std * rng.normal());
  }
}

/** Half of each number's embedding becomes sines and cosines of its value. */
function writeNumberFeatures(table: Float32Array, width: number, ids: ArrayLike<number>): void {
  const pairs = Math.floor(width / 4);
  const amplitude = EMBEDDING_STD * Math.SQRT2;
  for (let value = 0; value < ids.length; value++) {
    const at = ids[value]! * width;
    for (let i = 0; i < pairs; i++) {
      const period = SHORTEST_PERIOD * (LONGEST_PERIOD / SHORTEST_PERIOD) ** (i / Math.max(1, pairs - 1));
      const angle = (2 * Math.PI * value) / period;
      table[at + 2 * i] = amplitude * Math.sin(angle);
      table[at + 2 * i + 1] = amplitude * Math.cos(angle);
    }
  }
}
