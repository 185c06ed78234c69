/** @file What a run works with, opened from its recipe: its data, and the engine it names. */
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { InputError } from "../base/index.js";
import { modelFolderIn } from "./model-folder.js";
import type { LoadedRecipe } from "./recipe.js";
import { openRunData } from "./run-data.js";
import type { RunParts } from "./run-parts.js";

/** The model folder a recipe names. @throws InputError where there is none. */
export function modelFolder({ recipe, folder, path }: LoadedRecipe): string {
  const directory = modelFolderIn(resolve(folder, recipe.engine.model));
  if (!existsSync(directory))
    throw new InputError(`${path}: "engine.model": there is no folder ${directory}`, {
      hint: "Paths in a recipe are relative to the recipe's folder.",
    });
  return directory;
}

/**
 * Opens everything a recipe names.
 * @throws InputError for data or models that are not there; UnavailableError for a device that is not.
 */
export async function openParts(loaded: LoadedRecipe): Promise<RunParts> {
  const modelDir = modelFolder(loaded);
  // Data first: a wrong path shows before the minutes a large model takes to load.
  const data = await openRunData(loaded);
  if (loaded.recipe.engine.kind === "tinker") {
    const { openTinkerParts } = await import("./tinker-parts.js");
    return openTinkerParts(loaded, modelDir, data);
  }
  const { openLocalParts } = await import("./local-parts.js");
  return openLocalParts(loaded, modelDir, data);
}
