/** @file Evaluated images without a model: answers are the truth moved and thinned out at random, the same truth for every seed. */
import { createRng } from "../../src/base/rng.js";
import { box } from "../../src/geometry/box.js";
import { matchInstances } from "../../src/metrics/precision-recall.js";
import type { EvaluatedImage } from "../../src/rl/evaluate.js";

/** What a stand-in for a model does. */
export interface StandIn {
  readonly seed: number;
  /** Pixels that a box is moved at most. */
  readonly jitter?: number;
  /** Share of the objects left out. */
  readonly missed?: number;
  /** Share of the boxes said twice. */
  readonly doubled?: number;
  /** @default 20 */
  readonly images?: number;
  /** @default 1 */
  readonly responses?: number;
}

/** Images of 100 x 100 with 1 to 6 people, one in five with an ignore region. */
export function evaluatedImages(standIn: StandIn): EvaluatedImage[] {
  const { seed, jitter = 4, missed = 0.25, doubled = 0, images = 20, responses = 1 } = standIn;
  const rng = createRng(seed);
  const layout = createRng(5);
  return Array.from({ length: images }, (_, i): EvaluatedImage => {
    const objects = Array.from({ length: layout.int(1, 6) }, () => {
      const [x, y] = [layout.uniform(0, 70), layout.uniform(0, 60)];
      return { box: box<"image">(x, y, x + 20, y + 35), label: "person", visibility: layout.next() };
    });
    const truth = { objects, ignore: i % 5 === 0 ? [box<"image">(0, 0, 15, 15)] : [] };
    return {
      id: `image-${i}`,
      width: 100,
      height: 100,
      profile: "absolute",
      shown: { width: 112, height: 112 },
      truth,
      responses: Array.from({ length: responses }, () => {
        const answer = objects
          .filter(() => rng.next() >= missed)
          .flatMap(({ box: at, label }) => {
            const [dx, dy] = [rng.uniform(-jitter, jitter), rng.uniform(-jitter, jitter)];
            const moved = { box: box<"image">(at.x1 + dx, at.y1 + dy, at.x2 + dx, at.y2 + dy), label };
            return rng.next() < doubled ? [moved, moved] : [moved];
          });
        const { matches, ...at50 } = matchInstances(answer, truth, 0.5);
        const { matches: _, ...at75 } = matchInstances(answer, truth, 0.75);
        const format = rng.next() > 0.1 ? 1 : 0;
        return {
          text: "",
          grade: "strict" as const,
          stopReason: "stop" as const,
          tokens: 10,
          look: [],
          answer,
          matches,
          probabilities: answer.map(() => ({ mean: rng.next(), min: rng.next() })),
          at50,
          at75,
          format,
          accuracy: 0.5,
        };
      }),
    };
  });
}
