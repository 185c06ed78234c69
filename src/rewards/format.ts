/** @file The format reward (design, 4.2). */
import type { ParsedResponse } from "../response/types.js";

/**
 * 1 if the response is well formed (grade `strict`: look and answer are read) and its think section is not blank, else 0.
 */
export function formatReward(response: ParsedResponse): 0 | 1 {
  return response.grade === "strict" && (response.think ?? "").trim() !== "" ? 1 : 0;
}
