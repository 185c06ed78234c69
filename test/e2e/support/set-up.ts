/**
 * @file Before all browser tests: the page is built, a studio serves the recorded run, another one a run that is training at
 * that moment, others an empty folder and a run full of what could be taken for code. Tests get their addresses by
 * `inject("recorded")` and the like.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { TestProject } from "vitest/node";
import { findChromium } from "./browser.js";
import { makeHostileRun, makeRecordedRuns, startStudioProcess, startTraining } from "./studio-process.js";

declare module "vitest" {
  export interface ProvidedContext {
    /** Address of the studio on the recorded runs `tiny` and `second`. */
    readonly recorded: string;
    /** Address of the studio on the run `training`, which is training. */
    readonly training: string;
    /** Address of a studio on an empty folder. */
    readonly empty: string;
    /** Address of a studio on the run `hostile`, whose texts are HTML with scripts. */
    readonly hostile: string;
  }
}

/** Into a folder of its own: a page that somebody is looking at stays what it is. */
function buildPage(folder: string): void {
  const root = fileURLToPath(new URL("../../../", import.meta.url));
  const { status, stdout, stderr } = spawnSync(
    "npm",
    ["run", "--silent", "build", "-w", "studio", "--", "--outDir", folder, "--logLevel", "warn"],
    { cwd: root, encoding: "utf8" },
  );
  if (status !== 0) throw new Error(`the page cannot be built:\n${stdout}${stderr}`);
}

export default async function setUp(project: TestProject): Promise<(() => Promise<void>) | undefined> {
  if (findChromium() === undefined) return undefined;
  const folder = mkdtempSync(join(tmpdir(), "dip-r1-e2e-"));
  const at = (name: string) => join(folder, name);
  buildPage(at("page"));
  makeRecordedRuns(at("recorded"));
  makeHostileRun(at("hostile"));
  mkdirSync(at("empty"));
  const training = await startTraining(at("training"));
  const names = ["recorded", "training", "empty", "hostile"] as const;
  const studios = await Promise.all(
    names.map((name) => startStudioProcess(at(name), ["--page", at("page")])),
  );
  names.forEach((name, i) => project.provide(name, studios[i]!.url));
  return async () => {
    await Promise.all([training, ...studios].map((one) => one.stop()));
    rmSync(folder, { recursive: true, force: true });
  };
}
