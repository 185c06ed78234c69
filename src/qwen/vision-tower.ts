/** @file Qwen2.5-VL's vision tower as a graph: patches in window order to merged visual tokens. */
import {
  add,
  attention,
  gatherRows,
  gelu,
  multiply,
  reshape,
  rmsNorm,
  rotary,
  silu,
  slice,
  transpose,
  type Tensor,
} from "../tensor/index.js";
import type { QwenVisionConfig } from "./config.js";
import { linearLayer, type WeightSource } from "./layers.js";

/** Fixed in the published code. */
const VISION_NORM_EPS = 1e-6;
const PREFIX = "model.visual";

/**
 * Segments that attend only within themselves, brought to one size: segment s holds rows s*size .. of the padded
 * order. Where `gather` is absent the patches already lie so.
 */
export interface SegmentTensors {
  readonly segments: number;
  readonly size: number;
  readonly padding?: {
    /** int32 [segments * size]: the patch that stands at each padded place (any patch where there is none). */
    readonly gather: Tensor;
    /** int32 [patches]: the padded place of each patch. */
    readonly scatter: Tensor;
    /** float32 [segments, 1, 1, size]: 0 at patches, very negative at padding. */
    readonly mask: Tensor;
  };
}

/** What the tower is fed; every row is a patch, in window order. */
export interface VisionInputs {
  /** [patches, channels * temporal * patch * patch] */
  readonly pixels: Tensor;
  /** [patches, headDim / 2] */
  readonly cos: Tensor;
  readonly sin: Tensor;
  readonly windows: SegmentTensors;
  readonly frames: SegmentTensors;
}

/** What the tower gives. */
export interface VisionOutputs {
  /** [patches, hidden]: the Conv3d's output. */
  readonly patches: Tensor;
  /** [patches, hidden] after each block. */
  readonly blocks: readonly Tensor[];
  /** [patches / mergeSize^2, outHidden], still in window order. */
  readonly merged: Tensor;
}

function segmentAttention(q: Tensor, k: Tensor, v: Tensor, heads: number, layout: SegmentTensors): Tensor {
  const [patches, width] = q.shape as [number, number];
  const headDim = width / heads;
  const { segments, size, padding } = layout;
  const split = (x: Tensor) => {
    const rows = padding === undefined ? x : gatherRows(x, padding.gather);
    return transpose(reshape(rows, [segments, size, heads, headDim]), [0, 2, 1, 3]);
  };
  const mixed = attention(split(q), split(k), split(v), headDim ** -0.5, padding?.mask);
  const rows = reshape(transpose(mixed, [0, 2, 1, 3]), [segments * size, width]);
  return padding === undefined ? rows : reshape(gatherRows(rows, padding.scatter), [patches, width]);
}

function visionBlock(
  config: QwenVisionConfig,
  weights: WeightSource,
  index: number,
  x: Tensor,
  inputs: VisionInputs,
): Tensor {
  const name = `${PREFIX}.blocks.${index}`;
  const { hiddenSize: width, heads, intermediateSize } = config;
  const patches = x.shape[0]!;
  const norm = (h: Tensor, which: string) =>
    rmsNorm(h, weights.weight(`${name}.${which}.weight`, [width]), VISION_NORM_EPS);

  const qkv = linearLayer(weights, `${name}.attn.qkv`, norm(x, "norm1"), 3 * width, { bias: true });
  const part = (i: number) => slice(qkv, 1, i * width, (i + 1) * width);
  const turn = (h: Tensor) =>
    reshape(rotary(reshape(h, [1, patches, width]), inputs.cos, inputs.sin, heads), [patches, width]);
  const layout = config.fullAttentionBlocks.includes(index) ? inputs.frames : inputs.windows;
  const mixed = segmentAttention(turn(part(0)), turn(part(1)), part(2), heads, layout);
  const attended = add(x, linearLayer(weights, `${name}.attn.proj`, mixed, width, { bias: true }));

  const h = norm(attended, "norm2");
  const gate = linearLayer(weights, `${name}.mlp.gate_proj`, h, intermediateSize, { bias: true });
  const up = linearLayer(weights, `${name}.mlp.up_proj`, h, intermediateSize, { bias: true });
  const down = linearLayer(weights, `${name}.mlp.down_proj`, multiply(silu(gate), up), width, { bias: true });
  return add(attended, down);
}

/** Builds the tower. */
export function visionTower(
  config: QwenVisionConfig,
  weights: WeightSource,
  inputs: VisionInputs,
): VisionOutputs {
  const { hiddenSize: width, mergeSize } = config;
  const patches = linearLayer(weights, `${PREFIX}.patch_embed.proj`, inputs.pixels, width, { bias: false });
  const blocks: Tensor[] = [];
  let x = patches;
  for (let index = 0; index < config.depth; index++) {
    x = visionBlock(config, weights, index, x, inputs);
    blocks.push(x);
  }
  const unit = mergeSize * mergeSize;
  const normed = rmsNorm(x, weights.weight(`${PREFIX}.merger.ln_q.weight`, [width]), VISION_NORM_EPS);
  const grouped = reshape(normed, [patches.shape[0]! / unit, width * unit]);
  const inner = gelu(linearLayer(weights, `${PREFIX}.merger.mlp.0`, grouped, width * unit, { bias: true }));
  const merged = linearLayer(weights, `${PREFIX}.merger.mlp.2`, inner, config.outHiddenSize, { bias: true });
  return { patches, blocks, merged };
}
