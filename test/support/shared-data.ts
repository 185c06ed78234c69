/** @file Data of others, read in place where they are at hand: not ours to pass on, so never in the repository. */
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

/** A path under the folder of shared data that lies beside the project. */
export function sharedPath(path: string): string {
  return fileURLToPath(new URL(`../../../shared/${path}`, import.meta.url));
}

/**
 * Whether these are at hand, for `describe.skipIf`; where not, says so on the console, and a test fails in CI.
 * @param what in words
 */
export function sharedPresent(what: string, ...paths: string[]): boolean {
  const present = paths.every((path) => existsSync(sharedPath(path)));
  if (!present) console.warn(`${what}: not here, so its tests are skipped.`);
  it.runIf(process.env["CI"] === "true")(`${what} is at hand in CI`, () => expect(present).toBe(true));
  return present;
}
