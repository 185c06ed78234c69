/** @file The models that Detect can open: those given, those of runs, those that come with this package. */
import { readdir, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { InputError } from "../../base/errors.js";
import { qwenCodec, qwenEncoder } from "../../rl/index.js";
import { readModelTask, RESULT_FOLDER } from "../../runs/index.js";
import type { StudioModel } from "./api.js";
import type { ModelSource } from "./detector.js";
import type { RunStore } from "./run-store.js";
import { locateInside } from "./safe-file.js";

/** Where the package keeps the models that it ships. */
export const SHIPPED_MODELS = fileURLToPath(new URL("../../../models/", import.meta.url));

/** Options of {@link localModels}. */
export interface LocalModelOptions {
  /** Folders given by --model: the first guess. */
  readonly given?: readonly string[];
  /** @default {@link SHIPPED_MODELS} */
  readonly shipped?: string;
  /** @default "cpu" */
  readonly device?: "cpu" | "webgpu";
}

/**
 * How large a model's weights are, and what tells them from others that take their place.
 * @throws InputError where the folder holds no model
 */
export async function weightsOf(
  folder: string,
): Promise<{ readonly bytes: number; readonly version: string }> {
  const all: readonly string[] = await readdir(folder).catch(() => []);
  const names = all.filter((name) => name.endsWith(".safetensors"));
  if (names.length === 0 || !all.includes("config.json"))
    throw new InputError(`${folder}: holds no model`, {
      hint: "Give a Hugging Face folder with config.json and *.safetensors: models/ has the shipped base, a run keeps its result in RUN/model.",
    });
  const stats = await Promise.all(names.map((name) => stat(join(folder, name))));
  return {
    bytes: stats.reduce((sum, { size }) => sum + size, 0),
    version: stats.map(({ ino, mtimeMs }) => `${ino} ${mtimeMs}`).join(" "),
  };
}

/** A model folder as a source. */
async function sourceOf(
  folder: string,
  facts: Pick<StudioModel, "id" | "title" | "from" | "run">,
  device: "cpu" | "webgpu",
): Promise<ModelSource> {
  const task = await readModelTask(folder);
  const { bytes, version } = await weightsOf(folder);
  return {
    version,
    model: { ...facts, engine: "local", ...task, bytes, streams: true },
    async open(labels) {
      const { openLocalModel } = await import("../../engines/local/engine.js");
      const { processor, config, sampler, close } = await openLocalModel({ modelDir: folder, device });
      return {
        sampler,
        codec: qwenCodec(processor, config.tokens.eos),
        encode: qwenEncoder(processor, { ...task, labels }),
        config: { profile: task.profile },
        close,
      };
    },
  };
}

/** Every file of a run's model must be in the run's folder: a link in it could name any file of this machine. */
async function isWhole(root: string): Promise<boolean> {
  try {
    const folder = await locateInside(root, [RESULT_FOLDER]);
    if (folder === undefined) return false;
    const names = await readdir(folder);
    const inside = await Promise.all(names.map((name) => locateInside(folder, [name])));
    return names.includes("config.json") && inside.every((path) => path !== undefined);
  } catch {
    return false;
  }
}

/** All local models: given ones, then runs (the newest first), then shipped ones. A broken one is left out. */
export async function localModels(
  store: RunStore,
  { given = [], shipped = SHIPPED_MODELS, device = "cpu" }: LocalModelOptions = {},
): Promise<ModelSource[]> {
  const wanted: (() => Promise<ModelSource>)[] = given.map(
    (folder) => () => sourceOf(folder, { id: `option:${folder}`, title: folder, from: "option" }, device),
  );
  const { runs } = await store.look();
  const newest = runs.toSorted((a, b) => (a.manifest.updated < b.manifest.updated ? 1 : -1));
  for (const { id, path } of newest)
    if (await isWhole(path))
      wanted.push(() =>
        sourceOf(
          join(path, RESULT_FOLDER),
          { id: `run:${id}`, title: `${id} (run)`, from: "run", run: id },
          device,
        ),
      );
  const names = await readdir(shipped, { withFileTypes: true }).catch(() => []);
  for (const entry of names)
    if (entry.isDirectory())
      wanted.push(() =>
        sourceOf(
          join(shipped, entry.name),
          { id: `shipped:${entry.name}`, title: `${basename(entry.name)} (shipped)`, from: "shipped" },
          device,
        ),
      );
  const opened = await Promise.allSettled(wanted.map((make) => make()));
  return opened.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
}
