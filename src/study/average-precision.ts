/**
 * @file AP50 fast enough to be bootstrapped: matching is done once an image, and a resample only ranks again.
 * Equal to metrics' cocoAp (a test holds it).
 */
import { matchCoco, Outcome, type CocoImage, type CocoMatches } from "../metrics/index.js";

/** One image's matches at IoU 0.5, by label. */
export type MatchedImage = ReadonlyMap<string, CocoMatches>;

const EVERY_AREA = { min: 0, max: 1e10 };
/** As pycocotools: keeps precision finite before the first detection. */
const SPACING = Number.EPSILON;

/** Matches the images once. Labels are those of the ground truth of all of them. */
export function matchImages(images: readonly CocoImage[], maxDetections = 500): MatchedImage[] {
  const labels = new Set(images.flatMap(({ truths }) => truths.map(({ label }) => label)));
  return images.map(
    ({ truths, detections }) =>
      new Map(
        [...labels].map((label) => [
          label,
          matchCoco(
            truths.filter((truth) => truth.label === label),
            detections.filter((detection) => detection.label === label),
            [0.5],
            [EVERY_AREA],
            maxDetections,
          ),
        ]),
      ),
  );
}

function ofLabel(images: readonly CocoMatches[]): number | undefined {
  let positives = 0;
  const ranked: { score: number; outcome: number }[] = [];
  for (const { scores, outcomes, positives: counted } of images) {
    positives += counted[0]!;
    for (const [d, score] of scores.entries()) ranked.push({ score, outcome: outcomes[0]![0]![d]! });
  }
  if (positives === 0) return undefined;
  ranked.sort((a, b) => b.score - a.score);
  const recalls: number[] = [];
  const precisions: number[] = [];
  let [hits, misses] = [0, 0];
  for (const { outcome } of ranked) {
    if (outcome === Outcome.truePositive) hits++;
    else if (outcome === Outcome.falsePositive) misses++;
    recalls.push(hits / positives);
    precisions.push(hits / (hits + misses + SPACING));
  }
  for (let i = precisions.length - 1; i > 0; i--)
    precisions[i - 1] = Math.max(precisions[i - 1]!, precisions[i]!);
  let [sum, at] = [0, 0];
  for (let point = 0; point <= 100; point++) {
    while (at < recalls.length && recalls[at]! < (point === 100 ? 1 : point * 0.01)) at++;
    if (at === recalls.length) break;
    sum += precisions[at]!;
  }
  return sum / 101;
}

/** AP at IoU 0.5, mean over labels; NaN where no truth counts. */
export function averagePrecision50(images: readonly MatchedImage[]): number {
  const labels = [...(images[0]?.keys() ?? [])];
  const known = labels
    .map((label) => ofLabel(images.map((image) => image.get(label)!)))
    .filter((value) => value !== undefined);
  return known.length === 0 ? Number.NaN : known.reduce((sum, value) => sum + value, 0) / known.length;
}
