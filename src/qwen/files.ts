/** @file The few file operations this folder shares: text and JSON in with good errors, bytes streamed out atomically. */
import { randomUUID } from "node:crypto";
import { mkdir, open, readFile, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { TEMPORARY_PREFIX } from "../base/atomic-file.js";
import { InputError, toError } from "../base/errors.js";

/** A text file, or undefined where there is none. Other failures are an InputError. */
export async function readTextIfAny(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw new InputError(`${path}: cannot be read: ${toError(error).message}`, { cause: error });
  }
}

/** JSON text as a value; an InputError names the file. */
export function parseJson(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new InputError(`${path}: not valid JSON: ${toError(error).message}`, {
      hint: "The file may be cut off or a Git LFS pointer; download it again.",
      cause: error,
    });
  }
}

/** A JSON file, or undefined where there is none. */
export async function readJsonIfAny(path: string): Promise<unknown> {
  const text = await readTextIfAny(path);
  return text === undefined ? undefined : parseJson(text, path);
}

/**
 * Writes a file piece by piece, so that a reader sees the old one or the whole new one: into a temporary neighbour,
 * flushed to disk and renamed. For files too large to be held in memory; base/atomic-file.ts writes the others.
 */
export async function streamFileAtomic(path: string, pieces: Iterable<Uint8Array>): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const temporary = join(dirname(path), `${TEMPORARY_PREFIX}${basename(path)}-${randomUUID()}`);
  try {
    const file = await open(temporary, "wx");
    try {
      for (const piece of pieces) await file.writeFile(piece);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}
