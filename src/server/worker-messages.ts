/** @file What the pool and its worker threads say to each other. */
import type { RewardConfig } from "../rewards/index.js";
import type { GroupJob, ResponseError, ScoredResponse } from "./group-job.js";

/** What a worker is started with. */
export interface WorkerSetup {
  readonly rewards: RewardConfig;
  readonly responseBoxes: number;
  /** Shared: [response at hand, milliseconds since the epoch when it was begun (0: idle)]. */
  readonly progress: Float64Array;
}

/** One group. */
export interface WorkerOrder {
  readonly job: GroupJob;
  /** Announce each response, so that a slow one is known by its index. */
  readonly careful: boolean;
  readonly excluded: readonly (readonly [number, ResponseError])[];
}

/** The group's scores, or why there are none. */
export type WorkerAnswer =
  | { readonly responses: readonly ScoredResponse[]; readonly seconds: number }
  | { readonly failure: string; readonly seconds: number };
