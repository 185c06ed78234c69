/** @file Symbolic tensors: operators, gradients, programs that ONNX Runtime computes, AdamW (loads ONNX Runtime). */
export * from "./tensor.js";
export * from "./gradient.js";
export * from "./program.js";
export * from "./device-memory.js";
export type { DeviceMemory, DeviceTensor } from "./device-tensor.js";
export * from "./adamw.js";
export * from "./ops/broadcast.js";
export * from "./ops/elementwise.js";
export * from "./ops/movement.js";
export * from "./ops/reduce.js";
export * from "./ops/matmul.js";
export * from "./ops/nn.js";
export * from "./ops/attention.js";
