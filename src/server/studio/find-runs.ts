/** @file Finds the runs below a folder: folders with a manifest.json, however deep; what is within a run is its own. */
import { lstat, readdir } from "node:fs/promises";
import { basename, join } from "node:path";

/** A run's folder. */
export interface FoundRun {
  /** Names from the root joined by `/`; the root's own name where the root itself is a run. */
  readonly id: string;
  readonly path: string;
}

/** What was found. */
export interface FoundRuns {
  readonly runs: readonly FoundRun[];
  readonly problems: readonly { readonly id: string; readonly message: string }[];
}

/** Deeper folders are not looked at. */
const DEPTH = 6;
/** Folders looked at: who starts the studio in the root of a disk gets a word instead of a wait. */
const FOLDERS = 5000;
const SKIPPED = new Set(["node_modules", "checkpoints", "evaluations", "overlays"]);

/** Looks for runs. Hidden folders and symbolic links are passed over; a link to a run is named as a problem. */
export async function findRuns(root: string): Promise<FoundRuns> {
  const runs: FoundRun[] = [];
  const problems: { id: string; message: string }[] = [];
  let looked = 0;
  const visit = async (path: string, names: readonly string[]): Promise<void> => {
    if (looked++ >= FOLDERS) return;
    const entries = await readdir(path, { withFileTypes: true }).catch(() => []);
    if (entries.some((entry) => entry.name === "manifest.json")) {
      runs.push({ id: names.length === 0 ? basename(path) : names.join("/"), path });
      return;
    }
    for (const entry of entries) {
      if (entry.name.startsWith(".") || SKIPPED.has(entry.name)) continue;
      const inner = [...names, entry.name];
      if (entry.isDirectory() && inner.length <= DEPTH) await visit(join(path, entry.name), inner);
      else if (entry.isSymbolicLink() && (await isRunBehind(join(path, entry.name))))
        problems.push({
          id: inner.join("/"),
          message: "a symbolic link to a run elsewhere is not followed: open the folder where the run is",
        });
    }
  };
  await visit(root, []);
  if (looked > FOLDERS)
    problems.push({
      id: basename(root),
      message: `has more than ${FOLDERS} folders: give the folder that holds the runs themselves`,
    });
  return { runs, problems };
}

const isRunBehind = (path: string): Promise<boolean> =>
  lstat(join(path, "manifest.json")).then(
    () => true,
    () => false,
  );
