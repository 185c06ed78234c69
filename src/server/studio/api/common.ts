/** @file What all answers share: ids, failures, decoding. */

/** A run's folder relative to the folder of runs, with `/` between: `start1`, `sweep/a`. */
export type RunId = string;

/** Why a request was refused; `hint` says what to do. */
export interface ApiFailure {
  readonly error: { readonly code: string; readonly message: string; readonly hint?: string };
}

/** How responses were drawn. */
export type Decoding = "greedy" | "sampled";
