/**
 * @file The parameters of a Qwen2.5-VL model: their names and shapes in memory and on disk. In memory we use the names
 * of transformers 5's modules (`model.language_model.*`, `model.visual.*`), which LoRA files use too; checkpoints are
 * stored under the names of the hub (`model.*`, `visual.*`).
 */
import type { QwenConfig } from "./config.js";

const LANGUAGE = "model.language_model.";
const VISUAL = "model.visual.";

/** The output head; absent where it is tied to the embedding. */
export const HEAD = "lm_head.weight";
/** The embedding matrix, [vocabSize, hiddenSize]. */
export const EMBEDDING = `${LANGUAGE}embed_tokens.weight`;
/** The patch embedding: a Conv3d on disk, its flat matrix [hiddenSize, inChannels * temporalPatchSize * patchSize^2] in memory. */
export const PATCH_EMBEDDING = `${VISUAL}patch_embed.proj.weight`;

/** A parameter's name in memory from its name on disk; names that are already canonical stay. */
export function canonicalName(stored: string): string {
  if (stored.startsWith(LANGUAGE) || stored.startsWith(VISUAL)) return stored;
  if (stored.startsWith("visual.")) return `model.${stored}`;
  if (stored.startsWith("model.")) return LANGUAGE + stored.slice("model.".length);
  return stored;
}

/** A parameter's name on disk from its canonical name: the hub's. */
export function storedName(canonical: string): string {
  if (canonical.startsWith(LANGUAGE)) return `model.${canonical.slice(LANGUAGE.length)}`;
  if (canonical.startsWith(VISUAL)) return canonical.slice("model.".length);
  return canonical;
}

/**
 * Every parameter's canonical name and its shape in memory, in the model's order. Linear weights are [out, in].
 * A tied model has no {@link HEAD}.
 */
export function parameterShapes({ text, vision }: QwenConfig): Map<string, readonly number[]> {
  const shapes = new Map<string, readonly number[]>();
  const linear = (name: string, out: number, into: number, bias: boolean): void => {
    shapes.set(`${name}.weight`, [out, into]);
    if (bias) shapes.set(`${name}.bias`, [out]);
  };

  shapes.set(EMBEDDING, [text.vocabSize, text.hiddenSize]);
  const queries = text.heads * text.headDim;
  const keys = text.kvHeads * text.headDim;
  for (let layer = 0; layer < text.layers; layer++) {
    const at = `${LANGUAGE}layers.${layer}.`;
    shapes.set(`${at}input_layernorm.weight`, [text.hiddenSize]);
    linear(`${at}self_attn.q_proj`, queries, text.hiddenSize, true);
    linear(`${at}self_attn.k_proj`, keys, text.hiddenSize, true);
    linear(`${at}self_attn.v_proj`, keys, text.hiddenSize, true);
    linear(`${at}self_attn.o_proj`, text.hiddenSize, queries, false);
    shapes.set(`${at}post_attention_layernorm.weight`, [text.hiddenSize]);
    linear(`${at}mlp.gate_proj`, text.intermediateSize, text.hiddenSize, false);
    linear(`${at}mlp.up_proj`, text.intermediateSize, text.hiddenSize, false);
    linear(`${at}mlp.down_proj`, text.hiddenSize, text.intermediateSize, false);
  }
  shapes.set(`${LANGUAGE}norm.weight`, [text.hiddenSize]);

  const width = vision.hiddenSize;
  shapes.set(PATCH_EMBEDDING, [width, vision.inChannels * vision.temporalPatchSize * vision.patchSize ** 2]);
  for (let block = 0; block < vision.depth; block++) {
    const at = `${VISUAL}blocks.${block}.`;
    shapes.set(`${at}norm1.weight`, [width]);
    linear(`${at}attn.qkv`, 3 * width, width, true);
    linear(`${at}attn.proj`, width, width, true);
    shapes.set(`${at}norm2.weight`, [width]);
    linear(`${at}mlp.gate_proj`, vision.intermediateSize, width, true);
    linear(`${at}mlp.up_proj`, vision.intermediateSize, width, true);
    linear(`${at}mlp.down_proj`, width, vision.intermediateSize, true);
  }
  const merged = width * vision.mergeSize ** 2;
  shapes.set(`${VISUAL}merger.ln_q.weight`, [width]);
  linear(`${VISUAL}merger.mlp.0`, merged, merged, true);
  linear(`${VISUAL}merger.mlp.2`, vision.outHiddenSize, merged, true);

  if (!text.tieWordEmbeddings) shapes.set(HEAD, [text.vocabSize, text.hiddenSize]);
  return shapes;
}

/** A parameter's shape on disk; only the patch embedding's differs. */
export function storedShape(
  canonical: string,
  shape: readonly number[],
  { vision }: QwenConfig,
): readonly number[] {
  if (canonical !== PATCH_EMBEDDING) return shape;
  const { hiddenSize, inChannels, temporalPatchSize, patchSize } = vision;
  return [hiddenSize, inChannels, temporalPatchSize, patchSize, patchSize];
}

/** Number of parameters, a tied head counted once. */
export function parameterCount(config: QwenConfig): number {
  let total = 0;
  for (const shape of parameterShapes(config).values()) total += shape.reduce((a, b) => a * b, 1);
  return total;
}
