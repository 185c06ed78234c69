/**
 * @file Checkpoints of a run: one folder a step, made atomically, found by looking for complete ones, the last few
 * kept. There is no "latest" pointer that a kill could leave dangling.
 */
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import { sweepTemporaries, TEMPORARY_PREFIX, writeFolderAtomic } from "../base/index.js";
import { ENGINE_FOLDER } from "./model-folder.js";

/** A complete checkpoint. */
export interface RunCheckpoint {
  /** Its folder. */
  readonly path: string;
  /** Folder that the engine wrote. */
  readonly enginePath: string;
  /** Optimiser steps done. */
  readonly step: number;
  /** What the loop needs to go on: whatever it handed out, as JSON. */
  readonly state: unknown;
}

/** checkpoint.json: the seal, written last. */
interface Seal {
  readonly step: number;
  readonly state: unknown;
  /** Bytes of each file, by path relative to the checkpoint. */
  readonly files: Readonly<Record<string, number>>;
}

const SEAL = "checkpoint.json";
const NAME = /^step-(\d{6,})$/;

async function sizesUnder(folder: string, root = folder): Promise<Record<string, number>> {
  const sizes: Record<string, number> = {};
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) Object.assign(sizes, await sizesUnder(path, root));
    else sizes[relative(root, path).split(sep).join("/")] = (await stat(path)).size;
  }
  return sizes;
}

/** The checkpoint in a folder, or nothing where any part of it is missing or short. */
async function readCheckpoint(path: string): Promise<RunCheckpoint | undefined> {
  try {
    const seal = JSON.parse(await readFile(join(path, SEAL), "utf8")) as Seal;
    for (const [name, bytes] of Object.entries(seal.files))
      if ((await stat(join(path, name))).size !== bytes) return undefined;
    return { path, enginePath: join(path, ENGINE_FOLDER), step: seal.step, state: seal.state };
  } catch {
    return undefined;
  }
}

/** Every complete checkpoint under `folder`, oldest first. */
export async function listCheckpoints(folder: string): Promise<RunCheckpoint[]> {
  const names = (await readdir(folder).catch(() => [])).filter((name) => NAME.test(name));
  const found = await Promise.all(names.map((name) => readCheckpoint(join(folder, name))));
  return found.filter((checkpoint) => checkpoint !== undefined).sort((a, b) => a.step - b.step);
}

/** A folder is moved out of sight before it is deleted, so that a kill cannot leave half of it under its name. */
async function discard(folder: string, name: string): Promise<void> {
  const hidden = join(folder, `${TEMPORARY_PREFIX}old-${name}`);
  await rm(hidden, { recursive: true, force: true });
  await rename(join(folder, name), hidden);
  await rm(hidden, { recursive: true, force: true });
}

/**
 * Makes the checkpoint of a step and then removes all but the last `keep`.
 * @param save Writes weights and optimiser into the folder it is given.
 */
export async function saveCheckpoint(
  folder: string,
  checkpoint: { readonly step: number; readonly state: unknown },
  options: { readonly keep: number; readonly save: (path: string) => Promise<unknown> },
): Promise<RunCheckpoint> {
  const { step, state } = checkpoint;
  const path = join(folder, `step-${String(step).padStart(6, "0")}`);
  await writeFolderAtomic(path, async (temporary) => {
    await mkdir(join(temporary, ENGINE_FOLDER));
    await options.save(join(temporary, ENGINE_FOLDER));
    const seal: Seal = { step, state, files: await sizesUnder(temporary) };
    await writeFile(join(temporary, SEAL), JSON.stringify(seal));
  });
  const kept = new Set((await listCheckpoints(folder)).slice(-options.keep).map((one) => one.path));
  for (const name of await readdir(folder))
    if (NAME.test(name) && !kept.has(join(folder, name))) await discard(folder, name);
  await sweepTemporaries(folder);
  return { path, enginePath: join(path, ENGINE_FOLDER), step, state };
}
