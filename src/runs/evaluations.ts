/**
 * @file Evaluations of a run: each set, greedy and sampled, kept image by image under the run's folder so that tables
 * and pictures can be made again, and never made twice.
 *
 *     evaluations/step-000160/plaza.greedy.jsonl
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { readJsonlTolerant, silentLogger, writeFileAtomic, type Logger } from "../base/index.js";
import type { Sampler } from "../engines/contract.js";
import { frameWarning } from "../geometry/index.js";
import {
  benchmarkSummary,
  defaultScoreSource,
  evaluateImages,
  summarizeEvaluation,
  type EvaluatedImage,
} from "../rl/index.js";
import type { DatasetFacts, EvaluationSet, RunParts, RunSample } from "./run-parts.js";
import type { Recipe } from "./recipe-schema.js";
import type { RunFolder, StepLine } from "./run-folder.js";

/** How responses were drawn: temperature 0 once, or temperature 1 several times. */
export type Decoding = "greedy" | "sampled";

/** One set under one decoding. */
export interface EvaluationTask<S extends RunSample> {
  readonly set: EvaluationSet<S>;
  readonly decoding: Decoding;
  /** Images at most. */
  readonly images: number;
  /** Responses an image. */
  readonly responses: number;
}

/** How far a round of evaluations has come. */
export interface EvaluationProgress {
  readonly set: string;
  readonly decoding: Decoding;
  readonly done: number;
  readonly images: number;
}

/** What a recipe asks to be judged. */
export function evaluationTasks<S extends RunSample>(
  recipe: Recipe,
  sets: readonly EvaluationSet<S>[],
): EvaluationTask<S>[] {
  const { evaluation } = recipe;
  return sets.flatMap((set) => {
    const own = set.domain === "in" ? {} : evaluation.outOfDomain;
    const images = Math.min(own.images ?? evaluation.images, set.length);
    const samples = own.samples ?? evaluation.samples;
    return [
      { set, decoding: "greedy" as const, images, responses: 1 },
      ...(samples > 0 ? [{ set, decoding: "sampled" as const, images, responses: samples }] : []),
    ];
  });
}

/** What a line of evaluations.jsonl says beside the numbers of its summary. */
export interface EvaluationLine extends StepLine {
  readonly set: string;
  readonly domain: "in" | "out";
  readonly decoding: Decoding;
  /** Fingerprint, files and problems of the data; absent in lines of before they were kept. */
  readonly data?: DatasetFacts;
}

/** Where an evaluation is kept. */
export function evaluationFile(run: string, step: number, set: string, decoding: Decoding): string {
  const safe = set.replaceAll(/[^\w.-]+/g, "_");
  return join(run, "evaluations", `step-${String(step).padStart(6, "0")}`, `${safe}.${decoding}.jsonl`);
}

/** An evaluation that was kept; nothing where there is none. */
export async function readEvaluation(
  run: string,
  step: number,
  set: string,
  decoding: Decoding,
): Promise<EvaluatedImage[] | undefined> {
  const path = evaluationFile(run, step, set, decoding);
  return existsSync(path) ? ((await readJsonlTolerant(path)) as EvaluatedImage[]) : undefined;
}

/** Files of the evaluations that were finished: their line was written after them. */
async function keptEvaluations(run: string): Promise<ReadonlySet<string>> {
  const lines = (await readJsonlTolerant(join(run, "evaluations.jsonl"))) as EvaluationLine[];
  return new Set(
    lines
      .map(({ step, set, decoding }) => evaluationFile(run, step, set, decoding))
      .filter((path) => existsSync(path)),
  );
}

async function* first<S>(samples: AsyncIterable<S>, count: number): AsyncGenerator<S> {
  if (count <= 0) return;
  let taken = 0;
  for await (const sample of samples) {
    yield sample;
    if (++taken >= count) return;
  }
}

