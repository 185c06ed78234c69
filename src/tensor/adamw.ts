/** @file AdamW with decoupled weight decay (Loshchilov and Hutter, 1711.05101; update order as torch.optim.AdamW) and global-norm clipping. */
import { ShapeError, UnavailableError } from "../base/errors.js";

/** First and second moments of one tensor. */
export interface Moments {
  readonly m: Float32Array;
  readonly v: Float32Array;
}

/** State of the optimiser: handed out, so that a checkpoint is a copy of it. */
export interface AdamWState {
  readonly step: number;
  readonly moments: ReadonlyMap<string, Moments>;
}

/** One step's hyper-parameters; the defaults are torch.optim.AdamW's, but for the weight decay (0.01 there). */
export interface AdamWOptions {
  readonly learningRate: number;
  /** @default 0.9 */
  readonly beta1?: number;
  /** @default 0.999 */
  readonly beta2?: number;
  /** @default 1e-8 */
  readonly eps?: number;
  /** @default 0 */
  readonly weightDecay?: number;
  /** Global gradient norm is scaled down to this, as torch.nn.utils.clip_grad_norm_ does; 0 = no clipping. @default 0 */
  readonly maxGradNorm?: number;
  /** What the learning rate is multiplied by for a tensor. @default 1 for all */
  readonly rateFactor?: (name: string) => number;
}

/** The state before the first step. */
export function initialAdamW(parameters: ReadonlyMap<string, Float32Array>): AdamWState {
  const moments = new Map<string, Moments>();
  for (const [name, value] of parameters) {
    moments.set(name, { m: new Float32Array(value.length), v: new Float32Array(value.length) });
  }
  return { step: 0, moments };
}

/** The norm of all gradients taken as one vector. */
export function globalNorm(gradients: ReadonlyMap<string, Float32Array>): number {
  let total = 0;
  for (const gradient of gradients.values()) {
    let sum = 0;
    for (let i = 0; i < gradient.length; i++) sum += gradient[i]! * gradient[i]!;
    total += sum;
  }
  return Math.sqrt(total);
}

/**
 * One step. Parameters and moments are updated in place (they are the bulk of the memory); the returned state
 * shares the moments and counts one step more.
 *
 * @returns the new state and the global gradient norm before clipping.
 * @throws UnavailableError where the norm is not finite, ShapeError where a gradient or moments are missing; both
 *   before anything is touched.
 */
export function adamWStep(
  parameters: ReadonlyMap<string, Float32Array>,
  gradients: ReadonlyMap<string, Float32Array>,
  state: AdamWState,
  options: AdamWOptions,
): { readonly state: AdamWState; readonly gradNorm: number } {
  const { learningRate, beta1 = 0.9, beta2 = 0.999, eps = 1e-8, weightDecay = 0, maxGradNorm = 0 } = options;
  const { rateFactor = () => 1 } = options;
  const gradNorm = globalNorm(gradients);
  if (!Number.isFinite(gradNorm)) {
    throw new UnavailableError(
      `the gradient norm is ${gradNorm} after ${state.step} steps; weights are untouched`,
      {
        hint: "Lower the learning rate, or set maxGradNorm, and resume from the last checkpoint.",
      },
    );
  }
  for (const [name, { length }] of parameters) {
    const parts = [gradients.get(name), state.moments.get(name)?.m, state.moments.get(name)?.v];
    if (parts.some((part) => part?.length !== length)) {
      throw new ShapeError(`adamWStep: "${name}" lacks a gradient or moments of its ${length} elements`);
    }
  }
  const clip = maxGradNorm > 0 ? Math.min(1, maxGradNorm / (gradNorm + 1e-6)) : 1;
  const step = state.step + 1;
  const momentumCorrection = 1 - beta1 ** step;
  const rootCorrection = Math.sqrt(1 - beta2 ** step);
  for (const [name, p] of parameters) {
    const rate = learningRate * rateFactor(name);
    const stepSize = rate / momentumCorrection;
    const decay = 1 - rate * weightDecay;
    const g = gradients.get(name)!;
    const { m, v } = state.moments.get(name)!;
    for (let i = 0; i < p.length; i++) {
      const gi = g[i]! * clip;
      const mi = beta1 * m[i]! + (1 - beta1) * gi;
      const vi = beta2 * v[i]! + (1 - beta2) * gi * gi;
      m[i] = mi;
      v[i] = vi;
      p[i] = p[i]! * decay - (stepSize * mi) / (Math.sqrt(vi) / rootCorrection + eps);
    }
  }
  return { state: { step, moments: state.moments }, gradNorm };
}
