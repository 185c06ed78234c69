/**
 * @file How far AP hangs on the order of equal scores. With score sources such as `one` (all are equal) or `consensus`
 * (shares of a few responses) most boxes tie, and an evaluator then ranks by the order of its input, which means nothing.
 * The bounds rank every group of equal scores with all hits first, and with all hits last.
 */
import type { CocoImage } from "./coco-ap.js";
import { matchCoco, Outcome, type CocoMatches } from "./coco-matching.js";
import { curveThresholds } from "./f1-curve.js";

/** The least and the greatest AP over orders of equal scores, each box matched as the evaluator matches it. */
export interface Bounds {
  readonly worst: number;
  readonly best: number;
}

/** Bounds of COCO's AP; null where no truth counts. */
export interface TieBounds {
  readonly ap: Bounds | null;
  readonly ap50: Bounds | null;
  /** Share of boxes whose score another one has too, 0..1; 0 without boxes. */
  readonly tiedShare: number;
}

const EVERY_AREA = [{ min: 0, max: 1e10 }];

/** AP of hits and misses that come in groups of equal score, best first; within a group hits come first or last. */
function averagePrecision(
  groups: readonly { readonly hits: number; readonly misses: number }[],
  positives: number,
  hitsFirst: boolean,
): number {
  const precisions: number[] = [];
  let [hits, misses] = [0, 0];
  for (const group of groups) {
    if (!hitsFirst) misses += group.misses;
    for (let k = 0; k < group.hits; k++) {
      hits++;
      precisions.push(hits / (hits + misses + Number.EPSILON));
    }
    if (hitsFirst) misses += group.misses;
  }
  for (let i = hits - 1; i > 0; i--) precisions[i - 1] = Math.max(precisions[i - 1]!, precisions[i]!);
  let [sum, at] = [0, 0];
  for (let point = 0; point <= 100; point++) {
    while (at < hits && (at + 1) / positives < (point === 100 ? 1 : point * 0.01)) at++;
    if (at === hits) break;
    sum += precisions[at]!;
  }
  return sum / 101;
}

interface Ranked {
  readonly score: number;
  /** By threshold. */
  readonly outcomes: readonly number[];
}

function rankedOf(images: readonly CocoMatches[]): Ranked[] {
  return images
    .flatMap(({ scores, outcomes }) =>
      scores.map((score, d) => ({ score, outcomes: outcomes[0]!.map((one) => one[d]!) })),
    )
    .sort((a, b) => b.score - a.score);
}

/** Runs of equal score as [from, to). */
function runsOf(ranked: readonly Ranked[]): [from: number, to: number][] {
  const runs: [number, number][] = [];
  for (let from = 0, to: number; from < ranked.length; from = to) {
    to = from + 1;
    while (to < ranked.length && ranked[to]!.score === ranked[from]!.score) to++;
    runs.push([from, to]);
  }
  return runs;
}

/**
 * Bounds of AP (mean over labels and IoU .50:.05:.95) and of AP50 over the orders of equal scores.
 * @param options.maxDetections Best boxes kept an image and label, as in `cocoAp`. @default 500
 */
export function apTieBounds(
  images: readonly CocoImage[],
  options: { readonly maxDetections?: number } = {},
): TieBounds {
  const { maxDetections = 500 } = options;
  const labels = new Set(images.flatMap(({ truths }) => truths.map(({ label }) => label)));
  let [tied, boxes] = [0, 0];
  const perLabel = [...labels].flatMap((label) => {
    const matches = images.map(({ truths, detections }) =>
      matchCoco(
        truths.filter((truth) => truth.label === label),
        detections.filter((detection) => detection.label === label),
        curveThresholds,
        EVERY_AREA,
        maxDetections,
      ),
    );
    const ranked = rankedOf(matches);
    const runs = runsOf(ranked);
    boxes += ranked.length;
    for (const [from, to] of runs) if (to - from > 1) tied += to - from;
    const positives = matches.reduce((sum, one) => sum + one.positives[0]!, 0);
    if (positives === 0) return [];
    return [
      curveThresholds.map((_, t): Bounds => {
        const count = ([from, to]: [number, number], outcome: number) => {
          let sum = 0;
          for (let i = from; i < to; i++) if (ranked[i]!.outcomes[t] === outcome) sum++;
          return sum;
        };
        const groups = runs.map((run) => ({
          hits: count(run, Outcome.truePositive),
          misses: count(run, Outcome.falsePositive),
        }));
        return {
          worst: averagePrecision(groups, positives, false),
          best: averagePrecision(groups, positives, true),
        };
      }),
    ];
  });
  const mean = (bounds: readonly Bounds[]): Bounds | null =>
    bounds.length === 0
      ? null
      : {
          worst: bounds.reduce((sum, { worst }) => sum + worst, 0) / bounds.length,
          best: bounds.reduce((sum, { best }) => sum + best, 0) / bounds.length,
        };
  return {
    ap: mean(perLabel.flat()),
    ap50: mean(perLabel.map((bounds) => bounds[0]!)),
    tiedShare: boxes === 0 ? 0 : tied / boxes,
  };
}
