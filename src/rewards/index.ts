/** @file The three rewards, their sum, and credit by box. Pure, without native libraries. */
export * from "./accuracy.js";
export * from "./config.js";
export * from "./credit.js";
export * from "./disagreement.js";
export * from "./format.js";
export * from "./look.js";
export * from "./match.js";
export * from "./total.js";
export * from "./truth.js";
export * from "./types.js";
export * from "./uncertain.js";
