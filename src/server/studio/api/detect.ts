/** @file Detect: models, the request, and the lines of its answer. */
import type { CoordinateProfile } from "../../../geometry/profiles.js";
import type { ApiFailure, RunId } from "./common.js";
import type { Canvas, Corners, HeatGrid } from "./drawing.js";
import type { ReadResponse } from "./response.js";

/** A model that Detect can ask. */
export interface StudioModel {
  /** For {@link DetectRequest.model}. */
  readonly id: string;
  readonly title: string;
  /** `run` = a run's result, `shipped` = comes with this package, `option` = given by --model, `server` = served (--engine openai). */
  readonly from: "run" | "shipped" | "option" | "server";
  readonly run?: RunId;
  readonly engine: "local" | "openai";
  readonly prompt: string;
  readonly labels: readonly string[];
  readonly profile: CoordinateProfile;
  /** Bytes of weights, where they are here. */
  readonly bytes?: number;
  /** Whether tokens come as they are sampled; else responses come when they are finished. */
  readonly streams: boolean;
}

/** GET /api/models; the first is the best guess. */
export interface ModelList {
  readonly models: readonly StudioModel[];
  /** Detections running or waiting. */
  readonly busy: number;
}

/** Body of POST /api/detect (content-type application/json). */
export interface DetectRequest {
  readonly model: string;
  /** A picture's file (PNG, JPEG, WebP, AVIF, TIFF or GIF) as base64, or a sample of a run. */
  readonly image:
    { readonly base64: string } | { readonly run: RunId; readonly set: string; readonly sample: string };
  /** Responses: 1 at temperature 0 is greedy. 1..32. @default 1 */
  readonly samples?: number;
  /** 0..2. @default 0 for one response, 1 for several */
  readonly temperature?: number;
  /** 1..4096. @default 256 */
  readonly maxTokens?: number;
  /** @default 0 */
  readonly seed?: number;
  /** @default the model's own */
  readonly labels?: readonly string[];
}

/** What was detected in one response; boxes in pixels of the original picture. */
export interface DetectResponse extends ReadResponse {
  readonly index: number;
}

/** A line of the answer to POST /api/detect, in this order: opened, (text | response)*, consensus?, done | failed. */
export type DetectEvent =
  /** The work was taken; `waiting` others are before it. */
  | { readonly event: "queued"; readonly waiting: number }
  /** The model is open and the picture read. `canvas` is in pixels of the original. */
  | { readonly event: "opened"; readonly model: string; readonly canvas: Canvas }
  /** Text that a response grew by; the boxes complete by now, for showing them as they come. */
  | {
      readonly event: "text";
      readonly index: number;
      readonly delta: string;
      readonly regions: readonly Corners[];
      readonly answer: readonly Corners[];
    }
  | { readonly event: "response"; readonly response: DetectResponse }
  /** Several responses fused: `share` = how many of them hold the instance, 0..1. */
  | {
      readonly event: "consensus";
      readonly instances: readonly {
        readonly box: Corners;
        readonly label?: string;
        readonly share: number;
      }[];
      /** Where they disagree. */
      readonly heat: HeatGrid;
      /** Instances a response, each response. */
      readonly counts: readonly number[];
    }
  | { readonly event: "done"; readonly seconds: number; readonly tokens: number }
  | { readonly event: "failed"; readonly error: ApiFailure["error"] };
