/** @file Box dialects of the models people compare with: declared, read, written, never guessed. */
export * from "./dialects.js";
export * from "./forms.js";
export * from "./parse.js";
export * from "./reading.js";
export * from "./render.js";
