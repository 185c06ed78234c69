/** @file Numbers of an image over the responses to it, and which step of an evaluation is shown. */
import type { EvaluationHistory, EvaluationResponse } from "../../../src/server/studio/api.js";

/** What a set of responses found. */
export interface Found {
  readonly truePositives: number;
  /** Answer boxes that count: those in ignore regions are taken out. */
  readonly predictions: number;
  readonly truths: number;
  /** 0..1; 1 where nothing is there and nothing was said. */
  readonly f1: number;
}

/** Micro-averaged over the responses, as evaluations are. */
export function foundBy(responses: readonly Pick<EvaluationResponse, "matches">[], objects: number): Found {
  let [truePositives, predictions] = [0, 0];
  for (const { matches } of responses)
    for (const match of matches) {
      if (match >= 0) truePositives++;
      if (match !== -2) predictions++;
    }
  const truths = objects * responses.length;
  const all = predictions + truths;
  return { truePositives, predictions, truths, f1: all === 0 ? 1 : (2 * truePositives) / all };
}

/** Place of the step asked for among those there are: itself, else the nearest; the last where none is asked for. */
export function stepPlace(steps: EvaluationHistory["steps"], asked: string | undefined): number {
  const last = steps.length - 1;
  const wanted = Number(asked);
  if (asked === undefined || asked === "" || !Number.isFinite(wanted)) return last;
  let best = last;
  steps.forEach(({ step }, place) => {
    if (Math.abs(step - wanted) < Math.abs(steps[best]!.step - wanted)) best = place;
  });
  return best;
}
