/** @file A local engine's state on disk: weights as Hugging Face has them, and the optimiser's moments beside them. */
import { join } from "node:path";
import { writeFolderAtomic, writeJsonAtomic } from "../../base/atomic-file.js";
import { InputError } from "../../base/errors.js";
import { formatConfig, type QwenConfig, type StoredDtype } from "../../qwen/config.js";
import { readJsonIfAny } from "../../qwen/files.js";
import { copyProcessorFiles } from "../../qwen/processor.js";
import { openSafetensors, writeSafetensors, type StoredTensor } from "../../qwen/safetensors.js";
import { saveWeights } from "../../qwen/weights.js";
import type { AdamWState, Moments } from "../../tensor/index.js";
import { mergedWeights, type ModelState } from "./model-state.js";

const TRAINED = "trained.safetensors";
const OPTIMIZER = "optimizer.safetensors";
const STATE = "engine.json";

export interface CheckpointContent {
  readonly config: QwenConfig;
  readonly state: ModelState;
  readonly optimizer: AdamWState;
  /** The model folder whose tokenizer and processor files go along. */
  readonly modelDir: string;
}

/** Writes a whole Hugging Face folder: adapters merged, tokenizer and processor files copied. */
export async function writeModelFolder(
  path: string,
  { config, state, modelDir }: Pick<CheckpointContent, "config" | "state" | "modelDir">,
  dtype: StoredDtype = "float32",
): Promise<void> {
  await writeJsonAtomic(join(path, "config.json"), formatConfig(config, { dtype }));
  await saveWeights(path, config, mergedWeights(config, state), { dtype });
  await copyProcessorFiles(modelDir, path);
}

function flat(data: Float32Array): StoredTensor {
  return { shape: [data.length], dtype: "F32", data };
}

/** Writes a checkpoint folder atomically. The model in it opens on its own, also in transformers. */
export async function saveCheckpoint(path: string, content: CheckpointContent): Promise<void> {
  const { state, optimizer } = content;
  await writeFolderAtomic(path, async (folder) => {
    await writeModelFolder(folder, content);
    if (state.adapters.size > 0) {
      const own = [...state.trainable].map((name) => [name, flat(state.weights.get(name)!)] as const);
      await writeSafetensors(join(folder, TRAINED), new Map(own));
    }
    const moments = [...optimizer.moments].flatMap(
      ([name, { m, v }]) =>
        [
          [`m.${name}`, flat(m)],
          [`v.${name}`, flat(v)],
        ] as const,
    );
    await writeSafetensors(join(folder, OPTIMIZER), new Map(moments));
    await writeJsonAtomic(join(folder, STATE), { step: optimizer.step });
  });
}

/**
 * Reads a checkpoint into a state of the same form, in place.
 *
 * @param loadFull reads all weights of a model folder.
 * @returns the optimiser's state.
 * @throws InputError where files are missing or are of another model or another choice of trained weights.
 */
export async function loadCheckpoint(
  path: string,
  state: ModelState,
  loadFull: (directory: string) => Promise<ReadonlyMap<string, Float32Array>>,
): Promise<AdamWState> {
  const info = await readJsonIfAny(join(path, STATE));
  if (typeof info !== "object" || info === null || !("step" in info) || typeof info.step !== "number") {
    throw new InputError(`${path} is no checkpoint of the local engine: ${STATE} is missing or broken`, {
      hint: "A model folder alone starts a new run; --resume needs a run's checkpoint folder.",
    });
  }
  const optimizer = await openSafetensors(join(path, OPTIMIZER));
  const trained = state.adapters.size > 0 ? await openSafetensors(join(path, TRAINED)) : undefined;
  const full = trained === undefined ? await loadFull(path) : undefined;
  const moments = new Map<string, Moments>();
  for (const name of state.trainable) {
    const target = state.weights.get(name)!;
    const value = trained === undefined ? full!.get(name) : await trained.readFloat32(name);
    const m = await optimizer.readFloat32(`m.${name}`);
    const v = await optimizer.readFloat32(`v.${name}`);
    if (value?.length !== target.length || m.length !== target.length || v.length !== target.length) {
      throw new InputError(
        `${path}: "${name}" does not have the ${target.length} elements of this run's model`,
      );
    }
    target.set(value);
    moments.set(name, { m, v });
  }
  return { step: info.step, moments };
}
