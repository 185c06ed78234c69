/** @file How graph builders ask for weights: by canonical name, with any LoRA adapter folded into the layer. */
import { add, input, linear, multiply, scalar, type Shape, type Tensor } from "../tensor/index.js";

/** A low-rank addition to one linear layer: y += scale * (x A^T) B^T. */
export interface LoraLayer {
  readonly rank: number;
  /** alpha / rank. */
  readonly scale: number;
}

/** Hands out the tensors of a model's weights. */
export interface WeightSource {
  /** The weight of this canonical name and shape; the same tensor whenever it is asked for. */
  weight(name: string, shape: Shape): Tensor;
  /** The adapter on a module ("model.language_model.layers.0.mlp.up_proj"), where there is one. */
  adapter(module: string): LoraLayer | undefined;
}

/** Names of an adapter's two matrices, as PEFT has them in memory (adapter "default"). */
export function loraNames(module: string): { readonly a: string; readonly b: string } {
  return {
    a: `base_model.model.${module}.lora_A.default.weight`,
    b: `base_model.model.${module}.lora_B.default.weight`,
  };
}

/** Weights as graph inputs, so that one compiled graph serves every update. */
export function weightInputs(adapters: ReadonlyMap<string, LoraLayer> = new Map()): WeightSource & {
  /** Everything asked for so far, by name. */
  readonly tensors: ReadonlyMap<string, Tensor>;
} {
  const tensors = new Map<string, Tensor>();
  return {
    tensors,
    weight(name, shape) {
      let tensor = tensors.get(name);
      if (tensor === undefined) tensors.set(name, (tensor = input(name, shape)));
      return tensor;
    },
    adapter: (module) => adapters.get(module),
  };
}

/** The linear layer `module` of a model: x [rows, in] to [rows, out]. */
export function linearLayer(
  weights: WeightSource,
  module: string,
  x: Tensor,
  out: number,
  options: { readonly bias: boolean },
): Tensor {
  const width = x.shape[1]!;
  const bias = options.bias ? weights.weight(`${module}.bias`, [out]) : undefined;
  const y = linear(x, weights.weight(`${module}.weight`, [out, width]), bias);
  const lora = weights.adapter(module);
  if (lora === undefined) return y;
  const names = loraNames(module);
  const down = linear(x, weights.weight(names.a, [lora.rank, width]));
  const up = linear(down, weights.weight(names.b, [out, lora.rank]));
  return add(y, multiply(up, scalar(lora.scale)));
}
