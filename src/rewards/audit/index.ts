/** @file The audit of a reward configuration: scenes, honest responses, exploits, and what each earns. */
export * from "./audit.js";
export type { Exploit, ExploitInput } from "./exploit.js";
export { exploits } from "./exploits.js";
export type { Said } from "./honest.js";
export { auditScenes, type AuditScene } from "./scenes.js";
