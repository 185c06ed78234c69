/** @file What the rewards take and give (design, 4.2 to 4.5). */
import type { Box, Frame, FrameSize } from "../geometry/box.js";
import type { Grade } from "../response/types.js";

/** Ground truth of one image, in the frame that the responses are written in. */
export interface RewardTruth<F extends Frame = Frame> {
  readonly size: FrameSize<F>;
  readonly objects: readonly {
    readonly box: Box<F>;
    readonly label: string;
    /** Share of the object that can be seen, 0..1, where the dataset tells; no reward asks for it, evaluations slice by it. */
    readonly visibility?: number;
  }[];
  readonly ignore: readonly Box<F>[];
}

/** Shape of the accuracy reward (4.3). */
export type AccuracyShape =
  | { readonly kind: "linear"; readonly precisionWeight: number; readonly recallWeight: number }
  | { readonly kind: "fbeta"; readonly beta: number };

/** Which disagreement the look reward pays for (4.4). */
export type LookKind = "count-variance" | "occupancy-variance" | "instance-variance" | "hit-variance";

/**
 * Whose disagreement pays: the whole `group`'s (4.4), or that of the `others`, which a response cannot make itself by
 * answering oddly. With two responses there is but one other, who cannot disagree: `others` is then as `group`.
 */
export type LookOver = "group" | "others";

/** Every choice of section 4 that a recipe can make about rewards. */
export interface RewardConfig {
  readonly weights: { readonly format: number; readonly look: number; readonly accuracy: number };
  readonly accuracy: {
    readonly shape: AccuracyShape;
    /** A pair counts from this IoU on. @default 0.5 */
    readonly iouThreshold: number;
    /** Each matched pair counts its IoU instead of 1. @default false */
    readonly soft: boolean;
  };
  readonly look: {
    readonly kind: LookKind;
    /** Cells along the longer side. @default 64 */
    readonly cells: number;
    /** Whose answers a response's look is judged by. @default "group" */
    readonly over?: LookOver;
  };
}

/** What one response earned, and why. All rewards are in [0, 1]. */
export interface ResponseScore {
  readonly grade: Grade;
  readonly format: number;
  readonly look: number;
  readonly accuracy: number;
  /** Weighted sum of the three. */
  readonly total: number;
  readonly truePositives: number;
  /** Predictions that count (those inside ignore regions taken out). */
  readonly predictions: number;
  /** Answer boxes that could not be used. */
  readonly dropped: number;
  readonly precision: number;
  readonly recall: number;
  /** Index of the ground truth each answer box matched, -1 = unmatched, -2 = ignored. */
  readonly matches: readonly number[];
}

/** What a group earned. */
export interface GroupScore {
  readonly responses: readonly ResponseScore[];
  /** Normalised disagreement over the grid, for pictures; absent for the cluster kinds. */
  readonly disagreement?: {
    readonly columns: number;
    readonly rows: number;
    /** Side of a cell in the frame of the answers. */
    readonly cell: number;
    /** rows x columns, 0..1. */
    readonly values: Float32Array;
  };
}
