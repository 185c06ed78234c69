/**
 * @file Two results compared as they must be: the same images of the same data, paired. Results of other data or other
 * images are refused, because a difference between them says nothing of the models; `common` compares what both have and
 * says how much that is.
 */
import { canonicalJson, InputError } from "../base/index.js";
import { pairedTests, type PairedTest, type ScoreSource } from "../metrics/index.js";
import type { EvaluatedImage } from "../rl/index.js";
import type { Decoding, EvaluationResult, ResultSet } from "../runs/index.js";
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

/** Ground truth of two readings of one image may differ by rounding in the model's frame, pixels of the original. */
const SAME_PIXEL = 0.01;

function sameTruth(a: EvaluatedImage, b: EvaluatedImage): boolean {
  const boxes = ({ truth }: EvaluatedImage) => [
    ...truth.objects.map(({ box, label }) => ({ box, label })),
    ...truth.ignore.map((box) => ({ box, label: "" })),
  ];
  const [left, right] = [boxes(a), boxes(b)];
  return (
    a.truth.objects.length === b.truth.objects.length &&
    left.length === right.length &&
    left.every(({ box, label }, i) => {
      const other = right[i]!;
      return (
        label === other.label &&
        (["x1", "y1", "x2", "y2"] as const).every(
          (edge) => Math.abs(box[edge] - other.box[edge]) <= SAME_PIXEL,
        )
      );
    })
  );
}

const few = (ids: readonly string[]): string =>
  ids.slice(0, 3).join(", ") + (ids.length > 3 ? `, ... (${ids.length})` : "");

/** The images of both, in the order of A. */
function paired(
  [a, b]: readonly [ResultSet, ResultSet],
  names: readonly [string, string],
  common: boolean,
): { images: [EvaluatedImage[], EvaluatedImage[]]; leftOut: { a: number; b: number } } {
  const what = `${a.set}, ${a.decoding}`;
  if (a.fingerprint !== b.fingerprint && !common)
    throw new InputError(
      `${what}: the results are of other data: sha256 ${a.fingerprint.slice(0, 12)} in ${names[0]}, ` +
        `${b.fingerprint.slice(0, 12)} in ${names[1]}`,
      { hint: "Judge both on one dataset, or compare the images that both have by --common." },
    );
  const inA = new Map(a.images.map((image) => [image.id, image]));
  const inB = new Map(b.images.map((image) => [image.id, image]));
  const onlyA = [...inA.keys()].filter((id) => !inB.has(id));
  const onlyB = [...inB.keys()].filter((id) => !inA.has(id));
  if (onlyA.length + onlyB.length > 0 && !common) {
    const parts = [
      ...(onlyA.length > 0 ? [`${few(onlyA)} only in ${names[0]}`] : []),
      ...(onlyB.length > 0 ? [`${few(onlyB)} only in ${names[1]}`] : []),
    ];
    throw new InputError(`${what}: the results are of other images: ${parts.join("; ")}`, {
      hint: "Judge both on the same images (--limit), or compare those that both have by --common.",
    });
  }
  const ids = [...inA.keys()].filter((id) => inB.has(id));
  if (ids.length === 0)
    throw new InputError(`${what}: ${names[0]} and ${names[1]} have no image in common`, {
      hint: "Judge both on one dataset.",
    });
  const images: [EvaluatedImage[], EvaluatedImage[]] = [
    ids.map((id) => inA.get(id)!),
    ids.map((id) => inB.get(id)!),
  ];
  const other = ids.filter((_, i) => !sameTruth(images[0][i]!, images[1][i]!));
  if (other.length > 0)
    throw new InputError(`${what}: the ground truth is another one in image ${few(other)}`, {
      hint: "The annotations or the labels asked for have changed between the two; judge both again.",
    });
  return { images, leftOut: { a: onlyA.length, b: onlyB.length } };
}

/** Sets that belong together: the same data or else the same name; where each side has but one, these. */
function pairsOf(
  a: EvaluationResult,
  b: EvaluationResult,
  options: CompareResultsOptions,
): [ResultSet, ResultSet][] {
  const wanted = ({ sets }: EvaluationResult) =>
    sets.filter(
      (one) =>
        (options.set === undefined || one.set === options.set) &&
        (options.decoding === undefined || one.decoding === options.decoding),
    );
  const [left, right] = [wanted(a), wanted(b)];
  return left.flatMap((one): [ResultSet, ResultSet][] => {
    const same = right.filter(({ decoding }) => decoding === one.decoding);
    const alone = left.filter(({ decoding }) => decoding === one.decoding).length === 1 && same.length === 1;
    const other =
      same.find(({ set, fingerprint }) => set === one.set && fingerprint === one.fingerprint) ??
      same.find(({ fingerprint }) => fingerprint === one.fingerprint) ??
      same.find(({ set }) => set === one.set) ??
      (alone ? same[0] : undefined);
    return other === undefined ? [] : [[one, other]];
  });
}

const listed = ({ source, sets }: EvaluationResult): string =>
  `${source} has ${sets.map(({ set, decoding }) => `${set} (${decoding})`).join(", ") || "nothing"}`;

function notesOf(a: EvaluationResult, b: EvaluationResult): string[] {
  // What only one of them tells cannot differ.
  const keys = Object.keys(a.settings).filter((key) => Object.hasOwn(b.settings, key));
  const show = (value: unknown) => JSON.stringify(value) ?? "none";
  const settings = keys
    .filter((key) => canonicalJson(a.settings[key]) !== canonicalJson(b.settings[key]))
    .map((key) => `${key} is ${show(a.settings[key])} in A and ${show(b.settings[key])} in B`);
  return [
    ...(settings.length > 0 ? [`the two were not asked alike: ${settings.join("; ")}`] : []),
    ...(a.code.sha256 === b.code.sha256
      ? []
      : [
          `the code is another one (dip-r1 ${a.code.version} and ${b.code.version}): a part of the change may be its`,
        ]),
  ];
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
  const pairs = pairsOf(a, b, options);
  if (pairs.length === 0)
    throw new InputError(`the results have no set and decoding in common: ${listed(a)}; ${listed(b)}`, {
      hint: "Judge both on one dataset with the same decoding; --set and --decoding choose among what both have.",
    });
  const notes = notesOf(a, b);
  const sets = pairs.map(([one, other]): ComparedResultSet => {
    const { images, leftOut } = paired([one, other], [a.source, b.source], common);
    const [before, after] = images;
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
