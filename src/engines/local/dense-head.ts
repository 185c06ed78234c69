/**
 * @file An auxiliary head for pretraining a vision tower from nothing: each merged visual token tells whether
 * people's centres lie in its cell, and where their boxes are. It is dropped afterwards: published VLMs, too, start
 * from a vision tower that was trained on another task. Without it, text alone stays on a plateau for long.
 */
import { linearLayer, type WeightSource } from "../../qwen/layers.js";
import {
  absolute,
  add,
  exp,
  input,
  log,
  multiply,
  negate,
  scalar,
  subtract,
  sum,
  type Tensor,
} from "../../tensor/index.js";

/** Instances one cell can hold. */
export const DENSE_SLOTS = 2;
/** The head's two layers; their weights are saved with checkpoints, never with a model. */
const LAYERS = { object: "dense_head.object", boxes: "dense_head.boxes" } as const;

/** Whether a weight is the head's. */
export const isDenseName = (name: string) => name.startsWith("dense_head.");

/** The one size that the head's part of a graph depends on. */
export interface DenseShape {
  /** Rows of merged tokens. */
  readonly features: number;
}

/** What the head should say, by feature row; rows that are padding have no weight. */
export interface DenseTargets {
  /** [features, slots]: 1 where an instance is. */
  readonly object: Float32Array;
  /** [features, slots * 4]: box edges relative to the cell's centre, in cells. */
  readonly boxes: Float32Array;
  /** [features, slots]: weight of each objectness term; they sum to the loss's scale. */
  readonly objectWeight: Float32Array;
  /** [features, slots * 4]: weight of each edge's term. */
  readonly boxWeight: Float32Array;
}

/** Names and shapes of the head's weights, for features of width `hidden`. */
export function denseShapes(hidden: number): ReadonlyMap<string, readonly number[]> {
  return new Map<string, readonly number[]>([
    [`${LAYERS.object}.weight`, [DENSE_SLOTS, hidden]],
    [`${LAYERS.object}.bias`, [DENSE_SLOTS]],
    [`${LAYERS.boxes}.weight`, [DENSE_SLOTS * 4, hidden]],
    [`${LAYERS.boxes}.bias`, [DENSE_SLOTS * 4]],
  ]);
}

/** log(1 + exp(x)) = max(x, 0) + log(1 + exp(-|x|)), which no x overflows. */
function softplus(x: Tensor): Tensor {
  const size = absolute(x);
  return add(multiply(scalar(0.5), add(x, size)), log(add(scalar(1), exp(negate(size)))));
}

/** The head's weighted loss on `merged` [features, hidden]: cross-entropy of objectness, absolute error of edges. */
export function denseLoss(weights: WeightSource, merged: Tensor, { features }: DenseShape): Tensor {
  const logits = linearLayer(weights, LAYERS.object, merged, DENSE_SLOTS, { bias: true });
  const edges = linearLayer(weights, LAYERS.boxes, merged, DENSE_SLOTS * 4, { bias: true });
  const object = input("denseObject", [features, DENSE_SLOTS]);
  const crossEntropy = subtract(softplus(logits), multiply(object, logits));
  const error = absolute(subtract(edges, input("denseBoxes", [features, DENSE_SLOTS * 4])));
  return add(
    sum(multiply(crossEntropy, input("denseObjectWeight", [features, DENSE_SLOTS]))),
    sum(multiply(error, input("denseBoxWeight", [features, DENSE_SLOTS * 4]))),
  );
}
