/** @file The embedded engine: Qwen2.5-VL trained and sampled in this process, on ONNX Runtime. */
import { loadConfig, type QwenConfig, type StoredDtype } from "../../qwen/config.js";
import { parameterShapes } from "../../qwen/parameters.js";
import { loadProcessor, type QwenProcessor } from "../../qwen/processor.js";
import { loadWeights } from "../../qwen/weights.js";
import {
  adamWStep,
  createDeviceMemory,
  initialAdamW,
  requireDevice,
  type Device,
} from "../../tensor/index.js";
import type { Capabilities, Datum, Engine, Loss, Sampler } from "../contract.js";
import { createAccumulator } from "./accumulator.js";
import { loadCheckpoint, saveCheckpoint, writeModelFolder } from "./checkpoint.js";
import { TOKEN_BUDGET } from "./buckets.js";
import type { ModelContext } from "./context.js";
import { denseShapes } from "./dense-head.js";
import { adaptedModules, createModelState, mergedWeights, snapshot, type Trainable } from "./model-state.js";
import { createProgramCache } from "./program-cache.js";
import { createLocalSampler } from "./sampler.js";
import { forwardBackward, type DenseSupervision, type TrainingReport } from "./trainer.js";
import { createTurns, samplerInTurns } from "./turns.js";

/** Compiled graphs kept. They share the arrays of their gradients and have no arenas, so each costs a few megabytes. */
const PROGRAM_LIMIT = 192;

/** Which model to open, and where it runs. */
export interface LocalModelOptions {
  /** A Hugging Face folder: config.json, safetensors, tokenizer, processor. */
  readonly modelDir: string;
  /** @default "cpu" */
  readonly device?: Device;
  /** Pictures with more pixels are shrunk; what the engine writes says so too. @default what the folder says */
  readonly maxPixels?: number | undefined;
  /** Padded tokens of a text microbatch. @default 6144 */
  readonly tokenBudget?: number;
}

/** Which model to open, and what of it is trained. */
export interface LocalEngineOptions extends LocalModelOptions {
  /** What is trained. @default everything */
  readonly trainable?: Trainable;
  /** Seeds new adapters. @default 0 */
  readonly seed?: number;
  /** Adds the auxiliary head of pretraining, see dense-head.ts. @default false */
  readonly denseHead?: boolean;
}

/** The engine contract, and what only this engine can do. Calls may overlap: they are worked on one by one, in their order. */
export interface LocalEngine extends Engine {
  readonly config: QwenConfig;
  readonly processor: QwenProcessor;
  /** As the contract's, with the auxiliary loss of pretraining besides. */
  forwardBackward(batch: readonly Datum[], loss: Loss, dense?: DenseSupervision): Promise<TrainingReport>;
  /** Writes the current weights as a Hugging Face folder, adapters merged. */
  exportModel(path: string, options?: { readonly dtype?: StoredDtype }): Promise<void>;
  /** Graphs built so far. */
  readonly graphsBuilt: number;
}

/** A sampler that owns its model: inference without an engine. Calls may overlap, as an engine's may. */
export interface LocalModel {
  readonly config: QwenConfig;
  readonly processor: QwenProcessor;
  readonly sampler: Sampler;
  close(): Promise<void>;
}

/** Ids that must never be sampled: placeholders of images and video, and ids no token stands for. */
function bannedTokens(config: QwenConfig, processor: QwenProcessor): ReadonlySet<number> {
  const { image, video, visionStart, visionEnd } = config.tokens;
  const banned = new Set([image, video, visionStart, visionEnd]);
  const pad = processor.tokenizer.idOf("<|vision_pad|>");
  if (pad !== undefined) banned.add(pad);
  for (let id = processor.tokenizer.vocabSize; id < config.text.vocabSize; id++) banned.add(id);
  return banned;
}

async function openModel(options: LocalModelOptions & Pick<LocalEngineOptions, "trainable">) {
  const { modelDir, device = "cpu", maxPixels, tokenBudget = TOKEN_BUDGET, trainable } = options;
  await requireDevice(device);
  const config = await loadConfig(modelDir);
  // Before the weights, which may take minutes: a wrong target shows at once.
  if (trainable?.kind === "lora") adaptedModules(config, trainable);
  const processor = await loadProcessor(modelDir, { maxPixels });
  const weights = await loadWeights(modelDir, config);
  const memory = createDeviceMemory(device);
  const context: ModelContext = {
    config,
    imageConfig: processor.image,
    device,
    ...(memory && { memory }),
    adapters: new Map(),
    key: "merged",
    programs: createProgramCache(PROGRAM_LIMIT),
  };
  const decoder = new TextDecoder();
  const samplerOptions = {
    context,
    banned: bannedTokens(config, processor),
    pieceOf: (id: number) => decoder.decode(processor.tokenizer.bytesOf(id)),
    tokenBudget,
  };
  return { config, processor, weights, context, samplerOptions, tokenBudget };
}

