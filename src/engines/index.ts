/** @file Whatever computes: the contract, and the embedded engine that fulfils it (loads ONNX Runtime), inference on OpenAI-compatible servers. */
export * from "./contract.js";
export * from "./prompt-length.js";
export { createLocalEngine, openLocalModel } from "./local/engine.js";
export type { LocalEngine, LocalEngineOptions, LocalModel, LocalModelOptions } from "./local/engine.js";
export type { Trainable } from "./local/model-state.js";
export * from "./openai/index.js";
