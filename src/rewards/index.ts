/** @file The three rewards, their sum, credit by box, explanations and the audit. Pure, without native libraries. */
export * from "./accuracy.js";
export * from "./audit/index.js";
export * from "./config.js";
export * from "./coordinate-credit.js";
export * from "./credit.js";
export * from "./disagreement.js";
export * from "./explain-answer.js";
export * from "./explain-form.js";
export * from "./explain-look.js";
export * from "./explain.js";
export * from "./format.js";
export * from "./look.js";
export * from "./match.js";
export * from "./total.js";
export * from "./truth.js";
export * from "./types.js";
export * from "./uncertain.js";
