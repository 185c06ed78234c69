import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { box } from "../geometry/box.js";
import { parseResponse } from "./parser.js";
import type { ParsedResponse } from "./types.js";

const size = { width: 1000, height: 800 };
const parse = (text: string): ParsedResponse<"model"> => parseResponse<"model">(text, size);
const HEAD = "<think>two people</think><look>[]</look>";
const answered = (json: string) => `${HEAD}<answer>${json}</answer>`;
const corners = (section: ParsedResponse["look"]) =>
  section?.boxes.map(({ box: { x1, y1, x2, y2 } }) => [x1, y1, x2, y2]);
const ONE = '{"bbox_2d":[1,2,30,40],"label":"person"}';

describe("grade strict", () => {
  it("reads both forms, with their spans and labels", () => {
    const text = `\n<think>a\nb</think> <look>near the door [{"bbox_2d":[5,6,7,8]}]</look>\n<answer>[${ONE}, [3, 4, 5.5, 6e0]]</answer>\n`;
    const read = parse(text);
    expect(read.grade).toBe("strict");
    expect(read.think).toBe("a\nb");
    expect(read.look?.boxes[0]).toMatchObject({ box: box(5, 6, 7, 8) });
    expect(read.look?.boxes[0]?.label).toBeUndefined();
    const [first, second] = read.answer!.boxes;
    expect(first).toMatchObject({ box: box(1, 2, 30, 40), label: "person" });
    expect(text.slice(first!.start, first!.end)).toBe(ONE);
    expect(second!.box).toEqual(box(3, 4, 5.5, 6));
    expect(text.slice(second!.start, second!.end)).toBe("[3, 4, 5.5, 6e0]");
  });

  it.each([
    ["empty arrays", answered("[]")],
    ["a json fence around the answer", answered(`\n\`\`\`json\n[${ONE}]\n\`\`\`\n`)],
    ["keys in the other order", answered('[{"label":"person","bbox_2d":[1,2,3,4]}]')],
    ["no label", answered('[{"bbox_2d":[1,2,3,4]}]')],
    ["escapes in a label", answered('[{"bbox_2d":[1,2,3,4],"label":"a\\"\\u0041]"}]')],
    [
      "brackets in the look's prose",
      "<think>x</think><look>[left] side: [[1,2,3,4]]</look><answer>[]</answer>",
    ],
  ])("allows %s", (_, text) => expect(parse(text).grade).toBe("strict"));

  it("clips to the frame, drops and counts what is empty, outside or not finite", () => {
    const read = parse(
      answered("[[-5,-5,2000,20],[10,10,10,20],[30,30,20,40],[1000,0,1100,20],[1,1,1e999,5]]"),
    );
    expect(read.grade).toBe("strict");
    expect(corners(read.answer)).toEqual([[0, 0, 1000, 20]]);
    expect(read.answer?.dropped).toBe(4);
  });
});

