/** @file COCO's average precision and recall (equal to pycocotools' twelve numbers), for images in memory. */
import type { Frame } from "../geometry/box.js";
import {
  matchCoco,
  Outcome,
  type AreaRange,
  type CocoMatches,
  type CocoTruth,
  type ScoredBox,
} from "./coco-matching.js";

/** One image: what is there and what was found. */
export interface CocoImage<F extends Frame = Frame> {
  readonly truths: readonly CocoTruth<F>[];
  readonly detections: readonly ScoredBox<F>[];
}

/** Options of {@link cocoAp}. */
export interface CocoOptions {
  /** Best detections kept an image and label. COCO's own 100 cuts crowds short. @default 500 */
  readonly maxDetections?: number;
}

/**
 * COCO's summary. Means over labels, IoU .50:.05:.95 where no threshold is named; null where nothing could be measured
 * (pycocotools prints -1).
 */
export interface CocoSummary {
  readonly ap: number | null;
  readonly ap50: number | null;
  readonly ap75: number | null;
  /** Area below 32^2, between, above 96^2 square pixels. */
  readonly apSmall: number | null;
  readonly apMedium: number | null;
  readonly apLarge: number | null;
  /** Average recall with 1, 10 and `maxDetections` detections an image. */
  readonly ar1: number | null;
  readonly ar10: number | null;
  readonly arMax: number | null;
  readonly arSmall: number | null;
  readonly arMedium: number | null;
  readonly arLarge: number | null;
  readonly maxDetections: number;
}

const thresholds = Array.from({ length: 10 }, (_, i) => (i === 9 ? 0.95 : 0.5 + i * ((0.95 - 0.5) / 9)));
const recallPoints = Array.from({ length: 101 }, (_, i) => (i === 100 ? 1 : i * 0.01));
const [all, small, medium, large] = [0, 1, 2, 3];
const areas: readonly AreaRange[] = [
  { min: 0, max: 1e10 },
  { min: 0, max: 32 ** 2 },
  { min: 32 ** 2, max: 96 ** 2 },
  { min: 96 ** 2, max: 1e10 },
];

/** numpy.spacing(1), which keeps 0/0 from happening. */
const SPACING = Number.EPSILON;

/** The best `limit` detections of each image laid end to end, and their order by score; equal scores keep the order of the images. */
function rank(images: readonly CocoMatches[], limit: number): Int32Array {
  const scores = images.flatMap((image) => image.scores.slice(0, limit));
  return Int32Array.from(scores.keys()).sort((a, b) => scores[b]! - scores[a]! || a - b);
}

/** Mean precision over the 101 recall points, and the final recall; null where no truth counts. */
function curve(
  images: readonly CocoMatches[],
  order: Int32Array,
  limit: number,
  area: number,
  threshold: number,
): { precision: number; recall: number } | null {
  const positives = images.reduce((sum, matches) => sum + matches.positives[area]!, 0);
  if (positives === 0) return null;
  const outcomes = new Uint8Array(order.length);
  let filled = 0;
  for (const matches of images) {
    const own = matches.outcomes[area]![threshold]!.subarray(0, limit);
    outcomes.set(own, filled);
    filled += own.length;
  }
  // Recall rises only at a hit and precision only falls between hits: the points at hits are the whole curve.
  const precisions: number[] = [];
  let misses = 0;
  for (const index of order) {
    const outcome = outcomes[index]!;
    if (outcome === Outcome.falsePositive) misses++;
    else if (outcome === Outcome.truePositive) {
      const hits = precisions.length + 1;
      precisions.push(hits / (hits + misses + SPACING));
    }
  }
  const hits = precisions.length;
  for (let i = hits - 1; i > 0; i--) precisions[i - 1] = Math.max(precisions[i - 1]!, precisions[i]!);
  let sum = 0;
  let at = 0;
  for (const point of recallPoints) {
    while (at < hits && (at + 1) / positives < point) at++;
    if (at === hits) break;
    sum += precisions[at]!;
  }
  return { precision: sum / recallPoints.length, recall: hits / positives };
}

/**
 * COCO's twelve numbers.
 *
 * @example
 * cocoAp([{ truths: [{ box: box(0, 0, 9, 9), label: "person" }], detections: [{ box: box(0, 0, 9, 9), label: "person", score: 1 }] }]).ap // 1
 */
export function cocoAp(images: readonly CocoImage[], options: CocoOptions = {}): CocoSummary {
  const { maxDetections = 500 } = options;
  const labels = new Set<string>();
  for (const image of images) for (const truth of image.truths) labels.add(truth.label);
  const perLabel = [...labels].map((label) => {
    const matches = images.map((image) =>
      matchCoco(
        image.truths.filter((truth) => truth.label === label),
        image.detections.filter((detection) => detection.label === label),
        thresholds,
        areas,
        maxDetections,
      ),
    );
    return (limit: number): ReturnType<typeof curve>[][] => {
      const order = rank(matches, limit);
      return areas.map((_, area) => thresholds.map((_, t) => curve(matches, order, limit, area, t)));
    };
  });
  const atLimit = (limit: number) => perLabel.map((curves) => curves(limit));
  const [atOne, atTen, atMost] = [atLimit(1), atLimit(10), atLimit(maxDetections)];
  const average = (
    what: "precision" | "recall",
    { area = all, curves = atMost, only }: { area?: number; curves?: typeof atMost; only?: number } = {},
  ): number | null => {
    const measured = curves
      .flatMap((label) => label[area!]!.filter((_, t) => only === undefined || t === only))
      .filter((point) => point !== null);
    return measured.length === 0
      ? null
      : measured.reduce((sum, point) => sum + point[what], 0) / measured.length;
  };
  return {
    ap: average("precision"),
    ap50: average("precision", { only: 0 }),
    ap75: average("precision", { only: 5 }),
    apSmall: average("precision", { area: small }),
    apMedium: average("precision", { area: medium }),
    apLarge: average("precision", { area: large }),
    ar1: average("recall", { curves: atOne }),
    ar10: average("recall", { curves: atTen }),
    arMax: average("recall"),
    arSmall: average("recall", { area: small }),
    arMedium: average("recall", { area: medium }),
    arLarge: average("recall", { area: large }),
    maxDetections,
  };
}
