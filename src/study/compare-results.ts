/**
 * @file Two results compared as they must be: the same images of the same data, paired. Results of other data or other
 * images are refused, because a difference between them says nothing of the models; `common` compares what both have and
 * says how much that is.
 */
import { InputError } from "../base/index.js";
import { pairedTests, type PairedTest, type ScoreSource } from "../metrics/index.js";
import type { Decoding, EvaluationResult, ResultSet } from "../runs/index.js";
import { alignImages, chosenSets, listSets, partnerOf, resultNotes } from "./align-results.js";
import { defaultPairedMetrics, pairedMetrics, type PairedMetricName } from "./compare-metrics.js";

/** Options of {@link compareResults}. */
export interface CompareResultsOptions {
  /** @default {@link defaultPairedMetrics} */
  readonly metrics?: readonly PairedMetricName[];
  /** Compare the images that both have, where they have not the same. @default false */
  readonly common?: boolean;
  /** This set alone. @default all that both have */
  readonly set?: string;
  /** This decoding alone. @default all that both have */
  readonly decoding?: Decoding;
  /** Confidence of boxes for AP. @default "order" */
  readonly scoreSource?: ScoreSource;
  /** @default 0 */
  readonly seed?: number;
  /** Of the bootstrap, and of the permutation test. @default 2000 */
  readonly resamples?: number;
  /** @default 0.95 */
  readonly level?: number;
}

/** One set under one decoding, compared. */
export interface ComparedResultSet {
  readonly set: string;
  readonly decoding: Decoding;
  /** Compared. */
  readonly images: number;
  /** Left out because the other side has not judged them. */
  readonly leftOut: { readonly a: number; readonly b: number };
  /** Fingerprint of the data of both sides. */
  readonly data: { readonly a: string; readonly b: string };
  readonly metrics: Readonly<Partial<Record<PairedMetricName, PairedTest>>>;
}

/** B against A. */
export interface ResultComparison {
  readonly a: string;
  readonly b: string;
  readonly scoreSource: ScoreSource;
  readonly seed: number;
  readonly resamples: number;
  readonly level: number;
  readonly sets: readonly ComparedResultSet[];
  /** What a reader must know: settings that differ, images left out, code that changed. */
  readonly notes: readonly string[];
}

/**
 * Compares two results image by image.
 *
 * @throws InputError where they have no set in common, or not the same data, images or ground truth (see `common`).
 * @example
 * const { sets } = compareResults(await openResult("before.jsonl"), await openResult("after.jsonl"));
 * console.log(sets[0].metrics.f1.difference, sets[0].metrics.f1.permutationP);
 */
export function compareResults(
  a: EvaluationResult,
  b: EvaluationResult,
  options: CompareResultsOptions = {},
): ResultComparison {
  const { metrics = defaultPairedMetrics, common = false, scoreSource = "order" } = options;
  const { seed = 0, resamples = 2000, level = 0.95 } = options;
  const [left, right] = [chosenSets(a, options), chosenSets(b, options)];
  const pairs = left.flatMap((one): [ResultSet, ResultSet][] => {
    const other = partnerOf(one, left, right);
    return other === undefined ? [] : [[one, other]];
  });
  if (pairs.length === 0)
    throw new InputError(`the results have no set and decoding in common: ${listSets(a)}; ${listSets(b)}`, {
      hint: "Judge both on one dataset with the same decoding; --set and --decoding choose among what both have.",
    });
  const notes = resultNotes([a, b], ["A", "B"]);
  const sets = pairs.map(([one, other]): ComparedResultSet => {
    const aligned = alignImages([one, other], [a.source, b.source], common);
    const [before, after] = aligned.images as [ResultSet["images"], ResultSet["images"]];
    const leftOut = { a: aligned.leftOut[0]!, b: aligned.leftOut[1]! };
    const what = `${one.set}, ${one.decoding}`;
    if (one.fingerprint !== other.fingerprint)
      notes.push(
        `${what}: the data is not the same; its ${before.length} common images have equal ground truth`,
      );
    if (leftOut.a + leftOut.b > 0)
      notes.push(
        `${what}: only the ${before.length} common images are compared; ` +
          `${leftOut.a} of A and ${leftOut.b} of B are left out`,
      );
    const counts = [before, after].map((side) =>
      [...new Set(side.map(({ responses }) => responses.length))].join("/"),
    );
    if (counts[0] !== counts[1])
      notes.push(`${what}: A has ${counts[0]} responses an image, B has ${counts[1]}`);
    const statistics = metrics.map((name) => pairedMetrics[name].build([...before, ...after], scoreSource));
    const tests = pairedTests(before.length, statistics, { seed, resamples, level });
    return {
      set: one.set,
      decoding: one.decoding,
      images: before.length,
      leftOut,
      data: { a: one.fingerprint, b: other.fingerprint },
      metrics: Object.fromEntries(metrics.map((name, k) => [name, tests[k]!])),
    };
  });
  return { a: a.source, b: b.source, scoreSource, seed, resamples, level, sets, notes };
}
