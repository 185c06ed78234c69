/**
 * @file A run's folder: everything that it takes to read, compare and go on with a run. All of it is written so that
 * a kill at any moment leaves a usable folder.
 *
 *     manifest.json      what was run: recipe, seed, fingerprints of data and code, versions, state
 *     metrics.jsonl      one line a step
 *     rollouts.jsonl     one line a response: text, boxes, rewards by part, advantage
 *     tokens.jsonl       one line a response of some steps: log-probability and advantage of every token
 *     evaluations.jsonl  one line an evaluation of a set
 *     checkpoints/       step-000020/ ...
 */
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { mkdir, readFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import {
  InputError,
  openJsonlAppender,
  sweepTemporaries,
  toError,
  writeJsonAtomic,
  type JsonlAppender,
} from "../base/index.js";
import { listCheckpoints, saveCheckpoint, type RunCheckpoint } from "./checkpoints.js";
import type { Recipe } from "./recipe-schema.js";

/** How far a run has come; `running` after its process has gone means that it was killed. */
export type RunState = "running" | "done" | "stopped" | "failed";

/** manifest.json. */
export interface RunManifest {
  /** Version of this form. */
  readonly format: 1;
  readonly name: string;
  readonly recipe: Recipe;
  /** The recipe's file as given, and what was set over it. */
  readonly source: { readonly path: string; readonly set: readonly string[] };
  readonly seed: number;
  /** sha256 of each dataset, by its place in the recipe (`train`, `eval.night`, ...). */
  readonly data: Readonly<Record<string, string>>;
  /** sha256 of the model folder that the run began from. */
  readonly model: string;
  /** This package's version and the sha256 of its code. */
  readonly code: { readonly version: string; readonly sha256: string };
  /** Node, ONNX Runtime, platform, processor. */
  readonly versions: Readonly<Record<string, string>>;
  readonly state: RunState;
  /** Why it failed. */
  readonly error?: string;
  /** ISO 8601. */
  readonly created: string;
  readonly updated: string;
  /** Steps at which the run was taken up again. */
  readonly resumed: readonly number[];
}

/** A line of one of the files that grow by lines: it says which step it belongs to. */
export interface StepLine {
  /** 1-based: the number of optimiser steps done when the line was written. Step 0 is the untouched policy. */
  readonly step: number;
}

/** The files that grow by lines. */
const LINE_FILES = ["metrics", "rollouts", "tokens", "evaluations"] as const;
/** One of the files that grow by lines. */
export type LineFile = (typeof LINE_FILES)[number];

/** An open run folder; only one process has it open at a time. */
export interface RunFolder {
  readonly path: string;
  readonly manifest: RunManifest;
  /** Changes fields of the manifest. */
  update(change: Partial<Pick<RunManifest, "recipe" | "state" | "error" | "resumed">>): Promise<void>;
  append<L extends StepLine>(file: LineFile, line: L): void;
  /** Drops every line after this step: what an unfinished stretch wrote is written again when the run goes on. */
  rewind(step: number): void;
  /** Flushes the lines, then makes the checkpoint: a checkpoint never knows more than the lines beside it. */
  checkpoint(
    step: number,
    state: unknown,
    options: { readonly keep: number; readonly save: (path: string) => Promise<unknown> },
  ): Promise<RunCheckpoint>;
  /** The newest complete checkpoint. */
  latest(): Promise<RunCheckpoint | undefined>;
  close(): Promise<void>;
}

const MANIFEST = "manifest.json";
const LOCK = "lock.json";

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** Takes the folder for this process. A lock whose process has gone is taken over; another machine's is not. */
function lock(path: string): void {
  const file = join(path, LOCK);
  const mine = JSON.stringify({ pid: process.pid, host: hostname() });
  for (;;) {
    try {
      writeFileSync(file, mine, { flag: "wx" });
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    }
    let holder: { pid?: number; host?: string } = {};
    try {
      holder = JSON.parse(readFileSync(file, "utf8")) as typeof holder;
    } catch {
      // Torn by a kill while it was written: nobody holds it.
    }
    const held =
      holder.pid !== undefined &&
      (holder.host !== hostname() || (holder.pid !== process.pid && alive(holder.pid)));
    if (held)
      throw new InputError(`${path} is in use by process ${holder.pid} on ${holder.host}`, {
        hint: `Wait for it or end it. If that process is long gone, delete ${file}.`,
      });
    rmSync(file, { force: true });
  }
}

async function open(path: string, manifest: RunManifest): Promise<RunFolder> {
  lock(path);
  await sweepTemporaries(path);
  await sweepTemporaries(join(path, "checkpoints"));
  let current = manifest;
  const openFiles = (keep: (line: unknown) => boolean) =>
    Object.fromEntries(
      LINE_FILES.map((name) => [name, openJsonlAppender(join(path, `${name}.jsonl`), { keep })]),
    ) as Record<LineFile, JsonlAppender>;
  let files = openFiles(() => true);
  const checkpoints = join(path, "checkpoints");
  return {
    path,
    get manifest() {
      return current;
    },
    async update(change) {
      current = { ...current, ...change, updated: new Date().toISOString() };
      if (current.state !== "failed") current = { ...current, error: undefined };
      await writeJsonAtomic(join(path, MANIFEST), current);
    },
    append: (file, line) => files[file].append(line),
    rewind(step) {
      for (const file of Object.values(files)) file.close();
      files = openFiles((line) => {
        const at = (line as Partial<StepLine> | null)?.step;
        return typeof at === "number" && at <= step;
      });
    },
    async checkpoint(step, state, options) {
      for (const file of Object.values(files)) file.sync();
      return saveCheckpoint(checkpoints, { step, state }, options);
    },
    latest: async () => (await listCheckpoints(checkpoints)).at(-1),
    async close() {
      for (const file of Object.values(files)) {
        file.sync();
        file.close();
      }
      rmSync(join(path, LOCK), { force: true });
    },
  };
}

/** Whether a folder holds a run. */
export function isRunFolder(path: string): boolean {
  return existsSync(join(path, MANIFEST));
}

/**
 * manifest.json of a run.
 * @throws InputError where there is none, or it is not ours.
 */
export async function readManifest(path: string): Promise<RunManifest> {
  const file = join(path, MANIFEST);
  try {
    const manifest = JSON.parse(await readFile(file, "utf8")) as RunManifest;
    if (manifest.format !== 1) throw new Error(`format ${String(manifest.format)} is not 1`);
    return manifest;
  } catch (error) {
    throw new InputError(`${file}: not a run's manifest: ${toError(error).message}`, {
      hint: "Give the folder that `dip-r1 train` made.",
      cause: error,
    });
  }
}

/**
 * Makes the folder of a new run.
 * @throws InputError where there is a run already.
 */
export async function createRunFolder(
  path: string,
  manifest: Omit<RunManifest, "format" | "state" | "created" | "updated" | "resumed">,
): Promise<RunFolder> {
  if (isRunFolder(path))
    throw new InputError(`${path} holds a run already`, {
      hint: "Go on with it by --resume, or choose another folder by --out.",
    });
  await mkdir(path, { recursive: true });
  const now = new Date().toISOString();
  const whole: RunManifest = {
    format: 1,
    ...manifest,
    state: "running",
    created: now,
    updated: now,
    resumed: [],
  };
  // The manifest first: a folder without one is no run, and lines without a manifest mean nothing.
  await writeJsonAtomic(join(path, MANIFEST), whole);
  return open(path, whole);
}

/** Opens a run to go on with it; lines torn by a kill and unfinished files are cleaned away. */
export async function openRunFolder(path: string): Promise<RunFolder> {
  return open(path, await readManifest(path));
}
