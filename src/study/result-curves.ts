/** @file What the plots of a comparison are drawn from: precision over recall, and boxes said over objects there. */
import {
  evaluateCoco,
  precisionRecall,
  tableOfImages,
  type CocoImage,
  type ScoreSource,
} from "../metrics/index.js";
import { cocoImages, type EvaluatedImage } from "../rl/index.js";

/** Precision over recall as COCO draws it, and the answers as they were given. */
export interface PrecisionRecallCurve {
  /** 0, 0.01, ..., 1. */
  readonly recall: readonly number[];
  /**
   * The best precision from each recall on, 0 where that recall is not reached; mean over labels and over the n-th responses.
   * Its mean is COCO's AP at this IoU.
   */
  readonly precision: readonly number[];
  /** All boxes of the answers, whatever their scores: micro precision and recall, boxes matched one to one. */
  readonly point: { readonly recall: number; readonly precision: number };
}

const POINTS = 101;

/** The envelope at the 101 recalls, as pycocotools reads it off; undefined without truths. */
function envelope(
  images: readonly CocoImage[],
  iou: number,
  maxDetections: number,
): Float64Array | undefined {
  const curve = evaluateCoco(tableOfImages(images), { thresholds: [iou], maxDetections }).curve(0);
  if (curve === null) return undefined;
  const best = Float64Array.from(curve.precision);
  for (let k = best.length - 1; k > 0; k--) best[k - 1] = Math.max(best[k - 1]!, best[k]!);
  const points = new Float64Array(POINTS);
  let at = 0;
  for (let p = 0; p < POINTS; p++) {
    const recall = p === POINTS - 1 ? 1 : p * 0.01;
    while (at < best.length && curve.recall[at]! < recall) at++;
    if (at === best.length) break;
    points[p] = best[at]!;
  }
  return points;
}

/**
 * Precision over recall of one system.
 * @param iou 0.5 or 0.75, which the records hold counts of.
 * @returns null without ground truth.
 * @throws RangeError where the source needs probabilities and the records have none.
 */
export function precisionRecallCurve(
  images: readonly EvaluatedImage[],
  iou: 0.5 | 0.75,
  scoreSource: ScoreSource,
  maxDetections = 500,
): PrecisionRecallCurve | null {
  const rounds =
    scoreSource === "consensus" ? 1 : Math.min(...images.map(({ responses }) => responses.length));
  const labels = [...new Set(images.flatMap(({ truth }) => truth.objects.map(({ label }) => label)))];
  const sum = new Float64Array(POINTS);
  let count = 0;
  for (let n = 0; n < rounds; n++) {
    const round = cocoImages(images, n, scoreSource);
    for (const label of labels) {
      const curve = envelope(
        round.map(({ truths, detections }) => ({
          truths: truths.filter((one) => one.label === label),
          detections: detections.filter((one) => one.label === label),
        })),
        iou,
        maxDetections,
      );
      if (curve === undefined) continue;
      curve.forEach((value, p) => (sum[p] = sum[p]! + value));
      count++;
    }
  }
  if (count === 0) return null;
  const tallies = images.flatMap(({ responses }) =>
    responses.map(({ at50, at75 }) => (iou === 0.5 ? at50 : at75)),
  );
  const { recall, precision } = precisionRecall(tallies);
  return {
    recall: Array.from({ length: POINTS }, (_, p) => p / (POINTS - 1)),
    precision: Array.from(sum, (value) => value / count),
    point: { recall, precision },
  };
}

/** Boxes said over objects there. */
export interface CountingPlot {
  /** How many responses said `predicted` boxes (those that count) to an image with `actual` objects. */
  readonly cells: readonly {
    readonly actual: number;
    readonly predicted: number;
    readonly responses: number;
  }[];
  /** Mean of `predicted` by `actual`, rising. */
  readonly means: readonly {
    readonly actual: number;
    readonly predicted: number;
    readonly responses: number;
  }[];
}

/** Counts of one system. */
export function countingPlot(images: readonly EvaluatedImage[]): CountingPlot {
  const cells = new Map<string, { actual: number; predicted: number; responses: number }>();
  const means = new Map<number, { sum: number; responses: number }>();
  for (const { responses } of images) {
    for (const { at50 } of responses) {
      const [actual, predicted] = [at50.truths, at50.predictions];
      const key = `${actual} ${predicted}`;
      const cell = cells.get(key) ?? { actual, predicted, responses: 0 };
      cell.responses++;
      cells.set(key, cell);
      const mean = means.get(actual) ?? { sum: 0, responses: 0 };
      mean.sum += predicted;
      mean.responses++;
      means.set(actual, mean);
    }
  }
  return {
    cells: [...cells.values()].toSorted((a, b) => a.actual - b.actual || a.predicted - b.predicted),
    means: [...means]
      .toSorted(([a], [b]) => a - b)
      .map(([actual, { sum, responses }]) => ({ actual, predicted: sum / responses, responses })),
  };
}