describe("grade repaired", () => {
  it.each([
    ["a trailing comma", answered(`[${ONE},]`)],
    ["single quotes", answered(ONE.replaceAll('"', "'"))],
    ["typographic quotes", answered(`[{“bbox_2d”: [1,2,30,40], “label”: “person”}]`)],
    ["no quotes", answered("[{bbox_2d: [1,2,30,40], label: person}]")],
    ["a quote left open", answered('[{"bbox_2d":[1,2,30,40],"label":"person}]')],
    ["numbers in quotes", answered('[{"bbox_2d":["1","2","30","40"],"label":"person"}]')],
    ["a fence without a language", answered(`\`\`\`\n[${ONE}]\n\`\`\``)],
    ["a fence around all", `\`\`\`\n${answered(`[${ONE}]`)}\n\`\`\``],
    ["an object without its array", answered(ONE)],
    ["a missing brace", answered(`[${ONE.slice(0, -1)}]`)],
    ["a missing bracket", answered('[{"label":"person","bbox_2d":[1,2,30,40}]')],
    ["other keys", answered('[{"bbox_2d":[1,2,30,40],"label":"person","score":0.9}]')],
    ["prose around", answered(`Here: [${ONE}] as asked`)],
    ["text between sections", answered(`[${ONE}]`).replace("<answer>", "so <answer>")],
    ["a missing closing tag", `${HEAD}<answer>[${ONE}]`],
    ["a missing opening tag", `${HEAD}[${ONE}]</answer>`],
    ["a wrong closing tag", `${HEAD}<answer>[${ONE}]</look>`],
    ["no look section", `<think>x</think><answer>[${ONE}]</answer>`],
    ["a blank look section", `<think>x</think><look> </look><answer>[${ONE}]</answer>`],
    ["sections in another order", `<answer>[${ONE}]</answer><think>x</think><look>[]</look>`],
    ["an answer within the thinking", `<think>so <answer>[${ONE}]</answer></think>`],
    ["an earlier answer", `<answer>[[9,9,99,99]]</answer>${answered(`[${ONE}]`)}`],
    ["nested answers", `${HEAD}<answer>[[9,9,99,99]]<answer>[${ONE}]</answer></answer>`],
    ["an answer begun again and cut off", `${answered(`[${ONE}]`)}<answer>[[7,7,8`],
    ["bare JSON", `\`\`\`json\n[${ONE}]\n\`\`\``],
    ["bare JSON behind closed sections", `${HEAD}[${ONE}]`],
  ])("mends %s", (_, text) => {
    const read = parse(text);
    expect(read.grade).toBe("repaired");
    expect(corners(read.answer)).toEqual([[1, 2, 30, 40]]);
    expect(read.answer?.boxes[0]?.label ?? "person").toBe("person");
  });

  it("keeps a flat list of four numbers as one box", () => {
    expect(corners(parse(answered("[1,2,3,4]")).answer)).toEqual([[1, 2, 3, 4]]);
  });

  it("counts what cannot be a box, NaN among it", () => {
    const read = parse(answered('[[1,2,NaN,4],[1,2,-Infinity,4],[1,2,3],{"label":"person"},[5,5,9,9]]'));
    expect(read).toMatchObject({ grade: "repaired", answer: { dropped: 4 } });
    expect(corners(read.answer)).toEqual([[5, 5, 9, 9]]);
  });

  it("keeps brackets that a quoted label holds out of the boxes", () => {
    const read = parse(answered('[{"bbox_2d":[1,2,3,4],"label":"sign [5,6,7,8]"},]'));
    expect(corners(read.answer)).toEqual([[1, 2, 3, 4]]);
    expect(read.answer?.boxes[0]?.label).toBe("sign [5,6,7,8]");
  });

  it("keeps a good look section whatever is wrong elsewhere", () => {
    const read = parse("<look>here [[1,2,3,4]]</look><answer>[[1,2,3,4],]</answer>");
    expect(corners(read.look)).toEqual([[1, 2, 3, 4]]);
    expect(read.think).toBeUndefined();
  });
});

describe("grade truncated", () => {
  it("salvages complete boxes", () => {
    const read = parse(`${HEAD}<answer>[${ONE},{"bbox_2d":[3,4,50,6`);
    expect(read.grade).toBe("truncated");
    expect(corners(read.answer)).toEqual([[1, 2, 30, 40]]);
    expect(read.look).toEqual({ boxes: [], dropped: 0 });
  });

  it("keeps a box whose four numbers are complete, without the label that is not", () => {
    const read = parse(`${HEAD}<answer>[${ONE},{"bbox_2d":[3,4,50,60],"label":"per`);
    expect(corners(read.answer)).toEqual([
      [1, 2, 30, 40],
      [3, 4, 50, 60],
    ]);
    expect(read.answer?.boxes[1]?.label).toBeUndefined();
  });

  it("grades every prefix of a strict response, never gaining a box that is not there", () => {
    const text = `<think>x</think><look>[[9,9,20,20]]</look><answer>[${ONE},${ONE}]</answer>`;
    const open = text.indexOf("<answer>") + 8;
    let seen = 0;
    for (let length = 0; length < text.length; length++) {
      const read = parse(text.slice(0, length));
      const complete = (text.slice(open, length).match(/40\]/g) ?? []).length;
      expect(read.answer?.boxes.length ?? 0).toBe(length < open ? 0 : complete);
      seen = Math.max(seen, complete);
      const cut = length === text.length - "</answer>".length ? "repaired" : "truncated";
      expect(read.grade).toBe(complete === 0 ? "none" : cut);
    }
    expect(seen).toBe(2);
  });
});

