/**
 * @file The wire of Compare, beside api.ts: several evaluations on the same images. The page imports these as types.
 *
 *     /api/compare/entries    CompareChoices       what can be compared
 *     /api/compare            Comparison           CompareQuery
 *     /api/compare/images     CompareImages        CompareImagesQuery
 *
 * Evaluations of other data, other images or other ground truth are refused (422) in words; so is a set of several, which
 * then stands in `refused` while the others are compared. Numbers have six digits; those that are not finite are null.
 */
import type { ScoreSource, SliceDimension } from "../../metrics/index.js";
import type { Grade } from "../../response/types.js";
import type { PairedMetricName } from "../../study/compare-metrics.js";
import type { ImageMetric, ImageNumbers, ImageOrder } from "../../study/image-changes.js";
import type { SliceNumber } from "../../study/slice-statistics.js";
import type { Canvas, CanvasTruth, Corners, Decoding, RunId, RunStatus } from "./api.js";

export type { ImageMetric, ImageOrder, PairedMetricName, SliceNumber };

/** What was judged at the steps of a run, under one decoding. */
export interface ChoiceSet {
  readonly set: string;
  readonly domain: "in" | "out";
  readonly decoding: Decoding;
  /** sha256 of the data; only evaluations of equal ones can be compared. */
  readonly fingerprint: string;
  /** Steps whose responses are kept, rising. */
  readonly steps: readonly number[];
}

/** GET /api/compare/entries */
export interface CompareChoices {
  /** Newest first; runs without an evaluation are left out. */
  readonly runs: readonly {
    readonly run: RunId;
    readonly name: string;
    readonly kind: "grpo" | "sft";
    readonly status: RunStatus;
    /** All evaluated steps, rising. */
    readonly steps: readonly number[];
    readonly sets: readonly ChoiceSet[];
  }[];
}

/** Query of /compare. */
export interface CompareQuery {
  /** Repeatable, in order, 1..8: `RUN@STEP`, where STEP is a number, `first` or `last`; `RUN` alone is its last. */
  readonly entry: readonly string[];
  /** @default all that every entry has */
  readonly set?: string;
  /** @default "greedy" */
  readonly decoding?: Decoding;
  /** Place in `entry` of what the others are compared with. @default 0 */
  readonly baseline?: number;
  /** Confidence of boxes for AP and curves. @default "logprob" where all entries have it, else "order" */
  readonly source?: ScoreSource;
  /** "1" = compare the images that all have, where they have not the same. */
  readonly common?: "1";
}

/** One side of a comparison. */
export interface CompareEntry {
  /** As it is named in messages: `RUN@STEP`. */
  readonly id: string;
  readonly run: RunId;
  readonly step: number;
  readonly runName: string;
  readonly kind: "grpo" | "sft";
  readonly seed: number;
  /** A name to begin with: `base`, `SFT`, `DIP-R1`. */
  readonly suggested: string;
}

/** A number with its bootstrap interval over images. */
export interface CompareNumber {
  readonly value: number | null;
  readonly low: number | null;
  readonly high: number | null;
}

/** An entry less the baseline, paired by image. */
export interface CompareChange extends CompareNumber {
  /** Two-sided; absent for slices and means over sets. */
  readonly bootstrapP?: number | null;
  readonly permutationP?: number | null;
}

/** One metric of all entries. */
export interface CompareMetric {
  readonly key: PairedMetricName;
  readonly title: string;
  readonly better: "up" | "down" | "none";
  /** Ranks boxes by the score source. */
  readonly ranked: boolean;
  /** By entry. */
  readonly values: readonly CompareNumber[];
  /** By entry; null for the baseline. */
  readonly changes: readonly (CompareChange | null)[];
}

/** One part of a set. */
export interface CompareSlice {
  readonly by: SliceDimension;
  readonly bucket: string;
  readonly objects: number;
  readonly numbers: readonly {
    readonly key: SliceNumber;
    readonly values: readonly CompareNumber[];
    readonly changes: readonly (CompareChange | null)[];
  }[];
}

