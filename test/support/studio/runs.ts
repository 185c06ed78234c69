/** @file Folders of runs for the studio's tests: copies of the recorded run, in a folder that is removed afterwards. */
import { cpSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  startStudio,
  type StudioServer,
  type StudioServerOptions,
} from "../../../src/server/studio/index.js";

/** The run that scripts/record-studio-run.ts recorded. */
export const recordedRun = fileURLToPath(new URL("../../fixtures/studio-run/", import.meta.url));

/** A folder of runs. */
export interface RunsFolder {
  readonly path: string;
  /** Adds a copy of the recorded run, its manifest changed. @returns its folder */
  add(id: string, change?: (manifest: Manifest) => unknown): string;
  remove(): void;
}

/** As far as tests change it. */
export interface Manifest {
  name: string;
  seed: number;
  state: string;
  created: string;
  recipe: {
    grpo: { steps: number };
    data: { train: { seed: number } };
    rewards: { weights: { look: number } };
  };
  data: Record<string, string>;
}

/** An empty folder of runs. */
export function makeRunsFolder(): RunsFolder {
  const path = realpathSync(mkdtempSync(join(tmpdir(), "dip-r1-studio-")));
  return {
    path,
    add(id, change) {
      const run = join(path, id);
      mkdirSync(run, { recursive: true });
      cpSync(recordedRun, run, { recursive: true });
      if (change) {
        const file = join(run, "manifest.json");
        const manifest = JSON.parse(readFileSync(file, "utf8")) as Manifest;
        change(manifest);
        writeFileSync(file, JSON.stringify(manifest));
      }
      return run;
    },
    remove: () => rmSync(path, { recursive: true, force: true }),
  };
}

/** Starts a studio that looks for changes often and has no models but those given. */
export function startTestStudio(
  folder: string,
  options: Partial<StudioServerOptions> = {},
): Promise<StudioServer> {
  return startStudio({ folder, interval: 20, models: { shipped: join(folder, "no-models") }, ...options });
}

/** Lines of a file of the recorded run. */
export function recordedLines(name: string): string[] {
  return readFileSync(join(recordedRun, name), "utf8")
    .split("\n")
    .filter((line) => line !== "");
}
