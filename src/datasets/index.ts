/** @file Samples with ground truth: readers of files, the scene generator, specs that name either. */
export * from "./coco.js";
export * from "./collect.js";
export * from "./dataset.js";
export * from "./generate.js";
export * from "./image-file.js";
export * from "./inspect.js";
export * from "./inspect-model.js";
export type { Bin, Summary } from "./inspect-numbers.js";
export * from "./jsonl.js";
export * from "./mot.js";
export * from "./sample.js";
export * from "./scenes/index.js";
export * from "./select.js";
export * from "./spec.js";
export * from "./teacher.js";
export { parseSpecText } from "./spec-text.js";
export { estimateVisibility } from "./visibility-estimate.js";
