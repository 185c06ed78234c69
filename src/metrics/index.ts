/** @file Judging detections: precision and recall, COCO's AP, counting errors, bootstrap intervals. Pure, without native libraries. */
export * from "./bootstrap.js";
export * from "./coco-ap.js";
export * from "./coco-matching.js";
export * from "./counting.js";
export * from "./precision-recall.js";
export * from "./scores.js";
