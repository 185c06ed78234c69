/** @file The format reward (design, 4.2). */
import type { ParsedResponse } from "../response/types.js";

/** Anything but white space, and characters without a shape (zero-width spaces, marks of direction, controls). */
const VISIBLE = /[^\s\p{C}\p{Z}]/u;

/** Whether nobody can see anything in the text. */
export function isInvisible(text: string): boolean {
  return !VISIBLE.test(text);
}

/**
 * 1 if the response is well formed (grade `strict`: look and answer are read) and its think section is not blank, else 0.
 */
export function formatReward(response: ParsedResponse): 0 | 1 {
  return response.grade === "strict" && !isInvisible(response.think ?? "") ? 1 : 0;
}
