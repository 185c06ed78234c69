/** @file Runs from recipes: schema, presets, the run's folder, checkpoints and resume, training, scoring of given responses. */
export * from "./checkpoints.js";
export { examine, type DoctorOptions, type DoctorReport } from "./doctor.js";
export type { Check, CheckStatus } from "./doctor-check.js";
export { readRealResponses, type RealGroup, type RealResponses } from "./doctor-responses.js";
export * from "./evaluation-results.js";
export * from "./evaluations.js";
export * from "./model-task.js";
export * from "./parts.js";
export * from "./presets.js";
export * from "./recipe-schema.js";
export * from "./recipe.js";
export * from "./replay.js";
export * from "./rewards-of.js";
export * from "./rollout-lines.js";
export * from "./run-folder.js";
export * from "./score-responses.js";
export { suggest } from "./suggest.js";
export * from "./train.js";
