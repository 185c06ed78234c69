/** @file The repeat guard (response/repeat-guard.ts) on text that comes in pieces, and where it cuts. */
import { createRepeatGuard } from "../../response/repeat-guard.js";

/** Watches one response. */
export interface LoopWatch {
  /** Takes the next piece; how many of its characters belong to the response once it is stuck, else nothing. */
  push(piece: string): number | undefined;
}

/** How responses are watched. */
export interface LoopOptions {
  /** The same box this often within one section; 0 = never. */
  readonly limit: number;
  /** The dialect wraps each box in markers, which then are no borders of sections. */
  readonly marked: boolean;
}

/** A watch. The cut is behind the bracket that closes the last box, however the text came. */
export function watchLoop({ limit, marked }: LoopOptions): LoopWatch {
  if (limit < 1) return { push: () => undefined };
  const guard = createRepeatGuard(limit);
  return {
    push(piece) {
      for (let at = 0; at < piece.length; at++) {
        const character = piece[at]!;
        if (guard.push(marked && character === "<" ? " " : character)) return at + 1;
      }
      return undefined;
    },
  };
}
