/** @file Kept answers matched again by the code of now: numbers of runs of other versions stand on one footing. */
import { matchCandidates, matchFrom, type Tally } from "../metrics/index.js";
import type { EvaluatedImage, EvaluatedResponse } from "../rl/index.js";

const sameTally = (a: Tally | undefined, b: Tally): boolean =>
  a?.truePositives === b.truePositives && a.predictions === b.predictions && a.truths === b.truths;

/** Images matched again, and how many responses have other counts than were kept with them. */
export interface Rescored {
  readonly images: readonly EvaluatedImage[];
  readonly changed: number;
}

/** Matches the kept boxes with the kept ground truth at IoU 0.5 and 0.75. Grade and rewards stay as they were given. */
export function rescoreImages(images: readonly EvaluatedImage[]): Rescored {
  let changed = 0;
  const again = images.map((image): EvaluatedImage => ({
    ...image,
    responses: image.responses.map((response): EvaluatedResponse => {
      const candidates = matchCandidates(response.answer, image.truth, 0.5);
      const { matches, ...at50 } = matchFrom(candidates, 0.5);
      const { matches: _, ...at75 } = matchFrom(candidates, 0.75);
      if (!sameTally(response.at50, at50) || !sameTally(response.at75, at75)) changed++;
      return { ...response, matches, at50, at75 };
    }),
  }));
  return { images: again, changed };
}
