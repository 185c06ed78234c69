/**
 * @file The tokenizer of a checkpoint. Encoding is @huggingface/tokenizers'; decoding is done here from each token's
 * bytes, because answer boxes must be found again in the tokens that wrote them.
 */
import { join } from "node:path";
import { Tokenizer } from "@huggingface/tokenizers";
import { z } from "zod";
import { InputError, toError } from "../base/errors.js";
import { readJsonIfAny } from "./files.js";
import { readWith, tokenId } from "./schema.js";
import { charactersOfBytes, decodeUtf8 } from "./utf8.js";

/** Where a token stands in the decoded text, [start, end) in UTF-16 units. */
export interface TokenSpan {
  readonly start: number;
  readonly end: number;
}

/** Text as it grows. */
export interface IncrementalDecoder {
  /** The text that this token completes; empty while a character is still missing bytes. */
  push(id: number): string;
  /** What is left: U+FFFD where a character was never completed. */
  flush(): string;
}

/** Text to token ids and back. */
export interface QwenTokenizer {
  /** One more than the largest id. A model's vocabulary may be larger: ids beyond are never written. */
  readonly vocabSize: number;
  /** Ids of special tokens (`<|im_end|>`, `<|image_pad|>`, ...). */
  readonly specialIds: ReadonlySet<number>;
  /** Ids of a text. Special tokens written out in it become themselves; none is added. */
  encode(text: string): Int32Array;
  /** The text of some ids; ids without a token are left out. Broken characters become U+FFFD. */
  decode(ids: ArrayLike<number>, options?: { readonly skipSpecial?: boolean }): string;
  /**
   * Where each id stands in `decode(ids)`. Neighbours touch; where a character is spread over tokens, each of them spans
   * the whole character.
   */
  tokenSpans(ids: ArrayLike<number>): TokenSpan[];
  /** A decoder for ids that arrive one by one. */
  incremental(): IncrementalDecoder;
  /** Id of the token that is exactly this text, or undefined. */
  idOf(text: string): number | undefined;
  /** Id of a token that must be there. @throws InputError when it is not. */
  requireId(text: string): number;
  /** The bytes a token stands for; none for an id without a token. */
  bytesOf(id: number): Uint8Array;
}

/** GPT-2's printable stand-ins for bytes: those of Latin-1 that print are themselves, the rest follow from U+0100. */
export const BYTE_CHARACTERS: readonly string[] = (() => {
  const printable = (byte: number): boolean =>
    (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || (byte >= 0xae && byte <= 0xff);
  let next = 0x100;
  return Array.from({ length: 256 }, (_, byte) => String.fromCharCode(printable(byte) ? byte : next++));
})();
const BYTE_OF = new Map(BYTE_CHARACTERS.map((character, byte) => [character, byte]));

/** A text in the spelling of a byte-level vocabulary. */
export function toByteLevel(text: string): string {
  return Array.from(new TextEncoder().encode(text), (byte) => BYTE_CHARACTERS[byte]!).join("");
}

const schema = z.looseObject({
  model: z.looseObject({ type: z.literal("BPE").optional(), vocab: z.record(z.string(), tokenId) }),
  decoder: z.looseObject({ type: z.literal("ByteLevel", "only byte-level tokenizers are supported") }),
  added_tokens: z
    .array(z.looseObject({ id: tokenId, content: z.string(), special: z.boolean().default(false) }))
    .default([]),
});

/**
 * A tokenizer from the content of tokenizer.json.
 * @throws InputError when it is not a byte-level BPE such as Qwen's.
 */
export function createTokenizer(json: unknown, where = "tokenizer.json"): QwenTokenizer {
  const { model, added_tokens: added } = readWith(schema, json, where);
  let encoder: Tokenizer;
  try {
    encoder = new Tokenizer(json as object, {});
  } catch (error) {
    throw new InputError(`${where}: ${toError(error).message}`, { cause: error });
  }
  const bytes: Uint8Array[] = [];
  const idOfText = new Map<string, number>();
  for (const [token, id] of Object.entries(model.vocab)) {
    bytes[id] = bytesOfToken(token);
    idOfText.set(decodeUtf8(bytes[id]), id);
  }
  const specialIds = new Set<number>();
  for (const { id, content, special } of added) {
    bytes[id] = new TextEncoder().encode(content);
    idOfText.set(content, id);
    if (special) specialIds.add(id);
  }
  const none = new Uint8Array(0);
  const bytesOf = (id: number): Uint8Array => bytes[id] ?? none;
  const concatenated = (ids: ArrayLike<number>): { all: Uint8Array; ends: Int32Array } => {
    const ends = new Int32Array(ids.length);
    let total = 0;
    for (let i = 0; i < ids.length; i++) ends[i] = total += bytesOf(ids[i]!).length;
    const all = new Uint8Array(total);
    for (let i = 0; i < ids.length; i++) all.set(bytesOf(ids[i]!), i === 0 ? 0 : ends[i - 1]!);
    return { all, ends };
  };
  return {
    vocabSize: bytes.length,
    specialIds,
    encode: (text) => Int32Array.from(encoder.encode(text, { add_special_tokens: false }).ids),
    decode: (ids, { skipSpecial = false } = {}) =>
      decodeUtf8(concatenated(skipSpecial ? Array.from(ids).filter((id) => !specialIds.has(id)) : ids).all),
    tokenSpans: (ids) => {
      const { all, ends } = concatenated(ids);
      const { start, end } = charactersOfBytes(all);
      let last = 0;
      return Array.from(ends, (to, i) => {
        const from = i === 0 ? 0 : ends[i - 1]!;
        // A token without text stands where the one before it ends.
        if (from === to) return { start: last, end: last };
        last = end[to - 1]!;
        return { start: start[from]!, end: last };
      });
    },
    incremental: () => {
      const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
      return {
        push: (id) => decoder.decode(bytesOf(id), { stream: true }),
        flush: () => decoder.decode(),
      };
    },
    idOf: (text) => idOfText.get(text),
    requireId: (text) => {
      const id = idOfText.get(text);
      if (id === undefined) throw new InputError(`${where}: has no token "${text}"`);
      return id;
    },
    bytesOf,
  };
}

/** The tokenizer of a model folder. @throws InputError when tokenizer.json is missing or of another kind. */
export async function loadTokenizer(directory: string): Promise<QwenTokenizer> {
  const path = join(directory, "tokenizer.json");
  const json = await readJsonIfAny(path);
  if (json === undefined) {
    throw new InputError(`${path}: no such file`, {
      hint: "Copy tokenizer.json from the model the weights came from (vocab.json with merges.txt alone is not read).",
    });
  }
  return createTokenizer(json, path);
}

function bytesOfToken(token: string): Uint8Array {
  const out: number[] = [];
  for (const character of token) {
    const byte = BYTE_OF.get(character);
    // A token that is not in the byte alphabet is plain text.
    if (byte === undefined) return new TextEncoder().encode(token);
    out.push(byte);
  }
  return Uint8Array.from(out);
}
