export * from "./comparison.js";
export * from "./overlay.js";
export * from "./report.js";
export * from "./table.js";
