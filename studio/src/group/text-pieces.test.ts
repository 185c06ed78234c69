import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { TextStretch } from "../../../src/server/studio/api.js";
import { textPieces } from "./text-pieces.js";

const text = "<think>two</think><look>[[1,2,3,4]]</look><answer>[[5,6,7,8]]</answer>";
const stretches: TextStretch[] = [
  { start: 0, end: 7, kind: "tag" },
  { start: 7, end: 10, kind: "think" },
  { start: 10, end: 18, kind: "tag" },
  { start: 18, end: 24, kind: "tag" },
  { start: 24, end: 35, kind: "look" },
  { start: 35, end: 42, kind: "tag" },
  { start: 42, end: 50, kind: "tag" },
  { start: 50, end: 61, kind: "answer" },
  { start: 61, end: 70, kind: "tag" },
];
const whole = (pieces: ReturnType<typeof textPieces>) =>
  pieces.map(({ parts }) => parts.map((part) => part.text).join("")).join("");

describe("textPieces", () => {
  it("cuts at sections and boxes", () => {
    const pieces = textPieces(text, {
      stretches,
      boxes: [
        { id: "look:0", start: 25, end: 34 },
        { id: "answer:0", start: 51, end: 60 },
      ],
    });
    expect(
      pieces
        .filter(({ box }) => box !== undefined)
        .map(({ box, kind, parts }) => [box, kind, parts[0]!.text]),
    ).toEqual([
      ["look:0", "look", "[1,2,3,4]"],
      ["answer:0", "answer", "[5,6,7,8]"],
    ]);
    expect(whole(pieces)).toBe(text);
  });

  it("keeps tokens within their piece, and leaves text behind the last token to none", () => {
    const pieces = textPieces("abcdef", {
      stretches: [
        { start: 0, end: 3, kind: "think" },
        { start: 3, end: 6, kind: "look" },
      ],
      ends: [2, 4, 4, 5],
    });
    expect(pieces).toEqual([
      {
        kind: "think",
        parts: [
          { text: "ab", token: 0 },
          { text: "c", token: 1 },
        ],
      },
      { kind: "look", parts: [{ text: "d", token: 1 }, { text: "e", token: 3 }, { text: "f" }] },
    ]);
  });

  it("never cuts a character of two units", () => {
    const pieces = textPieces("a😀b", { ends: [2, 3, 4] });
    expect(pieces[0]!.parts.map((part) => part.text)).toEqual(["a😀", "b"]);
  });

  it("takes text of no section for stray", () => {
    expect(textPieces("oh <look>", { stretches: [{ start: 3, end: 9, kind: "tag" }] })).toMatchObject([
      { kind: "stray" },
      { kind: "tag" },
    ]);
  });

  it("is the text, put together, whatever the spans are", () => {
    const span = fc.record({
      start: fc.integer({ min: -3, max: 40 }),
      end: fc.integer({ min: -3, max: 40 }),
    });
    fc.assert(
      fc.property(
        fc
          .array(fc.constantFrom("a", "<", "😀", "\ud83d", "\n"), { maxLength: 30 })
          .map((letters) => letters.join("")),
        fc.array(span, { maxLength: 5 }),
        fc.array(fc.integer({ min: 0, max: 40 }), { maxLength: 8 }),
        (words, spans, ends) => {
          const pieces = textPieces(words, {
            stretches: spans.map((one) => ({ ...one, kind: "look" })),
            boxes: spans.map((one, i) => ({ ...one, id: String(i) })),
            ends: ends.toSorted((a, b) => a - b),
          });
          expect(whole(pieces)).toBe(words);
        },
      ),
    );
  });
});
