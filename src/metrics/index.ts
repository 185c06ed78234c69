/** @file Judging detections: precision and recall, COCO's AP, counting errors, bootstrap intervals. Pure, without native libraries. */
export * from "./bootstrap.js";
export * from "./coco-ap.js";
export * from "./coco-matching.js";
export * from "./counting.js";
export * from "./duplicates.js";
export * from "./f1-curve.js";
export * from "./localization.js";
export * from "./paired-ap.js";
export * from "./paired.js";
export * from "./precision-recall.js";
export * from "./scores.js";
export * from "./slices.js";
export * from "./tie-bounds.js";
