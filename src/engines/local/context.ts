/** @file What every part of the local engine shares: the model's form, the device, and the graphs built so far. */
import type { QwenConfig } from "../../qwen/config.js";
import type { ImageProcessorConfig } from "../../qwen/image-processor-config.js";
import type { LoraLayer } from "../../qwen/layers.js";
import type { Device, DeviceMemory } from "../../tensor/index.js";
import type { ProgramCache } from "./program-cache.js";

/** One opened model as its sampler, scorer and trainer see it; holds no weights, which each of them brings. */
export interface ModelContext {
  readonly config: QwenConfig;
  readonly imageConfig: ImageProcessorConfig;
  readonly device: Device;
  /** The device's memory, where it has one of its own; without it everything travels at each run. */
  readonly memory?: DeviceMemory;
  /** Adapters whose matrices are among the weights; empty once they are merged. */
  readonly adapters: ReadonlyMap<string, LoraLayer>;
  /** Tells graphs with and without adapters apart. */
  readonly key: string;
  readonly programs: ProgramCache;
}
