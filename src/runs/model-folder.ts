/** @file Where the weights are in what somebody calls a model: the folder itself, a run's result, or one of its checkpoints. */
import { existsSync } from "node:fs";
import { join } from "node:path";

/** The folder of a run's result within the run's. */
export const RESULT_FOLDER = "model";
/** The folder that the engine writes within a checkpoint's. */
export const ENGINE_FOLDER = "engine";

/**
 * The Hugging Face folder meant by a path: `models/base` is one, `runs/start` has one in model/, and
 * `runs/start/checkpoints/step-000124` in engine/. The path itself where none of them has a config.json, so that who
 * opens it says what is missing.
 */
export function modelFolderIn(path: string): string {
  const within = [path, join(path, ENGINE_FOLDER), join(path, RESULT_FOLDER)];
  return within.find((folder) => existsSync(join(folder, "config.json"))) ?? path;
}
