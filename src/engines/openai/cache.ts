/**
 * @file Answers kept on disk, so that an evaluation that was interrupted goes on, and a metric that changed is computed
 * again without asking. The key is everything an answer depends on that is known here: kind of server, model, prompt, the
 * picture's bytes, sampling, the repeat guard. Not in it: the address (a server that was restarted elsewhere is the same),
 * and streaming, which changes no word.
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { fingerprintValue, writeFileAtomic } from "../../base/index.js";
import type { Logger } from "../../base/logger.js";
import type { ChatAnswer } from "./chat.js";

/** Changed where the meaning of what is kept changes. */
const FORMAT = 1;

const answerSchema = z.object({
  format: z.literal(FORMAT),
  key: z.string(),
  /** ISO 8601. */
  created: z.string(),
  /** What was asked, without pictures: for people. */
  asked: z.unknown(),
  answer: z.object({
    choices: z.array(
      z.object({
        text: z.string(),
        stopReason: z.enum(["stop", "length", "loop"]),
        pieces: z.array(z.object({ text: z.string(), logprob: z.number() })).optional(),
        tokens: z.number().optional(),
      }),
    ),
    promptTokens: z.number().optional(),
  }),
});

/** Answers by key. */
export interface ResponseCache {
  get(key: string): Promise<ChatAnswer | undefined>;
  put(key: string, asked: unknown, answer: ChatAnswer): Promise<void>;
}

/** The key of a request: sha256 over its parts in canonical JSON. */
export function cacheKey(asked: Readonly<Record<string, unknown>>): string {
  return fingerprintValue({ format: FORMAT, ...asked });
}

/** A cache in a folder, one file an answer, each written whole or not at all. Made where it is not there. */
export function openCache(folder: string, logger: Logger): ResponseCache {
  const pathOf = (key: string): string => join(folder, key.slice(0, 2), `${key}.json`);
  return {
    async get(key) {
      let text: string;
      try {
        text = await readFile(pathOf(key), "utf8");
      } catch {
        return undefined;
      }
      try {
        const read = answerSchema.parse(JSON.parse(text));
        if (read.key === key) {
          const { choices, promptTokens } = read.answer;
          return {
            choices: choices.map(({ text: said, stopReason, pieces, tokens }) => ({
              text: said,
              stopReason,
              ...(pieces !== undefined && { pieces }),
              ...(tokens !== undefined && { tokens }),
            })),
            ...(promptTokens !== undefined && { promptTokens }),
          };
        }
      } catch {
        // Falls through: a file that somebody changed is as good as none.
      }
      logger.warn(`${folder}: kept answers that cannot be read are asked for again`);
      return undefined;
    },
    async put(key, asked, answer) {
      const record = { format: FORMAT, key, created: new Date().toISOString(), asked, answer };
      await writeFileAtomic(pathOf(key), JSON.stringify(record) + "\n");
    },
  };
}
