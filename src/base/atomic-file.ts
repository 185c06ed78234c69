/**
 * @file Files and folders that are whole or absent, never half: written beside their place, flushed to disk and
 * renamed. A kill at any moment leaves either the old content or the new.
 */
import { randomBytes } from "node:crypto";
import { mkdir, open, readdir, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

/** Every unfinished file and folder starts with this, so that leftovers of a killed process can be told and swept. */
export const TEMPORARY_PREFIX = ".tmp-";

function temporaryName(path: string): string {
  return join(dirname(path), `${TEMPORARY_PREFIX}${basename(path)}-${randomBytes(6).toString("hex")}`);
}

/** Flushes a file or a folder's entry table to disk; file systems that cannot sync a folder are let off. */
async function sync(path: string, kind: "file" | "folder"): Promise<void> {
  let handle;
  try {
    handle = await open(path, kind === "file" ? "r+" : "r");
    await handle.sync();
  } catch (error) {
    if (kind === "file") throw error;
  } finally {
    await handle?.close();
  }
}

async function syncTree(folder: string): Promise<void> {
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) await syncTree(path);
    else if (entry.isFile()) await sync(path, "file");
  }
  await sync(folder, "folder");
}

/** Writes a file by temporary file, fsync and rename; makes its folder where there is none. */
export async function writeFileAtomic(path: string, data: string | Uint8Array): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const temporary = temporaryName(path);
  try {
    const handle = await open(temporary, "wx");
    try {
      await handle.writeFile(data);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  await sync(dirname(path), "folder");
}

/** {@link writeFileAtomic} of a value as indented JSON with a final newline. */
export async function writeJsonAtomic(path: string, value: unknown): Promise<void> {
  await writeFileAtomic(path, JSON.stringify(value, null, 2) + "\n");
}

/**
 * Makes a whole folder atomically: `fill` writes into a temporary folder, which is flushed and renamed to `path`.
 * A folder that is already at `path` is replaced.
 */
export async function writeFolderAtomic(
  path: string,
  fill: (temporary: string) => Promise<void>,
): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const temporary = temporaryName(path);
  await mkdir(temporary);
  try {
    await fill(temporary);
    await syncTree(temporary);
    // rename(2) does not replace a folder that has content: the old one steps aside first.
    const old = temporaryName(path);
    const replaced = await rename(path, old).then(
      () => true,
      () => false,
    );
    await rename(temporary, path);
    if (replaced) await rm(old, { recursive: true, force: true });
  } catch (error) {
    await rm(temporary, { recursive: true, force: true });
    throw error;
  }
  await sync(dirname(path), "folder");
}

/** Removes what a killed process left unfinished in a folder (not in its subfolders). */
export async function sweepTemporaries(folder: string): Promise<void> {
  const names = await readdir(folder).catch(() => []);
  for (const name of names)
    if (name.startsWith(TEMPORARY_PREFIX)) await rm(join(folder, name), { recursive: true, force: true });
}
