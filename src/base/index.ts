/** @file What every layer uses and nothing here depends on: errors, logs, files written whole, fingerprints, random numbers, pixels. */
export * from "./atomic-file.js";
export * from "./errors.js";
export * from "./fingerprint.js";
export * from "./gate.js";
export * from "./jsonl.js";
export * from "./logger.js";
export * from "./rgb-image.js";
export * from "./rng.js";
