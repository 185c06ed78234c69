/**
 * @file The only way by which the studio opens files of a run: by plain names below a folder, never through a symbolic
 * link that leaves it, never anything but a file. A run may come from anybody, and what a link in it points to is nobody's
 * to show.
 */
import { constants, type Stats } from "node:fs";
import { open, realpath, type FileHandle } from "node:fs/promises";
import { join, sep } from "node:path";
import { HttpError } from "../http-error.js";

const isPlainName = (name: string): boolean =>
  name !== "" && name !== "." && name !== ".." && !/[/\\\0]/.test(name);

const isMissing = (error: unknown): boolean =>
  ["ENOENT", "ENOTDIR", "ENAMETOOLONG"].includes((error as NodeJS.ErrnoException).code ?? "");

/** Whether a real path is a folder or lies below it. */
export const isInside = (folder: string, path: string): boolean =>
  path === folder || path.startsWith(folder.endsWith(sep) ? folder : folder + sep);

/**
 * Where a file or folder below `root` really is; nothing where there is none.
 * @param root a real path
 * @throws HttpError `forbidden` for names that are none and for links that leave the root
 */
export async function locateInside(root: string, names: readonly string[]): Promise<string | undefined> {
  if (!names.every(isPlainName))
    throw new HttpError("forbidden", "that is not the name of a file of the run");
  let path: string;
  try {
    path = await realpath(join(root, ...names));
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
  if (!isInside(root, path))
    throw new HttpError("forbidden", `${names.join("/")} is a symbolic link that leaves its folder`, {
      hint: "The studio only shows files of the runs folder itself. Copy the run into it, or open the folder where it is.",
    });
  return path;
}

/** An open file and what is known of it. */
export interface OpenFile {
  readonly handle: FileHandle;
  readonly stats: Stats;
}

/**
 * Opens a file below `root` for reading; nothing where there is none. The caller closes it.
 * @throws HttpError as {@link locateInside}, and for what is no plain file
 */
export async function openInside(root: string, names: readonly string[]): Promise<OpenFile | undefined> {
  const path = await locateInside(root, names);
  if (path === undefined) return undefined;
  // O_NOFOLLOW: it may have become a link since; O_NONBLOCK: a pipe must not hold us.
  const { O_RDONLY, O_NOFOLLOW = 0, O_NONBLOCK = 0 } = constants;
  let handle: FileHandle;
  try {
    handle = await open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
  const stats = await handle.stat();
  if (stats.isFile()) return { handle, stats };
  await handle.close();
  throw new HttpError("forbidden", `${names.join("/")} is not a file`);
}

/** Reads a whole file below `root`; nothing where there is none. @throws HttpError as {@link openInside} */
export async function readInside(root: string, names: readonly string[]): Promise<Buffer | undefined> {
  const file = await openInside(root, names);
  if (file === undefined) return undefined;
  try {
    return await file.handle.readFile();
  } finally {
    await file.handle.close();
  }
}

/** Reads a slice of a file below `root`, shorter where the file is. @throws HttpError as {@link openInside} */
export async function readSlice(
  root: string,
  names: readonly string[],
  start: number,
  length: number,
): Promise<Buffer> {
  const file = await openInside(root, names);
  if (file === undefined) return Buffer.alloc(0);
  try {
    const buffer = Buffer.alloc(Math.max(0, Math.min(length, file.stats.size - start)));
    const { bytesRead } = await file.handle.read(buffer, 0, buffer.length, start);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.handle.close();
  }
}
