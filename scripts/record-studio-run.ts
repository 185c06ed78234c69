/**
 * @file Records test/fixtures/studio-run: trains test/support/studio/recipe.yaml and keeps what the studio shows of a run,
 * without weights and checkpoints, and without what would name the machine.
 *
 *     node --import tsx scripts/record-studio-run.ts
 */
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createLogger, writeJsonAtomic } from "../src/base/index.js";
import { loadRecipe, readManifest, train } from "../src/runs/index.js";

const recipe = fileURLToPath(new URL("../test/support/studio/recipe.yaml", import.meta.url));
const fixture = fileURLToPath(new URL("../test/fixtures/studio-run/", import.meta.url));

const folder = mkdtempSync(join(tmpdir(), "dip-r1-record-"));
try {
  const out = join(folder, "run");
  const logger = createLogger();
  await train({
    loaded: await loadRecipe(recipe),
    out,
    logger,
    onEvent: (event) => {
      if (event.kind === "grpo") logger.progress(`step ${event.step.step} of ${event.steps}`);
    },
  });
  logger.endProgress();
  rmSync(fixture, { recursive: true, force: true });
  for (const name of ["metrics.jsonl", "rollouts.jsonl", "tokens.jsonl", "evaluations.jsonl", "evaluations"])
    cpSync(join(out, name), join(fixture, name), { recursive: true });
  const manifest = await readManifest(out);
  await writeJsonAtomic(join(fixture, "manifest.json"), {
    ...manifest,
    // The data is generated: no folder is needed to find it again.
    source: { path: "recipe.yaml", set: [] },
    versions: { ...manifest.versions, processor: "2 x some processor" },
  });
} finally {
  rmSync(folder, { recursive: true, force: true });
}