/** Opens a model for sampling and scoring only. */
export async function openLocalModel(options: LocalModelOptions): Promise<LocalModel> {
  const { config, processor, weights, context, samplerOptions } = await openModel(options);
  const turns = createTurns();
  const sampler = samplerInTurns(createLocalSampler({ ...samplerOptions, weights }), turns);
  return {
    config,
    processor,
    sampler,
    async close() {
      await sampler.close();
      await turns.take(() => context.programs.close());
      await context.memory?.close();
    },
  };
}

/**
 * Opens a model for training.
 *
 * @throws InputError where the folder is no Qwen2.5-VL checkpoint; UnavailableError where the device is not there.
 */
export async function createLocalEngine(options: LocalEngineOptions): Promise<LocalEngine> {
  const { modelDir, maxPixels, trainable = { kind: "full" }, seed = 0, denseHead = false } = options;
  const {
    config,
    processor,
    weights: base,
    context: merged,
    samplerOptions,
    tokenBudget,
  } = await openModel(options);
  const state = createModelState(config, base, trainable, seed);
  if (denseHead) addDenseHead(config, state);
  const context: ModelContext =
    state.adapters.size === 0 ? merged : { ...merged, adapters: state.adapters, key: "lora" };
  const trained = new Map([...state.trainable].map((name) => [name, state.weights.get(name)!]));
  const accumulator = createAccumulator(new Map([...trained].map(([name, { length }]) => [name, length])));
  const vectors = new Set(
    [...parameterShapes(config), ...(denseHead ? denseShapes(config.text.hiddenSize) : [])].flatMap(
      ([name, shape]) => (shape.length === 1 ? [name] : []),
    ),
  );
  let optimizer = initialAdamW(trained);
  let closedGraphs = 0;
  const { memory } = merged;
  const turns = createTurns();
  const open = (weights: ReadonlyMap<string, Float32Array>) => {
    const sampler = createLocalSampler({
      ...samplerOptions,
      weights,
      onClose(graphs) {
        closedGraphs += graphs;
        // What only this sampler used leaves the device; the engine's own weights stay.
        const shared = new Set(state.weights.values());
        memory?.changed([...weights.values()].filter((array) => !shared.has(array)));
      },
    });
    return samplerInTurns(sampler, turns);
  };

  const capabilities: Capabilities = {
    engine: "local",
    model: modelDir,
    losses: ["crossEntropy", "policy"],
    klInLoss: true,
    images: true,
    promptLogprobs: true,
    maxTokens: config.text.maxPositions,
    concurrency: 1,
  };

  return {
    capabilities,
    config,
    processor,
    get graphsBuilt() {
      return merged.programs.built + closedGraphs;
    },
    sampler: () => turns.take(() => open(snapshot(state, mergedWeights(config, state)))),
    reference: () =>
      // Read anew rather than kept: only runs with a KL term pay for it, and a resumed run gets the same one.
      turns.take(async () => open(state.adapters.size > 0 ? base : await loadWeights(modelDir, config))),
    forwardBackward: (batch, loss, dense) =>
      turns.take(() => forwardBackward({ context, state, accumulator, tokenBudget }, batch, loss, dense)),
    optimStep: (params) =>
      turns.take(() => {
        try {
          const { vectorRateFactor = 1, ...adam } = params;
          const rateFactor = (name: string) => (vectors.has(name) ? vectorRateFactor : 1);
          const step = adamWStep(trained, accumulator.read(), optimizer, { ...adam, rateFactor });
          optimizer = step.state;
          return { gradNorm: step.gradNorm, step: optimizer.step };
        } finally {
          // A gradient that was refused must not poison the next step.
          accumulator.reset();
          memory?.changed(trained.values());
        }
      }),
    save: (path) =>
      turns.take(async () => {
        await saveCheckpoint(path, { config, state, optimizer, modelDir, maxPixels });
        return { path, step: optimizer.step };
      }),
    load: ({ path }) =>
      turns.take(async () => {
        optimizer = await loadCheckpoint(path, state, {
          config,
          loadFull: (directory) => loadWeights(directory, config),
        });
        accumulator.reset();
        memory?.changed(trained.values());
      }),
    exportModel: (path, { dtype = "float32" } = {}) =>
      turns.take(() => writeModelFolder(path, { config, state, modelDir, maxPixels }, dtype)),
    close: () =>
      turns.take(async () => {
        await merged.programs.close();
        await memory?.close();
      }),
  };
}

/** Zeros: the head learns from the features, whatever they are. */
function addDenseHead(config: QwenConfig, state: ReturnType<typeof createModelState>): void {
  const names = state.trainable as Set<string>;
  for (const [name, shape] of denseShapes(config.text.hiddenSize)) {
    state.weights.set(name, new Float32Array(shape.reduce((a, b) => a * b, 1)));
    names.add(name);
  }
}
