export * from "./errors.js";
export * from "./rgb-image.js";
export * from "./rng.js";
