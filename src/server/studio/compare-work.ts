/**
 * @file The work of Compare, done in its worker thread: opens evaluations, aligns and scores them, gives answers as the wire
 * has them. Opened evaluations and aligned sets are kept, so that paging through images does not score again.
 */
import { z } from "zod";
import { InputError } from "../../base/index.js";
import type { Interval, ScoreSource } from "../../metrics/index.js";
import type { EvaluatedImage } from "../../rl/evaluate.js";
import { openResult, type EvaluationResult } from "../../runs/evaluation-results.js";
import { alignSets, compareMany, type AlignedSet, type MetricNumbers } from "../../study/compare-many.js";
import { pairedMetrics } from "../../study/compare-metrics.js";
import { imageNumbers, orderImages, type ImageMetric, type ImageOrder } from "../../study/image-changes.js";
import type { Box } from "../../geometry/box.js";
import type { Corners, Decoding } from "./api.js";
import type {
  CompareChange,
  CompareCurve,
  CompareEntry,
  CompareImage,
  CompareImages,
  CompareMetric,
  CompareNumber,
  Comparison,
} from "./compare-api.js";
import { imagePath } from "./image-path.js";
import { createLru } from "./lru.js";

/** An evaluation to open. */
export interface CompareSource {
  readonly entry: CompareEntry;
  /** The run's folder. */
  readonly path: string;
  /** Changes when its files do. */
  readonly signature: string;
  readonly domains: Readonly<Record<string, "in" | "out">>;
}

/** What both kinds of work need. */
interface CommonJob {
  readonly sources: readonly CompareSource[];
  readonly decoding: Decoding;
  readonly set?: string;
  readonly common: boolean;
  readonly baseline: number;
}

/** Work for the thread. */
export type CompareJob =
  | (CommonJob & {
      readonly kind: "compare";
      readonly scoreSource?: ScoreSource;
      readonly resamples?: number;
    })
  | (CommonJob & {
      readonly kind: "images";
      readonly set: string;
      readonly target: number;
      readonly by: ImageMetric;
      readonly order: ImageOrder;
      readonly image?: string;
      readonly offset: number;
      readonly limit: number;
    });

/** Six digits say more than any interval; all others would only be sent. */
const short = (value: number): number | null =>
  Number.isFinite(value) ? Number(value.toPrecision(6)) : null;
const number = ({ value, low, high }: Interval): CompareNumber => ({
  value: short(value),
  low: short(low),
  high: short(high),
});
const change = (
  one: (Interval & { readonly bootstrapP?: number; readonly permutationP?: number }) | null,
): CompareChange | null =>
  one && {
    ...number(one),
    ...(one.bootstrapP !== undefined && { bootstrapP: short(one.bootstrapP) }),
    ...(one.permutationP !== undefined && { permutationP: short(one.permutationP) }),
  };

function metricOf({ metric, values, changes }: MetricNumbers): CompareMetric {
  const {
    title,
    better,
    ranked = false,
  }: (typeof pairedMetrics)[keyof typeof pairedMetrics] & { ranked?: boolean } = pairedMetrics[metric];
  return { key: metric, title, better, ranked, values: values.map(number), changes: changes.map(change) };
}

const corners = ({ x1, y1, x2, y2 }: Box): Corners =>
  [x1, y1, x2, y2].map((edge) => Math.round(edge * 100) / 100) as unknown as Corners;

/** Evaluations and sets that were opened before. */
const opened = createLru<Promise<EvaluationResult>>(8, () => 1);
const aligned = createLru<AlignedSet>(4, () => 1);

const corner = z.object({ x1: z.number(), y1: z.number(), x2: z.number(), y2: z.number() });
/** What is read of an image: a run may come from anybody, and a torn file must not end in a riddle. */
const imageSchema = z.looseObject({
  id: z.string(),
  width: z.number().positive(),
  height: z.number().positive(),
  truth: z.looseObject({
    objects: z.array(z.looseObject({ box: corner, label: z.string() })),
    ignore: z.array(corner),
  }),
  responses: z
    .array(
      z
        .looseObject({
          text: z.string(),
          grade: z.string(),
          tokens: z.number(),
          look: z.array(corner),
          answer: z.array(z.looseObject({ box: corner, label: z.string().optional() })),
          probabilities: z.array(z.object({ mean: z.number(), min: z.number() })).optional(),
          format: z.number(),
          accuracy: z.number(),
        })
        .refine(({ answer, probabilities }) => (probabilities ?? answer).length === answer.length, {
          error: "not one probability a box",
          path: ["probabilities"],
        }),
    )
    .min(1),
});

/** @throws InputError naming set, line and field of what is not an image */
function checkImages(result: EvaluationResult, id: string): void {
  for (const { set, decoding, images } of result.sets)
    for (const [i, image] of images.entries()) {
      const { error } = imageSchema.safeParse(image);
      if (error === undefined) continue;
      const [issue] = error.issues;
      throw new InputError(
        `${id}: line ${i + 1} of ${set}.${decoding}.jsonl is not an evaluated image: "${issue!.path.map(String).join(".")}": ${issue!.message}`,
        { hint: "The file was changed, or comes from another version: judge the run again." },
      );
    }
}

