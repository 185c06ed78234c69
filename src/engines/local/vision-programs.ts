/** @file The graphs over images: features, and the gradients of the tower from those of its features. */
import { visionTower, type SegmentTensors, type VisionInputs } from "../../qwen/vision-tower.js";
import { weightInputs, type WeightSource } from "../../qwen/layers.js";
import {
  add,
  compile,
  gradients,
  input,
  multiply,
  sum,
  type Program,
  type Tensor,
} from "../../tensor/index.js";
import { denseLoss, type DenseShape } from "./dense-head.js";
import { gradientName, placement, type TextGraphContext } from "./text-programs.js";
import type { SegmentLayout, VisionBatch } from "./vision-batch.js";

function segmentInputs(name: string, layout: SegmentLayout, patches: number): SegmentTensors {
  const { segments, size } = layout;
  if (layout.padding === undefined) return { segments, size };
  return {
    segments,
    size,
    padding: {
      gather: input(`${name}_gather`, [segments * size], "int32"),
      scatter: input(`${name}_scatter`, [patches], "int32"),
      mask: input(`${name}_mask`, [segments, 1, 1, size]),
    },
  };
}

function tower(context: TextGraphContext, weights: WeightSource, batch: VisionBatch) {
  const { vision } = context.config;
  const half = vision.hiddenSize / vision.heads / 2;
  const width = vision.inChannels * vision.temporalPatchSize * vision.patchSize ** 2;
  const inputs: VisionInputs = {
    pixels: input("pixels", [batch.patches, width]),
    cos: input("visionCos", [batch.patches, half]),
    sin: input("visionSin", [batch.patches, half]),
    windows: segmentInputs("windows", batch.windows, batch.patches),
    frames: segmentInputs("frames", batch.frames, batch.patches),
  };
  return visionTower(vision, weights, inputs).merged;
}

/** Output `merged` [features, hidden], in window order. */
export function compileVision(context: TextGraphContext, batch: VisionBatch): Promise<Program> {
  const weights = weightInputs(context.adapters);
  const merged = tower(context, weights, batch);
  return compile({ merged }, placement(context, weights));
}

/** What {@link compileVisionGradient} builds: a graph for one batch of images of one size. */
export interface VisionGradientOptions {
  readonly batch: VisionBatch;
  /** Names of the tower's weights (and dense head's) to be differentiated. */
  readonly trainable: ReadonlySet<string>;
  /** Adds the dense auxiliary loss on the features. */
  readonly dense?: DenseShape;
}

/**
 * Fed `featureGradient` [features, hidden]; outputs the gradient of each trainable weight under
 * {@link gradientName}, and `denseLoss` where the auxiliary loss is asked for.
 */
export function compileVisionGradient(
  context: TextGraphContext,
  { batch, trainable, dense }: VisionGradientOptions,
): Promise<Program> {
  const weights = weightInputs(context.adapters);
  const merged = tower(context, weights, batch);
  // d(sum(features * g)) = g . d(features): the chain rule across two graphs.
  const through = sum(multiply(merged, input("featureGradient", merged.shape)));
  const auxiliary = dense && denseLoss(weights, merged, dense);
  const total = auxiliary === undefined ? through : add(through, auxiliary);
  const wanted = [...weights.tensors].filter(([name]) => trainable.has(name));
  const found = gradients(
    total,
    wanted.map(([, tensor]) => tensor),
  );
  const outputs: Record<string, Tensor> = auxiliary === undefined ? {} : { denseLoss: auxiliary };
  wanted.forEach(([name], i) => (outputs[gradientName(name)] = found[i]!));
  return compile(outputs, placement(context, weights));
}
