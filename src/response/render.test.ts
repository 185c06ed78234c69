import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { InputError } from "../base/errors.js";
import { box, roundBox, type Box } from "../geometry/index.js";
import { parseResponse } from "./parser.js";
import { promptNames, prompts, promptText } from "./prompt.js";
import { renderResponse } from "./render.js";

const size = { width: 400, height: 300 };
const coordinate = (max: number) =>
  fc.tuple(fc.double({ min: 0, max, noNaN: true }), fc.double({ min: 0, max, noNaN: true }));
const anyBox = fc
  .tuple(coordinate(400), coordinate(300))
  .filter(([[a, b], [c, d]]) => a !== b && c !== d)
  .map(([[a, b], [c, d]]) => box<"model">(Math.min(a, b), Math.min(c, d), Math.max(a, b), Math.max(c, d)));

describe("renderResponse", () => {
  it("writes the canonical text", () => {
    const text = renderResponse({
      think: "1 person.",
      look: [box(0.4, 0, 9.6, 8)],
      answer: [{ box: box(1, 2, 30, 40), label: "person" }],
    });
    expect(text).toBe(
      '<think>1 person.</think><look>[{"bbox_2d":[0,0,10,8]}]</look><answer>[{"bbox_2d":[1,2,30,40],"label":"person"}]</answer>',
    );
    expect(
      renderResponse({
        think: "x",
        look: [],
        answer: [{ box: box(1, 2, 3, 4), label: "a" }],
        style: "arrays",
      }),
    ).toBe("<think>x</think><look>[]</look><answer>[[1,2,3,4]]</answer>");
  });

  it("comes back from the parser at grade strict with the same rounded boxes, labels and thinking", () => {
    const label = fc.oneof(fc.constant("person"), fc.string(), fc.constant('</answer><think>"\\'));
    const answers = fc.array(fc.record({ box: anyBox, label }), { maxLength: 8 });
    const think = fc.string().filter((text) => !/<\/?(think|look|answer)>/.test(text));
    fc.assert(
      fc.property(
        think,
        fc.array(anyBox, { maxLength: 5 }),
        answers,
        fc.boolean(),
        (said, look, answer, arrays) => {
          const style = arrays ? "arrays" : "objects";
          const text = renderResponse<"model">({ think: said, look, answer, style });
          const read = parseResponse<"model">(text, size);
          expect(read.grade).toBe("strict");
          expect(read.think).toBe(said);
          expect(read.look?.boxes.map((b) => b.box)).toEqual(look.map((b: Box<"model">) => roundBox(b)));
          expect(read.answer?.boxes.map((b) => b.box)).toEqual(answer.map((a) => roundBox(a.box)));
          expect(read.answer?.boxes.map((b) => b.label)).toEqual(
            answer.map((a) => (arrays ? undefined : a.label)),
          );
          expect([read.look?.dropped, read.answer?.dropped]).toEqual([0, 0]);
        },
      ),
    );
  });

  it("refuses what it could not read back", () => {
    const answer = (b: Box) => ({ think: "x", look: [], answer: [{ box: b, label: "p" }] });
    expect(() => renderResponse({ think: "see <look>", look: [], answer: [] })).toThrow(InputError);
    expect(() => renderResponse(answer(box(1, 1, NaN, 2)))).toThrow(InputError);
    expect(() => renderResponse(answer(box(5, 5, 5, 9)))).toThrow(InputError);
  });
});

describe("prompts", () => {
  it("name every label", () => {
    for (const name of promptNames) {
      const text = promptText(name, ["person", "car", "dog"]);
      for (const label of ["person", "car", "dog"]) expect(text).toContain(label);
    }
    expect(promptText("dip-r1-short")).toBe("Detect every person.");
    expect(promptText("dip-r1-short", ["person", "car"])).toBe("Detect every person and car.");
    expect(promptText("dip-r1")).toContain("Coordinates are whole pixels of the image, left");
    expect(promptText("dip-r1", ["person"], "norm1000")).toContain(
      "Coordinates are whole thousandths of the image's width and height (0 to 1000), left",
    );
    for (const tag of ["<think>", "</think>", "<look>", "</look>", "<answer>", "</answer>", "bbox_2d"]) {
      expect(prompts["dip-r1"].text(["person"])).toContain(tag);
    }
  });

  it("say which names there are", () => {
    expect(() => promptText("nope")).toThrow(InputError);
    expect(() => promptText("toString")).toThrow(/no prompt named/);
    expect(() => promptText("dip-r1", [])).toThrow(/at least one label/);
  });
});
