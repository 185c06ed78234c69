/**
 * @file A run's numbers as every tracker takes them: points (step, time, names and values) and settings. Trackers
 * differ in how they write these down, not in what is written.
 */
import { createHash } from "node:crypto";
import { join } from "node:path";
import { InputError, readJsonlTolerant } from "../../base/index.js";
import { readManifest, type EvaluationLine, type RunManifest } from "../../runs/index.js";
import { flattenNumbers, flattenParams, type Param } from "./flatten.js";

/** Numbers of one moment. */
export interface RunPoint {
  /** Tells points apart: a point with the same key is the same point. */
  readonly key: string;
  /** Optimiser steps done. */
  readonly step: number;
  /** Seconds since 1970: the run's start and its seconds of training, so that evaluations and pauses take no time. */
  readonly time: number;
  /** `reward/mean`, ... for a step of training; `eval/plaza/greedy/f1`, ... for an evaluation. */
  readonly values: Readonly<Record<string, number>>;
}

/** What a tracker is told of a run. */
export interface RunRecord {
  readonly path: string;
  readonly manifest: RunManifest;
  /** Seconds since 1970. */
  readonly started: number;
  /** Time of the last point. */
  readonly ended: number;
  /** The recipe, flat. */
  readonly params: Readonly<Record<string, Param>>;
  /** By step; at the same step training before evaluations. */
  readonly points: readonly RunPoint[];
  readonly evaluations: readonly EvaluationLine[];
}

/** @throws InputError for a line that says no step. */
async function stepLines(path: string): Promise<(Record<string, unknown> & { step: number })[]> {
  const lines = await readJsonlTolerant(path);
  for (const [index, line] of lines.entries()) {
    const step = (line as { step?: unknown } | null)?.step;
    if (typeof step !== "number" || !Number.isInteger(step) || step < 0)
      throw new InputError(`${path}:${index + 1}: "step" is not a whole number of at least 0`, {
        hint: "Give a folder as `dip-r1 train` wrote it.",
      });
  }
  return lines as (Record<string, unknown> & { step: number })[];
}

/** Name of an evaluation's numbers. */
export function evaluationTag({ set, decoding }: Pick<EvaluationLine, "set" | "decoding">): string {
  return `eval/${set}/${decoding}`;
}

/**
 * Reads a run; a line torn by a kill (or still being written) is left out.
 * @throws InputError where the folder is no run, or (unless `allowEmpty`) has neither metrics nor evaluations.
 */
export async function readRunRecord(
  path: string,
  options: { readonly allowEmpty?: boolean } = {},
): Promise<RunRecord> {
  const manifest = await readManifest(path);
  const started = Date.parse(manifest.created) / 1000;
  if (!Number.isFinite(started))
    throw new InputError(
      `${join(path, "manifest.json")}: "created" is no date: ${String(manifest.created)}`,
      {
        hint: "Give a folder as `dip-r1 train` wrote it.",
      },
    );
  const metrics = await stepLines(join(path, "metrics.jsonl"));
  const evaluations = (await stepLines(join(path, "evaluations.jsonl"))) as unknown as EvaluationLine[];
  if (metrics.length + evaluations.length === 0 && options.allowEmpty !== true)
    throw new InputError(`${path} has no metrics yet`, {
      hint: "Wait for the run's first step, or train it: `dip-r1 train RECIPE --out RUN`.",
    });
  const times = new Map<number, number>();
  const points: RunPoint[] = [];
  for (const { step, ...line } of metrics) {
    const trained = line["trainedSeconds"];
    const time = started + (typeof trained === "number" ? trained : 0);
    times.set(step, time);
    points.push({ key: `train ${step}`, step, time, values: flattenNumbers(line) });
  }
  for (const line of evaluations) {
    const { step, data: _data, ...numbers } = line;
    const tag = evaluationTag(line);
    const values = flattenNumbers(numbers, tag);
    points.push({ key: `${tag} ${step}`, step, time: times.get(step) ?? started, values });
  }
  points.sort((a, b) => a.step - b.step); // Stable: training stays before the evaluations of its step.
  return {
    path,
    manifest,
    started,
    ended: Math.max(started, ...times.values()),
    params: flattenParams(manifest.recipe),
    points,
    evaluations,
  };
}

/** Eight letters and digits: the same at every export of a run, others for another run. */
export function runKey({ name, created, seed, model }: RunManifest): string {
  const hash = createHash("sha256")
    .update(JSON.stringify([name, created, seed, model]))
    .digest();
  return hash.readBigUInt64BE(0).toString(36).padStart(13, "0").slice(-8);
}