async function openChecked({ path, entry }: CompareSource): Promise<EvaluationResult> {
  const result = await openResult(`${path}@${entry.step}`);
  checkImages(result, entry.id);
  return result;
}

async function open(source: CompareSource): Promise<EvaluationResult> {
  const { signature, entry } = source;
  let result = opened.get(signature);
  if (result === undefined) opened.set(signature, (result = openChecked(source)));
  try {
    // Messages name entries as the page does, not by folders of this machine.
    return { ...(await result), source: entry.id };
  } catch (error) {
    opened.delete(signature);
    throw error;
  }
}

async function results(sources: readonly CompareSource[]) {
  return Promise.all(
    sources.map(async (source) => ({
      name: source.entry.id,
      result: await open(source),
      domains: source.domains,
    })),
  );
}

async function compare(job: CompareJob & { kind: "compare" }): Promise<Comparison> {
  const { decoding, set, common, baseline, scoreSource, resamples } = job;
  const compared = compareMany(await results(job.sources), {
    decoding,
    set,
    common,
    baseline,
    scoreSource,
    resamples,
  });
  return {
    entries: job.sources.map(({ entry }) => entry),
    baseline,
    decoding,
    scoreSource: compared.scoreSource,
    scoreSources: compared.scoreSources,
    seed: compared.seed,
    resamples: compared.resamples,
    level: compared.level,
    sets: compared.sets.map(({ set: name, domain, images, objects, responses, fingerprint, ...parts }) => ({
      set: name,
      domain,
      images,
      objects,
      responses,
      fingerprint,
      metrics: parts.metrics.map(metricOf),
      slices: parts.slices.map(({ by, bucket, truths, numbers }) => ({
        by,
        bucket,
        objects: truths,
        numbers: numbers.map((one) => ({
          key: one.number,
          values: one.values.map(number),
          changes: one.changes.map(change),
        })),
      })),
      curves: parts.curves.map(({ iou, systems }) => ({
        iou,
        entries: systems.map(
          (curve): CompareCurve | null =>
            curve && {
              ap: short(curve.precision.reduce((sum, value) => sum + value, 0) / curve.precision.length)!,
              precision: curve.precision.map((value) => short(value)!),
              point: { recall: short(curve.point.recall)!, precision: short(curve.point.precision)! },
            },
        ),
      })),
      counting: parts.counting.map(({ cells, means }) => ({
        cells: cells.map(({ actual, predicted, responses }) => [actual, predicted, responses] as const),
        means: means.map(
          ({ actual, predicted, responses }) => [actual, short(predicted)!, responses] as const,
        ),
      })),
    })),
    means: compared.means.map(({ domain, sets, metrics }) => ({
      domain,
      sets,
      metrics: metrics.map(metricOf),
    })),
    refused: compared.refused,
    notes: compared.notes,
  };
}

function imageOf(
  job: CompareJob & { kind: "images" },
  set: AlignedSet,
  index: number,
  gain: number,
): CompareImage {
  const first: EvaluatedImage = set.images[0]![index]!;
  const { id, width, height, truth } = first;
  return {
    id,
    canvas: { width, height },
    picture: imagePath(job.sources[0]!.entry.run, set.set, id),
    truth: {
      objects: truth.objects.map(({ box, label }) => ({ box: corners(box), label })),
      ignore: truth.ignore.map(corners),
    },
    gain: short(gain) ?? 0,
    entries: set.images.map((images) => ({
      numbers: imageNumbers(images[index]!),
      responses: images[index]!.responses.map(({ text, grade, look, answer, matches }) => ({
        text,
        grade,
        regions: look.map(corners),
        answer: answer.map(({ box, label }) => ({
          box: corners(box),
          ...(label !== undefined && { label }),
        })),
        matches,
      })),
    })),
  };
}

async function pageOfImages(job: CompareJob & { kind: "images" }): Promise<CompareImages> {
  const { sources, decoding, set: name, common, baseline, target, by, order } = job;
  const key = JSON.stringify([sources.map(({ signature }) => signature), decoding, name, common]);
  let set = aligned.get(key);
  if (set === undefined) {
    const { sets, refused } = alignSets(await results(sources), { decoding, set: name, common });
    const [only] = sets;
    if (only === undefined) {
      const [why] = refused;
      throw new InputError(why?.message ?? `${name}, ${decoding}: no entry was judged on it`, {
        hint: why?.hint,
      });
    }
    aligned.set(key, (set = only));
  }
  const { images } = set;
  const ordered = orderImages(images, { baseline, target, by, order });
  const matching = ordered.filter(
    ({ index }) => job.image === undefined || images[0]![index]!.id.includes(job.image),
  );
  const side = (sign: number) => ordered.filter(({ gain }) => Math.sign(gain) === sign).length;
  return {
    set: set.set,
    total: ordered.length,
    matching: matching.length,
    offset: job.offset,
    gained: side(1),
    lost: side(-1),
    equal: side(0),
    images: matching
      .slice(job.offset, job.offset + job.limit)
      .map(({ index, gain }) => imageOf(job, set, index, gain)),
  };
}

/**
 * Does a job.
 * @throws InputError where the entries cannot stand side by side.
 */
export function doCompareJob(job: CompareJob): Promise<Comparison | CompareImages> {
  return job.kind === "compare" ? compare(job) : pageOfImages(job);
}
