/** @file Boxes and their frames: overlap, matching, groups, consensus, grids. Pure, without native libraries. */
export * from "./assignment.js";
export * from "./box.js";
export * from "./consensus.js";
export * from "./frame-check.js";
export * from "./frames.js";
export * from "./groups.js";
export * from "./overlap.js";
export * from "./pairs.js";
export * from "./profiles.js";
export * from "./raster.js";
