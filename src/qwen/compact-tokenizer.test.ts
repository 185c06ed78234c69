import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fixtureJson } from "../../test/qwen-fixture.js";
import { createChatTemplate, type ChatMessage } from "./chat-template.js";
import { compactTokenizer, numberTokenIds, QWEN_SPECIAL_TOKENS } from "./compact-tokenizer.js";
import { createTokenizer } from "./tokenizer.js";

// test/fixtures/make_compact_cases.py made its cases with exactly these.
const files = compactTokenizer({
  labels: ["person", "car"],
  words: ["people", "partly", "crowded", "mostly", "top", "left", "person"],
  phrases: ["Detect every person."],
});
const tokenizer = createTokenizer(JSON.parse(JSON.stringify(files.tokenizer)));
const tokens = (text: string) => tokenizer.encode(text).length;

interface Case {
  text: string;
  ids: number[];
}
const cases = JSON.parse(
  readFileSync(new URL("../../test/fixtures/compact_tokenizer_cases.json", import.meta.url), "utf8"),
) as Case[];

describe("compactTokenizer", () => {
  it.each(cases)("encodes $text as Hugging Face's tokenizers", ({ text, ids }) => {
    expect([...tokenizer.encode(text)]).toEqual(ids);
    expect(tokenizer.decode(ids)).toBe(text);
  });

  it("has about 1,300 tokens, each with text of its own", () => {
    expect(files.vocabSize).toBe(tokenizer.vocabSize);
    expect(files.vocabSize).toBeGreaterThan(1256);
    expect(files.vocabSize).toBeLessThan(1400);
    const seen = new Set<string>();
    for (let id = 0; id < files.vocabSize; id++) {
      expect(tokenizer.bytesOf(id).length).toBeGreaterThan(0);
      seen.add([...tokenizer.bytesOf(id)].join());
    }
    expect(seen.size).toBe(files.vocabSize);
  });

  it("has the numbers to 999 as one token each, found by name", () => {
    expect([...numberTokenIds(tokenizer)]).toEqual(Array.from({ length: 1000 }, (_, n) => n));
    for (let n = 0; n < 1000; n++) expect([...tokenizer.encode(`[${n},`)].slice(1, -1)).toEqual([n]);
    const qwen = createTokenizer(fixtureJson("model/tokenizer.json"));
    expect(() => numberTokenIds(qwen)).toThrow('has no token "10"');
  });

  it("spends nine tokens a box and few around them", () => {
    const box = '{"bbox_2d":[10,200,30,999],"label":"person"}';
    const answer = (n: number) => `<answer>[${Array(n).fill(box).join(",")}]</answer>`;
    expect(tokens(answer(8)) - tokens(answer(7))).toBe(9);
    expect(tokens(answer(1))).toBe(9 + 4);
    expect(tokens("<answer>[]</answer>")).toBe(3);
    const region = '{"bbox_2d":[10,200,30,999]}';
    expect(tokens(`[${region},${region}]`) - tokens(`[${region}]`)).toBe(9);
    expect(tokens("[[1,2,3,4],[1,2,3,4]]") - tokens("[[1,2,3,4]]")).toBe(8);
    // An unknown label costs its bytes, not the box's.
    expect(tokens(box.replace("person", "ox"))).toBe(9 + 1 + 2);
  });

  it("has Qwen's special tokens, marked special", () => {
    for (const special of QWEN_SPECIAL_TOKENS)
      expect(tokenizer.specialIds.has(tokenizer.requireId(special))).toBe(true);
    expect(tokenizer.specialIds.size).toBe(QWEN_SPECIAL_TOKENS.length);
  });

  it("gives any text back, byte for byte", () => {
    const piece = fc.oneof(
      fc.string({ unit: "binary", maxLength: 6 }),
      fc.constantFrom(...cases.map(({ text }) => text)),
      fc.constantFrom("]", "[", ",", "}", '{"bbox_2d":[', " people", "user\n", "<think>", "12"),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 6 }), (pieces) => {
        const text = pieces.join("");
        expect(tokenizer.decode(tokenizer.encode(text))).toBe(text);
      }),
    );
  });

  it("sampled tokens, whatever they are, decode to text that encodes to the same text", () => {
    const ordinary = files.vocabSize - QWEN_SPECIAL_TOKENS.length;
    fc.assert(
      fc.property(fc.array(fc.nat(ordinary - 1), { maxLength: 40 }), (ids) => {
        const text = tokenizer.decode(ids);
        fc.pre(!text.includes("\uFFFD"));
        const again = tokenizer.encode(text);
        expect(tokenizer.decode(again)).toBe(text);
      }),
    );
  });

  it("refuses words and phrases that cannot be tokens", () => {
    expect(() => compactTokenizer({ words: ["two words"] })).toThrow("letters only");
    expect(() => compactTokenizer({ phrases: [""] })).toThrow("needs text");
  });
});

describe("the compact tokenizer's chat template", () => {
  interface ChatCase {
    messages: ChatMessage[];
    add_generation_prompt: boolean;
    add_vision_id: boolean;
    text: string;
  }
  const template = createChatTemplate(files.chatTemplate);
  it.each(fixtureJson<ChatCase[]>("golden/chat_cases.json"))("writes case %# as Qwen's", (value) => {
    const options = { addGenerationPrompt: value.add_generation_prompt, addVisionId: value.add_vision_id };
    expect(template(value.messages, options)).toBe(value.text);
  });

  it("costs 13 tokens around a picture and a known question", () => {
    const message: ChatMessage = {
      role: "user",
      content: [{ type: "image" }, { type: "text", text: "Detect every person." }],
    };
    expect(tokens(template([message]))).toBe(13 + 1);
  });
});
