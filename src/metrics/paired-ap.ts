/**
 * @file AP over weighted images, fast enough for thousands of resamples: images are matched and all boxes ranked once, a
 * resample only walks the ranking with other weights.
 */
import { matchCoco, Outcome } from "./coco-matching.js";
import type { CocoImage } from "./coco-ap.js";

/** AP of images that count `weights[i]` times each; NaN where no truth counts. */
export type WeightedAp = (weights: ArrayLike<number>) => number;

interface RankedLabel {
  /** Truths that count, by image. */
  readonly positives: Int32Array;
  /** By box, best score first (equal scores in the order of the images): its image. */
  readonly image: Int32Array;
  /** By threshold: what became of each box. */
  readonly outcomes: readonly Uint8Array[];
}

const EVERY_AREA = [{ min: 0, max: 1e10 }];
// Out of the inner loops: a re-exported binding may cost a call.
const { falsePositive, truePositive } = Outcome;

function rankLabel(
  images: readonly CocoImage[],
  label: string,
  thresholds: readonly number[],
  maxDetections: number,
): RankedLabel {
  const matches = images.map(({ truths, detections }) =>
    matchCoco(
      truths.filter((truth) => truth.label === label),
      detections.filter((detection) => detection.label === label),
      thresholds,
      EVERY_AREA,
      maxDetections,
    ),
  );
  const boxes = matches.flatMap(({ scores }, image) => scores.map((score, d) => ({ image, d, score })));
  boxes.sort((a, b) => b.score - a.score);
  return {
    positives: Int32Array.from(matches, ({ positives }) => positives[0]!),
    image: Int32Array.from(boxes, ({ image }) => image),
    outcomes: thresholds.map((_, t) =>
      Uint8Array.from(boxes, ({ image, d }) => matches[image]!.outcomes[0]![t]![d]!),
    ),
  };
}

/** Room for one walk, used again and again. */
interface Scratch {
  /** Boxes of images that count, best score first: their place in the ranking, and their image's weight. */
  readonly boxes: Int32Array;
  readonly weights: Float64Array;
  readonly hitsAt: Float64Array;
  readonly precisionAt: Float64Array;
}

/** Gathers the boxes of images that count; how many they are. */
function gather({ image }: RankedLabel, weights: ArrayLike<number>, scratch: Scratch): number {
  let count = 0;
  for (let k = 0; k < image.length; k++) {
    const weight = weights[image[k]!]!;
    if (weight === 0) continue;
    scratch.boxes[count] = k;
    scratch.weights[count++] = weight;
  }
  return count;
}

/** AP of the gathered boxes at one threshold. */
function apOfGathered(count: number, outcomes: Uint8Array, positives: number, scratch: Scratch): number {
  const { boxes, weights, hitsAt, precisionAt } = scratch;
  let [hits, misses, points] = [0, 0, 0];
  for (let k = 0; k < count; k++) {
    const outcome = outcomes[boxes[k]!]!;
    if (outcome === falsePositive) misses += weights[k]!;
    else if (outcome === truePositive) {
      // Several hits at once: precision rises through them, so the last one stands for all.
      hits += weights[k]!;
      hitsAt[points] = hits;
      precisionAt[points++] = hits / (hits + misses + Number.EPSILON);
    }
  }
  for (let i = points - 1; i > 0; i--)
    if (precisionAt[i]! > precisionAt[i - 1]!) precisionAt[i - 1] = precisionAt[i]!;
  let [sum, at] = [0, 0];
  for (let point = 0; point <= 100; point++) {
    const recall = point === 100 ? 1 : point * 0.01;
    while (at < points && hitsAt[at]! / positives < recall) at++;
    if (at === points) break;
    sum += precisionAt[at]!;
  }
  return sum / 101;
}

/**
 * Matches and ranks these images once, and gives their AP (mean over the labels there are truths of, and over the
 * thresholds) under any weights. With every weight 1 it is `cocoAp`'s. Copies of one box stand together in the ranking,
 * which matters only where an image has equal scores.
 */
export function weightedAp(
  images: readonly CocoImage[],
  options: { readonly thresholds?: readonly number[]; readonly maxDetections?: number } = {},
): WeightedAp {
  const { thresholds = [0.5], maxDetections = 500 } = options;
  const labels = new Set(images.flatMap(({ truths }) => truths.map(({ label }) => label)));
  const ranked = [...labels].map((label) => rankLabel(images, label, thresholds, maxDetections));
  const longest = Math.max(0, ...ranked.map(({ image }) => image.length));
  const scratch: Scratch = {
    boxes: new Int32Array(longest),
    weights: new Float64Array(longest),
    hitsAt: new Float64Array(longest),
    precisionAt: new Float64Array(longest),
  };
  return (weights) => {
    let [sum, known] = [0, 0];
    for (const label of ranked) {
      let positives = 0;
      for (let i = 0; i < label.positives.length; i++) positives += weights[i]! * label.positives[i]!;
      if (positives === 0) continue;
      const count = gather(label, weights, scratch);
      for (const outcomes of label.outcomes) sum += apOfGathered(count, outcomes, positives, scratch);
      known += label.outcomes.length;
    }
    return known === 0 ? Number.NaN : sum / known;
  };
}
