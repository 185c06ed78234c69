/** @file What the reward server takes before it says no. Every limit is an option. */
import { availableParallelism } from "node:os";

/** Limits of a reward server. */
export interface ServerLimits {
  /** Bytes of one request's body. */
  readonly bodyBytes: number;
  /** Bytes of all bodies that are held at once; beyond them requests are answered 429. */
  readonly bufferedBytes: number;
  /** Groups that wait or are scored at once; beyond them requests are answered 429. */
  readonly queueGroups: number;
  /** Responses of a group. */
  readonly groupResponses: number;
  /** Boxes of a response (look and answer, unusable ones included); a response with more gets an error of its own. */
  readonly responseBoxes: number;
  /** Boxes of a ground truth, ignore regions included. */
  readonly truthBoxes: number;
  /** Seconds of a worker for one response; one that takes longer gets an error of its own. */
  readonly sampleSeconds: number;
  /** Seconds that a response waits for the rest of its group, where a group comes in several requests. */
  readonly gatherSeconds: number;
  /** Responses that may wait for the rest of their group. */
  readonly gatherResponses: number;
}

/** The limits unless told otherwise. */
export const defaultLimits: ServerLimits = {
  bodyBytes: 32 * 2 ** 20,
  bufferedBytes: 256 * 2 ** 20,
  queueGroups: 4096,
  groupResponses: 256,
  responseBoxes: 2000,
  truthBoxes: 2000,
  sampleSeconds: 5,
  // OpenRLHF gives up after 180 s.
  gatherSeconds: 150,
  gatherResponses: 16_384,
};

/** Worker threads unless told otherwise: one core is left for the main thread, and two at least, so that one slow group never holds all others. */
export function defaultWorkers(): number {
  return Math.max(2, availableParallelism() - 1);
}
