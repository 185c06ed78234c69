/** @file The index of tokens.jsonl, where a run keeps one: where the tokens of each response stand in the file. */
import type { TokenTrack } from "./api.js";
import { createLineTail, eachLine, type LineTail } from "./line-tail.js";
import { readSlice } from "./safe-file.js";

/** The index. */
export interface TokenIndex {
  readonly tail: LineTail;
  /** The tokens of a response; null where they were not recorded. */
  read(step: number, sample: string, index: number): Promise<TokenTrack | null>;
}

const keyOf = (step: number, sample: string, index: number) => `${step} ${index} ${sample}`;

/** Numbers are nested nowhere before `ends`: the head of a line is all that the index parses. */
const HEAD_END = ',"ends":[';

function headOf(line: string): { step?: unknown; sample?: unknown; index?: unknown } | undefined {
  const end = line.indexOf(HEAD_END);
  try {
    return JSON.parse(end < 0 ? line : `${line.slice(0, end)}}`) as ReturnType<typeof headOf>;
  } catch {
    return undefined;
  }
}

const isNumbers = (value: unknown): value is number[] =>
  Array.isArray(value) && value.every((one) => typeof one === "number");

/** Follows a run's tokens.jsonl. @param root the run's real folder */
export function createTokenIndex(root: string): TokenIndex {
  const NAMES = ["tokens.jsonl"];
  const places = new Map<string, { readonly start: number; readonly length: number }>();
  const tail = createLineTail(root, NAMES, {
    reset: () => places.clear(),
    take(lines, at) {
      eachLine(lines, (start, end) => {
        const head = headOf(lines.toString("utf8", start, end));
        if (
          typeof head?.step !== "number" ||
          typeof head.sample !== "string" ||
          typeof head.index !== "number"
        )
          return;
        places.set(keyOf(head.step, head.sample, head.index), { start: at + start, length: end - start });
      });
    },
  });
  return {
    tail,
    async read(step, sample, index) {
      const place = places.get(keyOf(step, sample, index));
      if (place === undefined) return null;
      const line = await readSlice(root, NAMES, place.start, place.length);
      const { ends, logprobs, referenceLogprobs, advantages } = JSON.parse(
        line.toString("utf8"),
      ) as Partial<TokenTrack>;
      if (!isNumbers(ends) || !isNumbers(logprobs)) return null;
      return {
        ends,
        logprobs,
        ...(isNumbers(referenceLogprobs) && { referenceLogprobs }),
        ...(isNumbers(advantages) && { advantages }),
      };
    },
  };
}
