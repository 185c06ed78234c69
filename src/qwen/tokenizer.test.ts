import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { fixture, fixtureJson } from "../../test/qwen-fixture.js";
import { createTokenizer, loadTokenizer, toByteLevel, type QwenTokenizer } from "./tokenizer.js";
import { charactersOfBytes, decodeUtf8 } from "./utf8.js";

interface Case {
  text: string;
  ids: number[];
  decoded: string;
  decoded_skip_special: string;
}
let tokenizer: QwenTokenizer;
beforeAll(async () => {
  tokenizer = await loadTokenizer(fixture("model"));
});

describe("tokenizer", () => {
  it.each(fixtureJson<Case[]>("golden/tokenizer_cases.json"))(
    "encodes and decodes $text as transformers",
    ({ text, ids, decoded, decoded_skip_special }) => {
      expect([...tokenizer.encode(text)]).toEqual(ids);
      expect(tokenizer.decode(ids)).toBe(decoded);
      expect(tokenizer.decode(ids, { skipSpecial: true })).toBe(decoded_skip_special);
    },
  );

  it("knows its special tokens and the size of its vocabulary", () => {
    expect(tokenizer.vocabSize).toBe(1024);
    expect(tokenizer.idOf("<|image_pad|>")).toBe(1020);
    expect(tokenizer.specialIds.has(1020)).toBe(true);
    expect(tokenizer.specialIds.has(tokenizer.requireId("<tool_call>"))).toBe(false);
    expect(tokenizer.idOf("no such token")).toBeUndefined();
    expect(() => tokenizer.requireId("no such token")).toThrow('"no such token"');
    expect([...tokenizer.bytesOf(5000)]).toEqual([]);
    expect(tokenizer.decode([5000, 0])).toBe("!");
  });

  it("gives any normalised text back", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme", maxLength: 40 }), (text) => {
        const normal = text.normalize("NFC");
        expect(tokenizer.decode(tokenizer.encode(text))).toBe(normal);
      }),
    );
  });

  it("refuses tokenizers of another kind", () => {
    expect(() => createTokenizer({ model: { type: "Unigram", vocab: [] } })).toThrow(
      "tokenizer.json: model.type",
    );
    const json = fixtureJson<object>("model/tokenizer.json");
    expect(() => createTokenizer({ ...json, decoder: { type: "WordPiece" } })).toThrow("byte-level");
  });

  it("says when there is no tokenizer.json", async () => {
    await expect(loadTokenizer(fixture("images"))).rejects.toThrow("tokenizer.json: no such file");
  });
});

describe("tokenSpans", () => {
  const ids = fc.array(fc.nat(1030), { maxLength: 30 });

  it("cover the text in order, and each is where its token's text stands", () => {
    fc.assert(
      fc.property(ids, (tokens) => {
        const text = tokenizer.decode(tokens);
        const spans = tokenizer.tokenSpans(tokens);
        expect(spans.length).toBe(tokens.length);
        let end = 0;
        spans.forEach((span, i) => {
          // A character spread over tokens is spanned by each.
          expect(span.start).toBeLessThanOrEqual(end);
          expect(span.end).toBeGreaterThanOrEqual(end);
          const own = tokenizer.decode([tokens[i]!]);
          const whole = !own.includes("\uFFFD");
          expect(whole ? text.slice(span.start, span.end) : "").toBe(whole ? own : "");
          end = span.end;
        });
        expect(end).toBe(text.length);
      }),
    );
  });

  it("span a whole character from each of its parts", () => {
    const text = "a😀b";
    const tokens = tokenizer.encode(text);
    const spans = tokenizer.tokenSpans(tokens);
    expect(spans[0]).toEqual({ start: 0, end: 1 });
    expect(spans.at(-1)).toEqual({ start: 3, end: 4 });
    expect(spans.slice(1, -1).every(({ start, end }) => start === 1 && end === 3)).toBe(true);
    expect(spans.length).toBeGreaterThan(3);
  });

  it("agree with the incremental decoder", () => {
    fc.assert(
      fc.property(ids, (tokens) => {
        const decoder = tokenizer.incremental();
        const pieces = tokens.map((id) => decoder.push(id));
        expect(pieces.join("") + decoder.flush()).toBe(tokenizer.decode(tokens));
      }),
    );
  });
});

describe("utf8", () => {
  it("maps every byte of anything to the decoder's characters", () => {
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 24 }), brokenText()), (bytes) => {
        const { start, end } = charactersOfBytes(bytes);
        expect(end.at(-1) ?? 0).toBe(decodeUtf8(bytes).length);
        // Every character decodes alone from its own bytes.
        for (let i = 0, from = 0; i < bytes.length; i++) {
          if (end[i + 1] === end[i]) continue;
          expect(decodeUtf8(bytes.slice(from, i + 1))).toBe(decodeUtf8(bytes).slice(start[i], end[i]));
          from = i + 1;
        }
      }),
      { numRuns: 2000 },
    );
  });
  it("spells bytes as GPT-2 does", () => {
    expect(toByteLevel(" é\n")).toBe("ĠÃ©Ċ");
  });
});

/** Text of all planes with some bytes taken out. */
function brokenText(): fc.Arbitrary<Uint8Array> {
  return fc
    .tuple(fc.string({ unit: "binary", maxLength: 8 }), fc.array(fc.nat(30), { maxLength: 3 }))
    .map(([text, holes]) => new TextEncoder().encode(text).filter((_, i) => !holes.includes(i)));
}
