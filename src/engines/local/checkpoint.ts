/**
 * @file A local engine's state on disk: a model folder as Hugging Face has it, the optimiser's moments beside it, and
 * a LoRA run's adapter in a folder that PEFT opens.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { writeFolderAtomic, writeJsonAtomic } from "../../base/atomic-file.js";
import { InputError } from "../../base/errors.js";
import { formatConfig, type QwenConfig, type StoredDtype } from "../../qwen/config.js";
import { readJsonIfAny } from "../../qwen/files.js";
import { loraNames } from "../../qwen/layers.js";
import { loadAdapter, saveAdapter } from "../../qwen/peft.js";
import { copyProcessorFiles } from "../../qwen/processor.js";
import {
  openSafetensors,
  readSafetensors,
  writeSafetensors,
  type StoredTensor,
} from "../../qwen/safetensors.js";
import { saveWeights } from "../../qwen/weights.js";
import type { AdamWState, Moments } from "../../tensor/index.js";
import { isDenseName } from "./dense-head.js";
import { adapterMatrices, mergedWeights, type ModelState } from "./model-state.js";

/** The folder of a LoRA run's adapter within a checkpoint, in PEFT's layout. */
export const ADAPTER_FOLDER = "adapter";
const OPTIMIZER = "optimizer.safetensors";
const DENSE_HEAD = "dense_head.safetensors";
const STATE = "engine.json";

/** What a checkpoint is made of. */
export interface CheckpointContent {
  readonly config: QwenConfig;
  readonly state: ModelState;
  readonly optimizer: AdamWState;
  /** The model folder whose tokenizer and processor files go along. */
  readonly modelDir: string;
  /** The budget of pixels it was opened with. @default the folder's own */
  readonly maxPixels?: number | undefined;
}

/** Writes a whole Hugging Face folder: adapters merged, tokenizer and processor files copied. */
export async function writeModelFolder(
  path: string,
  { config, state, modelDir, maxPixels }: Omit<CheckpointContent, "optimizer">,
  dtype: StoredDtype = "float32",
): Promise<void> {
  await writeJsonAtomic(join(path, "config.json"), formatConfig(config, { dtype }));
  await saveWeights(path, config, mergedWeights(config, state), { dtype });
  await copyProcessorFiles(modelDir, path, { maxPixels });
}

function flat(data: Float32Array): StoredTensor {
  return { shape: [data.length], dtype: "F32", data };
}

/** Writes a checkpoint folder atomically. The model in it opens on its own, also in transformers. */
export async function saveCheckpoint(path: string, content: CheckpointContent): Promise<void> {
  const { state, optimizer, modelDir } = content;
  await writeFolderAtomic(path, async (folder) => {
    await writeModelFolder(folder, content);
    if (state.lora !== undefined) {
      await saveAdapter(join(folder, ADAPTER_FOLDER), {
        ...state.lora,
        baseModel: modelDir,
        modules: adapterMatrices(state),
      });
    }
    const head = [...state.trainable].filter(isDenseName);
    if (head.length > 0) {
      const tensors = new Map(head.map((name) => [name, flat(state.weights.get(name)!)]));
      await writeSafetensors(join(folder, DENSE_HEAD), tensors);
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
 * What a checkpoint holds of a state's trained weights, by name. A pretraining head that it does not hold starts anew:
 * it is an aid, and a run may add it later.
 */
async function readTrained(
  path: string,
  state: ModelState,
  options: LoadOptions,
): Promise<Map<string, Float32Array>> {
  const trained = new Map(
    state.lora === undefined
      ? await options.loadFull(path)
      : await readAdapter(join(path, ADAPTER_FOLDER), state, options.config),
  );
  if (existsSync(join(path, DENSE_HEAD))) {
    for (const [name, { data }] of await readSafetensors(join(path, DENSE_HEAD))) {
      trained.set(name, data as Float32Array);
    }
  } else {
    for (const name of [...state.trainable].filter(isDenseName)) {
      trained.set(name, new Float32Array(state.weights.get(name)!.length));
    }
  }
  return trained;
}

/** @throws InputError where the adapter on disk is of other layers, rank or scale than the run's. */
async function readAdapter(
  directory: string,
  state: ModelState,
  config: QwenConfig,
): Promise<Map<string, Float32Array>> {
  const adapter = await loadAdapter(directory, config);
  const trained = new Map<string, Float32Array>();
  for (const [module, { rank, scale, a, b }] of adapter.modules) {
    const own = state.adapters.get(module);
    if (own?.rank !== rank || own.scale !== scale) {
      const asked = own === undefined ? "no adapter" : `rank ${own.rank} and scale ${own.scale}`;
      throw new InputError(
        `${directory}: "${module}" has rank ${rank} and scale ${scale}, this run asks for ${asked} there`,
        { hint: "Resume with the targets, rank and alpha the run began with." },
      );
    }
    const names = loraNames(module);
    trained.set(names.a, a).set(names.b, b);
  }
  return trained;
}

/** How {@link loadCheckpoint} reads the weights that it finds. */
export interface LoadOptions {
  readonly config: QwenConfig;
  /** Reads all weights of a model folder. */
  readonly loadFull: (directory: string) => Promise<ReadonlyMap<string, Float32Array>>;
}

/**
 * Reads a checkpoint into a state of the same form, in place; where it throws, the state is as it was.
 *
 * @returns the optimiser's state.
 * @throws InputError where files are missing or are of another model or another choice of trained weights.
 */
export async function loadCheckpoint(
  path: string,
  state: ModelState,
  options: LoadOptions,
): Promise<AdamWState> {
  const info = await readJsonIfAny(join(path, STATE));
  if (typeof info !== "object" || info === null || !("step" in info) || typeof info.step !== "number") {
    throw new InputError(`${path} is no checkpoint of the local engine: ${STATE} is missing or broken`, {
      hint: "A model folder alone starts a new run; --resume needs a run's checkpoint folder.",
    });
  }
  const headless = !existsSync(join(path, DENSE_HEAD));
  const trained = await readTrained(path, state, options);
  const optimizer = await openSafetensors(join(path, OPTIMIZER));
  const strange = [...optimizer.tensors.keys()].find(
    (name) => !state.trainable.has(name.slice(2)) && !isDenseName(name.slice(2)),
  );
  if (strange !== undefined) {
    throw new InputError(`${path}: "${strange.slice(2)}" was trained, in this run it is not`, {
      hint: "Resume with the trainable part the run began with.",
    });
  }
  const moments = new Map<string, Moments>();
  for (const name of state.trainable) {
    const size = state.weights.get(name)!.length;
    const value = trained.get(name);
    if (headless && isDenseName(name)) {
      moments.set(name, { m: new Float32Array(size), v: new Float32Array(size) });
      continue;
    }
    if (value === undefined || !optimizer.tensors.has(`m.${name}`)) {
      throw new InputError(`${path}: "${name}" was not trained, in this run it is`, {
        hint: "Resume with the trainable part the run began with.",
      });
    }
    const m = await optimizer.readFloat32(`m.${name}`);
    const v = await optimizer.readFloat32(`v.${name}`);
    if (value.length !== size || m.length !== size || v.length !== size) {
      throw new InputError(`${path}: "${name}" does not have the ${size} elements of this run's model`);
    }
    moments.set(name, { m, v });
  }
  for (const name of state.trainable) state.weights.get(name)!.set(trained.get(name)!);
  return { step: info.step, moments };
}