/** Precision at 101 recalls (0, 0.01, ..., 1) and the answers as given. */
export interface CompareCurve {
  /** COCO's AP at this IoU: the mean of `precision`. */
  readonly ap: number;
  readonly precision: readonly number[];
  readonly point: { readonly recall: number; readonly precision: number };
}

/** [objects there, boxes said, responses] */
export type CountTriple = readonly [actual: number, predicted: number, responses: number];

/** One set. */
export interface CompareSet {
  readonly set: string;
  readonly domain: "in" | "out";
  readonly images: number;
  readonly objects: number;
  /** By entry: responses an image. */
  readonly responses: readonly number[];
  readonly fingerprint: string;
  readonly metrics: readonly CompareMetric[];
  readonly slices: readonly CompareSlice[];
  readonly curves: readonly {
    readonly iou: 0.5 | 0.75;
    /** By entry. */
    readonly entries: readonly (CompareCurve | null)[];
  }[];
  /** By entry: counts that occur, and the mean count by objects there. */
  readonly counting: readonly {
    readonly cells: readonly CountTriple[];
    readonly means: readonly CountTriple[];
  }[];
}

/** GET /api/compare */
export interface Comparison {
  readonly entries: readonly CompareEntry[];
  readonly baseline: number;
  readonly decoding: Decoding;
  readonly scoreSource: ScoreSource;
  readonly scoreSources: readonly ScoreSource[];
  readonly seed: number;
  readonly resamples: number;
  /** Of the intervals, 0.95. */
  readonly level: number;
  readonly sets: readonly CompareSet[];
  /** Unweighted means over the sets of a domain, where there are several. */
  readonly means: readonly {
    readonly domain: "in" | "out";
    readonly sets: readonly string[];
    readonly metrics: readonly CompareMetric[];
  }[];
  readonly refused: readonly { readonly set: string; readonly message: string; readonly hint?: string }[];
  readonly notes: readonly string[];
}

/** Query of /compare/images: that of /compare, for one set, and which images. */
export interface CompareImagesQuery extends CompareQuery {
  readonly set: string;
  /** Place in `entry` of what is looked at. @default the last */
  readonly target?: number;
  /** @default "f1" */
  readonly by?: ImageMetric;
  /** `change` = the largest difference either way. @default "change" */
  readonly order?: ImageOrder;
  /** Part of the image's id. */
  readonly image?: string;
  /** @default 0 */
  readonly offset?: number;
  /** 1..100. @default 12 */
  readonly limit?: number;
}

/** One response to an image, in pixels of the original. */
export interface CompareResponse {
  readonly text: string;
  readonly grade: Grade;
  readonly regions: readonly Corners[];
  readonly answer: readonly { readonly box: Corners; readonly label?: string }[];
  /** Object that each answer box hit at IoU 0.5, -1 = none, -2 = in an ignore region. */
  readonly matches: readonly number[];
}

/** One image of all entries. */
export interface CompareImage {
  readonly id: string;
  readonly canvas: Canvas;
  /** Path of the picture; it may answer 404 with words where the data is gone. */
  readonly picture: string;
  readonly truth: CanvasTruth;
  /** The target's number less the baseline's, turned so that above 0 is better. */
  readonly gain: number;
  /** By entry. */
  readonly entries: readonly {
    readonly numbers: ImageNumbers;
    readonly responses: readonly CompareResponse[];
  }[];
}

/** GET /api/compare/images */
export interface CompareImages {
  readonly set: string;
  readonly total: number;
  readonly matching: number;
  readonly offset: number;
  /** How many images the target has gained, lost, and neither, over all of the set. */
  readonly gained: number;
  readonly lost: number;
  readonly equal: number;
  readonly images: readonly CompareImage[];
}
