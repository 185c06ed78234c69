/**
 * @file Before all browser tests: the page is built, a studio serves the recorded run, and another one a run that is training
 * at that moment. Tests get their addresses by `inject("recorded")` and `inject("training")`.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { TestProject } from "vitest/node";
import { findChromium } from "./browser.js";
import { makeRecordedRuns, startStudioProcess, startTraining } from "./studio-process.js";

declare module "vitest" {
  export interface ProvidedContext {
    /** Address of the studio on the recorded runs `tiny` and `second`. */
    readonly recorded: string;
    /** Address of the studio on the run `training`, which is training. */
    readonly training: string;
    /** Address of a studio on an empty folder. */
    readonly empty: string;
  }
}

function buildPage(): void {
  const root = fileURLToPath(new URL("../../../", import.meta.url));
  const { status, stdout, stderr } = spawnSync("npm", ["run", "--silent", "build", "-w", "studio"], {
    cwd: root,
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(`the page cannot be built:\n${stdout}${stderr}`);
}

export default async function setUp(project: TestProject): Promise<(() => Promise<void>) | undefined> {
  if (findChromium() === undefined) return undefined;
  buildPage();
  const folder = mkdtempSync(join(tmpdir(), "dip-r1-e2e-"));
  const [recorded, live, nothing] = ["recorded", "live", "empty"].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  makeRecordedRuns(recorded);
  mkdirSync(nothing);
  const training = await startTraining(live);
  const studios = await Promise.all([recorded, live, nothing].map((runs) => startStudioProcess(runs)));
  project.provide("recorded", studios[0]!.url);
  project.provide("training", studios[1]!.url);
  project.provide("empty", studios[2]!.url);
  return async () => {
    await Promise.all([training, ...studios].map((one) => one.stop()));
    rmSync(folder, { recursive: true, force: true });
  };
}
