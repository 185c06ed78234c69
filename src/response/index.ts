export * from "./parser.js";
export * from "./prompt.js";
export * from "./render.js";
export * from "./types.js";
