/** @file Numbers of single images, and the images on which a system differs most from another. */
import { addTallies, precisionRecall } from "../metrics/index.js";
import type { EvaluatedImage } from "../rl/index.js";

/** Numbers of one image, over all of its responses; at IoU 0.5 where nothing else is said. */
export interface ImageNumbers {
  readonly precision: number;
  readonly recall: number;
  readonly f1: number;
  readonly f1At75: number;
  /** Mean absolute difference of boxes said and objects there. */
  readonly countError: number;
}

/** What images can be ordered by, and which way is better. */
export const imageMetrics = {
  f1: { title: "F1", better: "up" },
  precision: { title: "precision", better: "up" },
  recall: { title: "recall", better: "up" },
  f1At75: { title: "F1 at IoU 0.75", better: "up" },
  countError: { title: "count error", better: "down" },
} as const satisfies Record<keyof ImageNumbers, { readonly title: string; readonly better: "up" | "down" }>;

/** Name of one. */
export type ImageMetric = keyof typeof imageMetrics;

/** Numbers of an image. */
export function imageNumbers({ responses }: EvaluatedImage): ImageNumbers {
  const errors = responses.map(({ at50 }) => Math.abs(at50.predictions - at50.truths));
  return {
    ...precisionRecall([addTallies(responses.map(({ at50 }) => at50))]),
    f1At75: precisionRecall(responses.map(({ at75 }) => at75)).f1,
    countError: errors.reduce((sum, error) => sum + error, 0) / errors.length,
  };
}

/** Orders of images: the baseline's gain or loss first, the largest difference either way, the worst, or as judged. */
export type ImageOrder = "gain" | "loss" | "change" | "worst" | "judged";

/** One image of a comparison. */
export interface ImageChange {
  /** Place in the order judged. */
  readonly index: number;
  /** By system. */
  readonly numbers: readonly ImageNumbers[];
  /** The target's number less the baseline's, turned so that above 0 is better. */
  readonly gain: number;
}

/** Which images come first. */
export interface ImageOrderOptions {
  readonly baseline: number;
  /** The system that is looked at. */
  readonly target: number;
  /** @default "f1" */
  readonly by?: ImageMetric;
  /** @default "change" */
  readonly order?: ImageOrder;
}

/**
 * All images with their numbers, in the order asked for; equal ones stay as they were judged.
 * @param systems Images by system, aligned.
 */
export function orderImages(
  systems: readonly (readonly EvaluatedImage[])[],
  { baseline, target, by = "f1", order = "change" }: ImageOrderOptions,
): ImageChange[] {
  const sign = imageMetrics[by].better === "up" ? 1 : -1;
  const changes = systems[0]!.map((_, index): ImageChange => {
    const numbers = systems.map((images) => imageNumbers(images[index]!));
    return { index, numbers, gain: sign * (numbers[target]![by] - numbers[baseline]![by]) };
  });
  const keys: Record<ImageOrder, (one: ImageChange) => number> = {
    gain: ({ gain }) => -gain,
    loss: ({ gain }) => gain,
    change: ({ gain }) => -Math.abs(gain),
    worst: ({ numbers }) => sign * numbers[target]![by],
    judged: ({ index }) => index,
  };
  return changes.toSorted((a, b) => keys[order](a) - keys[order](b) || a.index - b.index);
}
