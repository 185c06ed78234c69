/** @file The Think-Look-Answer response: prompts, the parser with its grades, the writer. Pure, without native libraries. */
export * from "./dialects/index.js";
export * from "./parser.js";
export * from "./prompt.js";
export * from "./render.js";
export * from "./types.js";
