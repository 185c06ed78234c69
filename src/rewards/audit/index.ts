/** @file The audit of a reward configuration: scenes, honest responses, exploits, and what each earns. */
export * from "./audit.js";
export * from "./exploits.js";
export * from "./honest.js";
export * from "./scenes.js";
