/** @file Where a dataset's pictures lie: the usual folders beside an annotation file, and names in sub-folders. */
import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { basename, join, resolve } from "node:path";

/** The first of these folders that is there, else the first. */
export function firstFolder(candidates: readonly [string, ...string[]]): string {
  return candidates.find((folder) => existsSync(folder)) ?? candidates[0];
}

/** The file with one of these endings (".jpg", ".png") that is there, else the one with the first ending. */
export function firstEnding(stem: string, endings: readonly [string, ...string[]]): string {
  return stem + (endings.find((ending) => existsSync(stem + ending)) ?? endings[0]);
}

const PICTURE = /\.(jpe?g|png|webp|bmp|tiff?)$/i;

/**
 * Every picture under a folder, by its file name: for datasets whose annotations name files without their sub-folders.
 * Empty where there is no such folder. A name that occurs twice is given with the path that sorts first.
 */
export async function indexPictures(folder: string): Promise<Map<string, string>> {
  const index = new Map<string, string>();
  if (!existsSync(folder)) return index;
  const names = (await readdir(folder, { recursive: true })).filter((name) => PICTURE.test(name)).sort();
  for (const name of names) {
    const file = basename(name);
    if (!index.has(file)) index.set(file, join(folder, name));
  }
  return index;
}

/** The path of a picture by the name that annotations give it: under the folder, or wherever the index found it. */
export function picturePath(folder: string, name: string, index: ReadonlyMap<string, string>): string {
  const direct = resolve(folder, name);
  if (existsSync(direct)) return direct;
  return index.get(basename(name)) ?? direct;
}
