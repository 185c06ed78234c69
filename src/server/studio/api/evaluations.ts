/** @file Evaluations: what was judged, picture by picture, through training. */
import type { Decoding, RunId } from "./common.js";
import type { Canvas, CanvasTruth, HeatGrid } from "./drawing.js";
import type { ReadResponse } from "./response.js";

/** GET /api/runs/:id/evaluations: what was judged, by set and decoding. */
export interface EvaluationIndex {
  readonly sets: readonly {
    readonly set: string;
    readonly domain: "in" | "out";
    readonly decoding: Decoding;
    /** Evaluated steps whose responses are kept, rising. */
    readonly steps: readonly number[];
    readonly images: number;
  }[];
}

/** Query of /evaluations/images. */
export interface EvaluationImagesQuery {
  readonly set: string;
  readonly decoding: Decoding;
  /** Part of the image's id. */
  readonly image?: string;
  readonly minObjects?: number;
  readonly maxObjects?: number;
  /** `change` = F1 of the last step less that of the first. @default "order", as judged */
  readonly sort?: "order" | "objects" | "-objects" | "f1" | "-f1" | "change" | "-change";
  /** @default 0 */
  readonly offset?: number;
  /** 1..500. @default 100 */
  readonly limit?: number;
}

/** GET /api/runs/:id/evaluations/images */
export interface EvaluationImages {
  readonly set: string;
  readonly decoding: Decoding;
  /** Evaluated steps, rising. */
  readonly steps: readonly number[];
  readonly total: number;
  readonly matching: number;
  readonly offset: number;
  readonly images: readonly {
    readonly id: string;
    readonly objects: number;
    /** Micro F1 over the image's responses at each of `steps`; null where it was not judged. */
    readonly f1: readonly (number | null)[];
  }[];
}

/** One response of an evaluation, on the canvas. */
export interface EvaluationResponse extends ReadResponse {
  /** Object that each answer box hit at IoU 0.5, -1 = none, -2 = in an ignore region. */
  readonly matches: readonly number[];
  readonly precision: number;
  readonly recall: number;
  readonly f1: number;
  readonly format: number;
  readonly accuracy: number;
  /** Absent for a single response. */
  readonly look?: number;
}

/** GET /api/runs/:id/evaluations/image: one picture through training. */
export interface EvaluationHistory {
  readonly run: RunId;
  readonly set: string;
  readonly decoding: Decoding;
  readonly image: string;
  /** Pixels of the original picture. */
  readonly canvas: Canvas;
  /** Path of the picture. */
  readonly picture: string;
  readonly truth: CanvasTruth;
  /** Rising. */
  readonly steps: readonly {
    readonly step: number;
    readonly responses: readonly EvaluationResponse[];
    /** Where the responses disagree; absent for a single one. */
    readonly heat?: HeatGrid;
  }[];
  /** Neighbours in the order judged, by id. */
  readonly previous: string | null;
  readonly next: string | null;
}
