/** @file The few file operations this folder shares: JSON in with good errors, bytes out atomically. */
import { mkdir, open, readFile, rename, rm } from "node:fs/promises";
import { randomUUID } from "node:crypto";
import { dirname } from "node:path";
import { InputError, toError } from "../base/errors.js";

/** Whether an error of node:fs says that there is no such file. */
export function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOENT";
}

/** A text file, or undefined where there is none. Other failures are an InputError. */
export async function readTextIfAny(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (isMissing(error)) return undefined;
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

/** Writes a file so that a reader sees the old one or the whole new one, never a part: `write` fills a temporary neighbour. */
export async function writeAtomic(
  path: string,
  write: (file: Awaited<ReturnType<typeof open>>) => Promise<void>,
): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const temporary = `${path}.${randomUUID().slice(0, 8)}.tmp`;
  try {
    const file = await open(temporary, "wx");
    try {
      await write(file);
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

/** Writes text atomically. */
export function writeTextAtomic(path: string, text: string): Promise<void> {
  return writeAtomic(path, (file) => file.writeFile(text));
}

/** Writes a value as JSON, indented by two, atomically. */
export function writeJsonAtomic(path: string, value: unknown): Promise<void> {
  return writeTextAtomic(path, `${JSON.stringify(value, null, 2)}\n`);
}
