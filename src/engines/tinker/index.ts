/** @file A client of the Tinker REST API, usable alone, and the engine on top of it. */
export { TinkerClient } from "./client.js";
export type { CreateModelOptions, ServerModel, TinkerClientOptions } from "./client.js";
export type { Encoding, TinkerLimits } from "./context.js";
export { createTinkerEngine } from "./engine.js";
export type { TinkerEngine, TinkerEngineOptions, TokenUsage } from "./engine.js";
export { isTinkerError, TinkerError } from "./errors.js";
export type { TinkerErrorCode } from "./errors.js";
export type { SessionState } from "./heartbeat.js";
export type { RetryPolicy, RetryTools } from "./retry.js";
export { SamplingClient } from "./sampling-client.js";
export type { SampleOptions } from "./sampling-client.js";
export type { ServerTraits } from "./traits.js";
export { TrainingModel } from "./training-model.js";
export type { LossFunction, ServerCheckpoint, WireAdamParams } from "./training-model.js";
export type {
  ForwardBackwardOutput,
  ImageFormat,
  ModelInputChunk,
  SampledSequence,
  SampleResponse,
  WireDatum,
  WireDtype,
  WireSamplingParams,
  WireTensor,
} from "./wire/index.js";
