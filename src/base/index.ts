export * from "./atomic-file.js";
export * from "./errors.js";
export * from "./fingerprint.js";
export * from "./jsonl.js";
export * from "./logger.js";
export * from "./rgb-image.js";
export * from "./rng.js";
