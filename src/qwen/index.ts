/** @file Qwen2.5-VL's files and forms: configuration, weights, pictures, positions, text. */
export * from "./chat-template.js";
export * from "./compact-tokenizer.js";
export * from "./config.js";
export * from "./generation-config.js";
export * from "./image-processor-config.js";
export { imageGrid, imageTokens, patchify, preprocess, resizeToModel } from "./image-processor.js";
export type { GridThw, PatchedImage, PreprocessedImage } from "./image-processor.js";
export * from "./parameters.js";
export * from "./positions.js";
export * from "./processor.js";
export { resizeBicubic } from "./resize.js";
export type { TensorInfo } from "./safetensors-header.js";
export * from "./safetensors.js";
export { smartResize } from "./smart-resize.js";
export type { Dtype, FloatDtype, TensorData } from "./stored-dtype.js";
export { createTokenizer, loadTokenizer } from "./tokenizer.js";
export type { IncrementalDecoder, QwenTokenizer, TokenSpan } from "./tokenizer.js";
export * from "./weights.js";
