/** @file What a run on the embedded engine works with. */
import { codeFingerprint, deriveSeed, fingerprintPath } from "../base/index.js";
import { createLocalEngine } from "../engines/local/engine.js";
import { qwenCodec, qwenEncoder, qwenTeacher } from "../rl/index.js";
import { environmentVersions } from "./environment.js";
import { readModelTask, writeModelTask } from "./model-task.js";
import type { LoadedRecipe } from "./recipe.js";
import type { OpenedData, RunParts } from "./run-parts.js";

/**
 * Opens the engine and puts the data beside it.
 * @throws InputError for a folder that is no model, UnavailableError for a device that is not there.
 */
export async function openLocalParts(
  { recipe }: LoadedRecipe,
  modelDir: string,
  data: OpenedData,
): Promise<RunParts> {
  const { trainable } = recipe;
  const freezeVision = trainable.vision === "frozen";
  const engine = await createLocalEngine({
    modelDir,
    device: recipe.engine.device,
    maxPixels: recipe.engine.maxPixels,
    seed: recipe.seed,
    trainable:
      trainable.kind === "full"
        ? { kind: "full", freezeVision }
        : {
            kind: "lora",
            rank: trainable.rank,
            alpha: trainable.alpha,
            targets: trainable.targets,
            freezeVision,
          },
  });
  const { labels } = recipe.data;
  const profile = recipe.profile ?? (await readModelTask(modelDir)).profile;
  const saveTask = (path: string) => writeModelTask(path, { prompt: recipe.prompt, labels, profile });
  return {
    engine,
    profile,
    codec: qwenCodec(engine.processor, engine.config.tokens.eos),
    encode: qwenEncoder(engine.processor, { prompt: recipe.prompt, labels, profile }),
    teach: qwenTeacher({ labels }),
    source: data.source(deriveSeed(recipe.seed, "data")),
    sets: data.sets,
    provenance: {
      data: data.fingerprints,
      model: await fingerprintPath(modelDir),
      code: await codeFingerprint(),
      versions: await environmentVersions(),
    },
    warnings: data.warnings,
    async exportModel(path) {
      await engine.exportModel(path);
      await saveTask(path);
    },
    saveTask,
    summary: () => `${engine.graphsBuilt} graphs built`,
  };
}
