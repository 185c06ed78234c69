export * from "./checkpoints.js";
export * from "./presets.js";
export * from "./recipe-schema.js";
export * from "./recipe.js";
export * from "./run-folder.js";
export * from "./rewards-of.js";
export * from "./score-responses.js";
export { suggest } from "./suggest.js";
