export * from "./bootstrap.js";
export * from "./coco-ap.js";
export * from "./coco-matching.js";
export * from "./counting.js";
export * from "./precision-recall.js";
export * from "./scores.js";