describe("grade none", () => {
  it.each([
    ["nothing", ""],
    ["prose", "I see [2] people at (3, 4)."],
    ["an answer without an array", answered("nobody")],
    ["an empty answer", answered("")],
    ["boxes in the thinking alone", "<think>[[1,2,3,4]]"],
    ["boxes in the look section alone", "<think>x</think><look>[[1,2,3,4]]</look>"],
    ["an answer cut off before its first box", `${HEAD}<answer>[{"bbox_2d":[1,2`],
    ["a last answer that is unreadable", `<answer>[[1,2,3,4]]</answer><answer>none</answer>`],
    ["tags spelled otherwise", "<Answer>nobody</Answer>"],
  ])("%s", (_, text) => {
    const read = parse(text);
    expect(read.grade).toBe("none");
    expect(read.answer).toBeUndefined();
  });
});

describe("hostile input", () => {
  it("never throws, keeps spans in order and boxes in the frame", () => {
    const piece = fc.constantFrom(
      "<think>", "</think>", "<look>", "</look>", "<answer>", "</answer>", "[", "]", "{", "}", ",", ":", '"', "'", "\\",
      "\\u12", "```json", "```", "bbox_2d", '"bbox_2d":', '"label":', '"person"', "1", "20", "-3", "4.5", "1e9", "NaN",
      "-", ".", "e", " ", "\n", "[1,2,3,4]", ONE, "“", "’", "\ud800", "é",
    ); // prettier-ignore
    const text = fc.oneof(
      fc.array(piece, { maxLength: 40 }).map((p) => p.join("")),
      fc.string({ unit: "binary" }),
    );
    fc.assert(
      fc.property(text, (raw) => {
        const read = parse(raw);
        expect(read.answer === undefined).toBe(read.grade === "none");
        for (const section of [read.look, read.answer]) {
          let last = 0;
          for (const { box: b, start, end } of section?.boxes ?? []) {
            expect(b.x1 >= 0 && b.y1 >= 0 && b.x2 > b.x1 && b.y2 > b.y1 && b.x2 <= 1000 && b.y2 <= 800).toBe(
              true,
            );
            expect(end).toBeGreaterThan(start);
            expect(start).toBeGreaterThanOrEqual(last);
            expect(end).toBeLessThanOrEqual(raw.length);
            last = start;
          }
        }
      }),
      { numRuns: 2000 },
    );
  });

  it("agrees with JSON.parse on what is strict", () => {
    const json = fc.array(
      fc.oneof(
        fc.tuple(fc.double(), fc.integer(), fc.integer(), fc.float()),
        fc.record({
          bbox_2d: fc.tuple(fc.integer(), fc.integer(), fc.integer(), fc.integer()),
          label: fc.string(),
        }),
      ),
      { maxLength: 5 },
    );
    const noise = fc.constantFrom("", ",", "]", '"', "0", " ", "-", "\u0001", "\\");
    fc.assert(
      fc.property(json, fc.nat(), noise, (value, seed, inserted) => {
        const clean = JSON.stringify(value).replaceAll("<", "\\u003c");
        const at = seed % (clean.length + 1);
        const text = clean.slice(0, at) + inserted + clean.slice(at);
        const strict = parse(answered(text)).grade === "strict";
        let valid = true;
        try {
          JSON.parse(text);
        } catch {
          valid = false;
        }
        expect(!strict || valid).toBe(true);
        expect(strict || inserted !== "" || clean.includes("null")).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  it.each([
    "[",
    "{",
    "<",
    "[{",
    '["',
    "{'",
    "[“",
    '{"\\',
    "[1,",
    "<answer>[",
    '[{"label":"',
    "<look>[[1,2,3,4]",
    "[1e",
  ])("gets through a megabyte of %s", (unit) => {
    const body = unit.repeat(Math.floor(2 ** 20 / unit.length));
    for (const text of [
      body,
      `<answer>${body}</answer>`,
      `<think>x</think><look>${body}</look><answer>[]</answer>`,
    ]) {
      expect(["repaired", "truncated", "none"]).toContain(parse(text).grade);
    }
  });

  it("reads 100,000 boxes", () => {
    const many = `[${Array.from({ length: 100_000 }, (_, i) => `[${i % 900},1,${(i % 900) + 9},9]`).join(",")}]`;
    expect(parse(answered(many)).answer?.boxes).toHaveLength(100_000);
    expect(parse(answered(`${many} `.replace("]]", "],]"))).answer?.boxes).toHaveLength(100_000);
  });
});
