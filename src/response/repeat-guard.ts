/**
 * @file Notices, while a response streams, that it writes the same box over and over: the usual way in which a
 * detector that speaks text gets stuck. A penalty on repeated tokens would break honest box lists, which repeat by
 * nature; this only ends the response.
 */

import { InputError } from "../base/errors.js";

/** Watches one response. */
export interface RepeatGuard {
  /** Takes the next piece of text, cut anywhere; true once a box has come `limit` times within one section. */
  push(piece: string): boolean;
}

/**
 * @param limit the response counts as stuck when the same four numbers are written for this many times; at least 1.
 * @throws InputError where it is less.
 */
export function createRepeatGuard(limit: number): RepeatGuard {
  if (!(limit >= 1)) throw new InputError(`the repeat guard's limit cannot be ${limit}`);
  let counts = new Map<string, number>();
  /** Characters since the last "[", or undefined outside of one. */
  let list: string | undefined;
  /** Four numbers are never longer; anything longer is no box and need not be held. */
  const LONGEST = 120;

  const close = (text: string): boolean => {
    const parts = text.split(",");
    if (parts.length !== 4 || !parts.every((part) => part.trim() !== "" && Number.isFinite(Number(part)))) {
      return false;
    }
    const key = parts.map(Number).join(",");
    const count = (counts.get(key) ?? 0) + 1;
    counts.set(key, count);
    return count >= limit;
  };

  return {
    push(piece) {
      for (const character of piece) {
        if (character === "<") {
          // A region to look at may come back as an answer: sections are counted apart.
          counts = new Map();
          list = undefined;
        } else if (character === "[") {
          list = "";
        } else if (character === "]") {
          const text = list;
          list = undefined;
          if (text !== undefined && close(text)) return true;
        } else if (list !== undefined) {
          list = list.length < LONGEST ? list + character : undefined;
        }
      }
      return false;
    },
  };
}
