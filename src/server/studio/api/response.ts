/** @file A response as all views show it; each adds what it knows beyond that. */
import type { Grade } from "../../../response/types.js";
import type { Corners, TextStretch } from "./drawing.js";

/** What a model said. */
export interface SaidResponse {
  readonly text: string;
  readonly stretches: readonly TextStretch[];
  readonly grade: Grade;
  readonly stopReason: string;
  readonly tokens: number;
}

/** The same with its boxes, on the canvas beside it. */
export interface ReadResponse extends SaidResponse {
  readonly regions: readonly Corners[];
  readonly answer: readonly {
    readonly box: Corners;
    readonly label?: string;
    /** Mean probability of the tokens of its numbers, where the sampler told. */
    readonly probability?: number;
  }[];
}
