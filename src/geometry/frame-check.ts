/**
 * @file Notices boxes that are in another frame than declared: the most frequent mistake with vision-language models
 * (pixels of the original for pixels of the resized picture, thousandths for pixels, widths for right edges, y before x).
 * The numbers as they were written are read in every known way and matched with the ground truth. Where another way
 * fits far better than the declared one, the finding says so. Nothing is ever rescaled by it: a result that was repaired
 * silently would hide the mistake from whoever uses the model next.
 */
import { maximumWeightMatching } from "./assignment.js";
import type { Box } from "./box.js";
import type { FrameSizes } from "./frames.js";
import { boxArea, intersectionArea } from "./overlap.js";
import { overlappingPairs } from "./pairs.js";

/** What the numbers count: `norm1` = shares of the picture's sides, 0..1. */
export type CoordinateScale = "model" | "image" | "norm1000" | "norm1";

/** What the four numbers are: corners; corner and size; centre and size; corners, each with y before x. */
export type BoxLayout = "xyxy" | "xywh" | "cxcywh" | "yxyx";

/** One way to read four numbers. */
export interface FrameReading {
  readonly scale: CoordinateScale;
  readonly layout: BoxLayout;
}

/** Four numbers as a model wrote them, not clipped, in no order that could be relied on. */
export type WrittenBox = readonly [number, number, number, number];

/** One response: what was written, and what is there. */
export interface FrameEvidence {
  readonly written: readonly WrittenBox[];
  readonly truth: readonly Box<"image">[];
  /** Boxes at least half within one of these, and that match nothing, do not count. */
  readonly ignore: readonly Box<"image">[];
  readonly image: FrameSizes["image"];
  /** The size the model was shown; where it is not known, no reading by it is tried. */
  readonly model?: FrameSizes["model"] | undefined;
}

/** How well one reading fits. */
export interface FrameFit extends FrameReading {
  /** Soft F1, 0..1: twice the summed IoU of the matched pairs (IoU >= 0.5) over boxes written and boxes there. */
  readonly fit: number;
}

/** What the check found. */
export interface FrameFinding {
  readonly declared: FrameFit;
  /** A reading that fits far better; null where none does. */
  readonly better: FrameFit | null;
}

const SCALES: readonly CoordinateScale[] = ["model", "image", "norm1000", "norm1"];
const LAYOUTS: readonly BoxLayout[] = ["xyxy", "xywh", "yxyx", "cxcywh"];
const MATCH_IOU = 0.5;

/** Below this a reading fits nothing that it could be told from chance by. */
const LEAST_FIT = 0.15;
/** Far better: this much more soft F1, or twice as much. */
const LEAST_GAIN = 0.2;
/** Standard errors that the mean gain of an object lies above zero: 15 readings are tried, and none may win by luck. */
const LEAST_SIGMAS = 2.5;

/** Units of a scale across the picture. */
function canvasOf(
  scale: CoordinateScale,
  { image, model }: FrameEvidence,
): { readonly width: number; readonly height: number } | undefined {
  switch (scale) {
    case "model":
      return model;
    case "image":
      return image;
    case "norm1000":
      return { width: 1000, height: 1000 };
    case "norm1":
      return { width: 1, height: 1 };
  }
}

function corners([a, b, c, d]: WrittenBox, layout: BoxLayout): WrittenBox {
  switch (layout) {
    case "xyxy":
      return [a, b, c, d];
    case "xywh":
      return [a, b, a + c, b + d];
    case "cxcywh":
      return [a - c / 2, b - d / 2, a + c / 2, b + d / 2];
    case "yxyx":
      return [b, a, d, c];
  }
}

/** The written boxes as this reading has them, in pixels of the original and clipped to it; empty ones are kept, to be counted. */
function readAs(evidence: FrameEvidence, { scale, layout }: FrameReading): Box<"image">[] | undefined {
  const canvas = canvasOf(scale, evidence);
  if (canvas === undefined) return undefined;
  const { width, height } = evidence.image;
  const clamp = (value: number, high: number): number => Math.min(Math.max(value, 0), high);
  return evidence.written.map((numbers) => {
    const [x1, y1, x2, y2] = corners(numbers, layout);
    return {
      x1: clamp((x1 * width) / canvas.width, width),
      y1: clamp((y1 * height) / canvas.height, height),
      x2: clamp((x2 * width) / canvas.width, width),
      y2: clamp((y2 * height) / canvas.height, height),
    };
  });
}

interface Fitted {
  readonly fit: number;
  /** IoU of the box that each object matched, 0 where none did; all responses one after another. */
  readonly gains: readonly number[];
}

