/** @file The wire of the Tinker REST API: messages, and their two encodings. */
export * from "./json-codec.js";
export * from "./proto-codec.js";
export * from "./types.js";
export { zstdCompress, zstdDecompress } from "./zstd.js";