/** Judges one task; stops early, after a whole batch, where `until` has passed. */
export async function evaluateTask<S extends RunSample>(
  task: EvaluationTask<S>,
  sampler: Sampler,
  parts: Pick<RunParts<S>, "encode" | "codec" | "profile">,
  recipe: Recipe,
  options: { readonly until?: () => boolean; readonly onImage?: (done: number) => void } = {},
): Promise<EvaluatedImage[]> {
  const { evaluation, rewards, seed } = recipe;
  const images: EvaluatedImage[] = [];
  for await (const image of evaluateImages({
    sampler,
    samples: first(task.set.samples(), task.images),
    encode: parts.encode,
    codec: parts.codec,
    ...(task.set.benchmark && { benchmark: task.set.benchmark }),
    config: {
      ...(parts.profile && { profile: parts.profile }),
      temperature: task.decoding === "greedy" ? 0 : 1,
      n: task.responses,
      maxTokens: evaluation.maxTokens,
      maxBoxRepeats: evaluation.maxBoxRepeats,
      batchSize: evaluation.batchSize,
      seed,
      rewards,
    },
  })) {
    images.push(image);
    options.onImage?.(images.length);
    if (images.length % evaluation.batchSize === 0 && options.until?.() === true) break;
  }
  return images;
}

/** Options of {@link evaluateStep}. */
export interface EvaluateStepOptions {
  readonly logger?: Logger;
  readonly onProgress?: (progress: EvaluationProgress) => void;
  /** Milliseconds. @default performance.now */
  readonly now?: () => number;
}

/**
 * Judges the weights of now on every set and keeps the result under `step`; what is kept already is not made again.
 * Where the recipe limits the minutes, each task gets its share of what is left.
 */
export async function evaluateStep<S extends RunSample>(
  run: RunFolder,
  step: number,
  parts: RunParts<S>,
  recipe: Recipe,
  options: EvaluateStepOptions = {},
): Promise<void> {
  const { logger = silentLogger, onProgress, now = () => performance.now() } = options;
  const kept = await keptEvaluations(run.path);
  const open = evaluationTasks(recipe, parts.sets).filter(
    ({ set, decoding }) => !kept.has(evaluationFile(run.path, step, set.name, decoding)),
  );
  if (open.length === 0) return;
  const end = now() + 60_000 * (recipe.evaluation.minutes ?? Infinity);
  const sampler = await parts.engine.sampler();
  try {
    for (const [index, task] of open.entries()) {
      const { set, decoding } = task;
      // Every round judges the images that the first one reached, so that rounds can be compared.
      const before = step === 0 ? undefined : await readEvaluation(run.path, 0, set.name, decoding);
      const images = Math.min(task.images, before?.length ?? Infinity);
      const work = ({ images: count, responses }: EvaluationTask<S>) => count * responses;
      const left = open.slice(index).reduce((sum, one) => sum + work(one), 0);
      const until = now() + ((end - now()) * work(task)) / left;
      const judged = await evaluateTask({ ...task, images }, sampler, parts, recipe, {
        until: () => now() >= until,
        onImage: (done) => onProgress?.({ set: set.name, decoding, done, images }),
      });
      if (judged.length < images)
        logger.info(
          `${set.name}, ${decoding}: ${judged.length} of ${images} images within evaluation.minutes`,
        );
      const summary = summarizeEvaluation(judged);
      const words = frameWarning(summary.frame);
      if (words !== undefined) logger.warn(`${set.name}, ${decoding}: ${words}`);
      await writeFileAtomic(
        evaluationFile(run.path, step, set.name, decoding),
        judged.map((image) => JSON.stringify(image) + "\n").join(""),
      );
      const line: EvaluationLine = {
        step,
        set: set.name,
        domain: set.domain,
        decoding,
        ...(set.data && { data: set.data }),
      };
      const benchmark = benchmarkSummary(judged, defaultScoreSource(judged));
      run.append("evaluations", { ...line, ...summary, ...(benchmark && { benchmark }) });
    }
  } finally {
    await sampler.close();
  }
}