function fitOf(evidence: readonly FrameEvidence[], reading: FrameReading): Fitted | undefined {
  let [sum, boxes] = [0, 0];
  const gains: number[] = [];
  for (const one of evidence) {
    const read = readAs(one, reading);
    if (read === undefined) return undefined;
    // Inside-out boxes (a width taken for an edge) overlap nothing; they must not reach the matching.
    const usable = read.filter((box) => boxArea(box) > 0);
    const pairs = overlappingPairs(usable, one.truth, MATCH_IOU);
    const matched = maximumWeightMatching(usable.length, one.truth.length, pairs);
    const found = one.truth.map(() => 0);
    pairs.rows.forEach((row, k) => {
      if (matched[row] === pairs.columns[k]) found[pairs.columns[k]!] = pairs.weights[k]!;
    });
    const ignored = usable.filter(
      (box, row) =>
        matched[row]! < 0 && one.ignore.some((region) => intersectionArea(box, region) >= boxArea(box) / 2),
    ).length;
    for (const value of found) sum += value;
    boxes += read.length - ignored + one.truth.length;
    gains.push(...found);
  }
  return { fit: boxes === 0 ? 0 : (2 * sum) / boxes, gains };
}

/** Whether two scales are one on all of these pictures (a picture that was not resized, a model size of 1000 x 1000). */
function sameScale(a: CoordinateScale, b: CoordinateScale, evidence: readonly FrameEvidence[]): boolean {
  return evidence.every((one) => {
    const [p, q] = [canvasOf(a, one), canvasOf(b, one)];
    return p !== undefined && q !== undefined && p.width === q.width && p.height === q.height;
  });
}

/** Mean over its standard error about zero; large where most objects gain alike. */
function sigmas(differences: readonly number[]): number {
  let [sum, squares] = [0, 0];
  for (const value of differences) {
    sum += value;
    squares += value * value;
  }
  return squares === 0 ? 0 : sum / Math.sqrt(squares);
}

/**
 * Tries every known reading on these responses. Silent (`better: null`) where the declared one fits well, where nothing
 * fits, and where there is too little to tell by: under about seven objects no reading is called better.
 *
 * @param declared What the evaluation takes the numbers for. @default pixels of the resized picture, corners
 * @example checkFrame(evidence).better?.scale === "norm1000" // the model speaks thousandths
 */
export function checkFrame(
  evidence: readonly FrameEvidence[],
  declared: FrameReading = { scale: "model", layout: "xyxy" },
): FrameFinding {
  const used = evidence.filter(({ written, truth }) => written.length > 0 && truth.length > 0);
  const own = fitOf(used, declared) ?? { fit: 0, gains: [] };
  const finding = { ...declared, fit: own.fit };
  // A reading that fits this well leaves no room for one that is far better.
  if (used.length === 0 || own.fit > 1 - LEAST_GAIN) return { declared: finding, better: null };
  let better: FrameFit | null = null;
  // Readings with one mistake come before those with two: of equals the simpler explanation stands.
  for (const [layouts, scales] of [
    [[declared.layout], SCALES],
    [LAYOUTS, [declared.scale]],
    [LAYOUTS, SCALES],
  ] as const) {
    for (const layout of layouts) {
      for (const scale of scales) {
        if (layout === declared.layout && sameScale(scale, declared.scale, used)) continue;
        const other = fitOf(used, { scale, layout });
        if (other === undefined || other.fit < LEAST_FIT || other.fit <= (better?.fit ?? 0) + 1e-9) continue;
        const farBetter = other.fit >= 2 * own.fit || other.fit - own.fit >= LEAST_GAIN;
        if (!farBetter) continue;
        if (sigmas(other.gains.map((value, i) => value - own.gains[i]!)) < LEAST_SIGMAS) continue;
        better = { scale, layout, fit: other.fit };
      }
    }
  }
  return { declared: finding, better };
}

const scaleWords: Record<CoordinateScale, string> = {
  model: "pixels of the resized picture",
  image: "pixels of the original picture",
  norm1000: "thousandths of the picture",
  norm1: "shares of the picture from 0 to 1",
};
const layoutWords: Record<BoxLayout, string> = {
  xyxy: "x1, y1, x2, y2",
  xywh: "x, y, width, height",
  cxcywh: "centre x, centre y, width, height",
  yxyx: "y1, x1, y2, x2",
};

/** A finding in words for people; nothing where there is nothing to say. */
export function frameWarning({ declared, better }: FrameFinding): string | undefined {
  if (better === null) return undefined;
  const words = ({ scale, layout }: FrameReading) => `${scaleWords[scale]} (${layoutWords[layout]})`;
  return (
    `the boxes would fit far better read as ${words(better)}: ${better.fit.toFixed(2)} against ` +
    `${declared.fit.toFixed(2)} as ${words(declared)}. Nothing was rescaled; the numbers are those of the declared frame.`
  );
}
