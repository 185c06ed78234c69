/** @file All runs of a folder: found again whenever asked, each opened once and read on as it grows. */
import { realpath } from "node:fs/promises";
import { toError } from "../../base/errors.js";
import { HttpError } from "../http-error.js";
import type { RunId } from "./api.js";
import { findRuns } from "./find-runs.js";
import { openStudioRun, type StudioRun } from "./studio-run.js";

/** What a look at the folder found. */
export interface RunLook {
  /** In the order of their ids. */
  readonly runs: readonly StudioRun[];
  readonly problems: readonly { readonly id: RunId; readonly message: string }[];
}

/** The runs of a folder. */
export interface RunStore {
  /** The real folder. */
  readonly root: string;
  /** Looks at the folder and reads every run on. Looks at the same time are one. */
  look(): Promise<RunLook>;
  /** A run, read on. @throws HttpError `not-found` */
  get(id: RunId): Promise<StudioRun>;
}

/** The runs below `folder`, which need not be there yet. */
export function createRunStore(folder: string): RunStore {
  const opened = new Map<RunId, StudioRun>();
  let root = folder;
  let looking: Promise<RunLook> | undefined;

  async function lookNow(): Promise<RunLook> {
    root = await realpath(folder).catch(() => folder);
    const found = await findRuns(root);
    const problems = [...found.problems];
    const runs: StudioRun[] = [];
    const there = new Set(found.runs.map(({ id }) => id));
    for (const { id, path } of found.runs) {
      try {
        let run = opened.get(id);
        if (run === undefined || run.path !== path) opened.set(id, (run = await openStudioRun(id, path)));
        else await run.refresh();
        runs.push(run);
      } catch (error) {
        opened.delete(id);
        problems.push({ id, message: toError(error).message });
      }
    }
    for (const id of opened.keys()) if (!there.has(id)) opened.delete(id);
    return { runs: runs.toSorted((a, b) => (a.id < b.id ? -1 : 1)), problems };
  }

  const look = () => (looking ??= lookNow().finally(() => (looking = undefined)));

  return {
    get root() {
      return root;
    },
    look,
    async get(id) {
      const known = opened.get(id);
      if (known !== undefined) {
        try {
          await known.refresh();
          return known;
        } catch {
          // Gone or broken since: the look below says which.
        }
      }
      const { runs, problems } = await look();
      const run = runs.find((one) => one.id === id);
      if (run !== undefined) return run;
      const problem = problems.find((one) => one.id === id);
      throw new HttpError(
        "not-found",
        problem === undefined ? `there is no run ${id}` : `${id}: ${problem.message}`,
        { hint: "GET /api/runs lists the runs that are there." },
      );
    },
  };
}
