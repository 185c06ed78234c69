/** @file The audit of a reward configuration: scenes, honest responses, exploits, and what each earns. */
export * from "./audit.js";
export { exploits, type Exploit, type ExploitInput } from "./exploits.js";
export type { Said } from "./honest.js";
export { auditScenes, type AuditScene } from "./scenes.js";
