/** @file How long a prompt is, for whoever plans, meters or checks sequences. */
import type { Prompt } from "./contract.js";

/** Tokens of a prompt, those of its pictures included. */
export function promptLength({ chunks }: Prompt): number {
  return chunks.reduce((sum, chunk) => sum + (chunk.kind === "text" ? chunk.tokens.length : chunk.tokens), 0);
}
