import { describe, expect, it } from "vitest";
import { createRng, InputError } from "../base/index.js";
import { box } from "../geometry/box.js";
import { cocoAp, matchInstances } from "../metrics/index.js";
import { cocoImages, summarizeEvaluation, type EvaluatedImage } from "../rl/index.js";
import { averagePrecision50, matchImages } from "./average-precision.js";
import { compareSet } from "./compare.js";

/** Images whose answers are the truth moved by up to `jitter` pixels, one in four left out. */
function evaluated(seed: number, jitter: number, responses = 2): EvaluatedImage[] {
  const rng = createRng(seed);
  const layout = createRng(5);
  return Array.from({ length: 20 }, (_, i): EvaluatedImage => {
    const objects = Array.from({ length: layout.int(1, 6) }, () => {
      const [x, y] = [layout.uniform(0, 70), layout.uniform(0, 60)];
      return { box: box<"image">(x, y, x + 20, y + 35), label: "person" };
    });
    const truth = { objects, ignore: i % 5 === 0 ? [box<"image">(0, 0, 15, 15)] : [] };
    return {
      id: `image-${i}`,
      width: 100,
      height: 100,
      truth,
      responses: Array.from({ length: responses }, () => {
        const answer = objects
          .filter(() => rng.next() > 0.25)
          .map(({ box: at, label }) => {
            const [dx, dy] = [rng.uniform(-jitter, jitter), rng.uniform(-jitter, jitter)];
            return { box: box<"image">(at.x1 + dx, at.y1 + dy, at.x2 + dx, at.y2 + dy), label };
          });
        const { matches, ...at50 } = matchInstances(answer, truth, 0.5);
        return {
          text: "",
          grade: "strict" as const,
          stopReason: "stop" as const,
          tokens: 1,
          look: [],
          answer,
          matches,
          at50,
          at75: at50,
          format: rng.next() > 0.1 ? 1 : 0,
          accuracy: 0,
        };
      }),
    };
  });
}

describe("averagePrecision50", () => {
  it("equals cocoAp", () => {
    for (const seed of [1, 2, 3])
      for (const source of ["order", "one"] as const) {
        const images = cocoImages(evaluated(seed, 12), 0, source);
        expect(averagePrecision50(matchImages(images))).toBeCloseTo(cocoAp(images).ap50!, 12);
      }
  });
});

describe("compareSet", () => {
  const compared = {
    set: "plaza",
    domain: "in",
    decoding: "sampled",
    policies: [evaluated(1, 14), evaluated(2, 4)],
  } as const;

  it("agrees with the evaluation's own summary and encloses it", () => {
    const row = compareSet(compared, { seed: 1, resamples: 100 });
    for (const [i, images] of compared.policies.entries()) {
      const summary = summarizeEvaluation(images);
      const policy = row.policies[i]!;
      expect(policy.f1!.value).toBeCloseTo(summary.f1, 12);
      expect(policy.precision!.value).toBeCloseTo(summary.precision, 12);
      expect(policy.ap50!.value).toBeCloseTo(summary.ap50!, 12);
      expect(policy.countError!.value).toBeCloseTo(summary.counting.mae, 12);
      expect(policy.formatRate!.value).toBeCloseTo(summary.rewards.format, 12);
      for (const { value, low, high } of Object.values(policy)) {
        expect(low).toBeLessThanOrEqual(value);
        expect(high).toBeGreaterThanOrEqual(value);
      }
    }
    expect(row.change!.f1!.value).toBeCloseTo(row.policies[1]!.f1!.value - row.policies[0]!.f1!.value, 12);
    expect(row.change!.f1!.low).toBeGreaterThan(0);
  });

  it("is the same for the same seed and refuses other images", () => {
    expect(compareSet(compared, { seed: 3, resamples: 20 })).toEqual(
      compareSet(compared, { seed: 3, resamples: 20 }),
    );
    const policies = [compared.policies[0], compared.policies[1].slice(1)];
    expect(() => compareSet({ ...compared, policies }, { seed: 1 })).toThrow(InputError);
    expect(() => compareSet({ ...compared, policies: [[]] }, { seed: 1 })).toThrow(InputError);
  });
});
