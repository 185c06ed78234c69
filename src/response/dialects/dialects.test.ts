import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { box, type Box } from "../../geometry/box.js";
import type { AnswerFrame } from "../../geometry/profiles.js";
import { dialectNames, dialectOf, dialectPrompt } from "./dialects.js";
import { formsSeen } from "./forms.js";
import { readDialect, type DialectReader } from "./parse.js";
import {
  boxLayouts,
  fromCorners,
  profileOf,
  toCorners,
  writtenCanvas,
  writtenScales,
  type Reading,
} from "./reading.js";
import { renderDialect } from "./render.js";

const model = { width: 812, height: 504 };
const reader = (name: string): DialectReader => dialectOf(name);
const read = (name: string, text: string) => readDialect(text, reader(name), model);
const corners = (boxes: readonly { readonly box: Box }[] | undefined) =>
  boxes?.map(({ box: { x1, y1, x2, y2 } }) => [x1, y1, x2, y2]);

/** Boxes at least a fiftieth of the picture wide and high, in the frame of the reading's profile. */
function boxesFor(reading: Reading) {
  const canvas = profileOf(reading) === "absolute" ? model : { width: 1000, height: 1000 };
  const edge = fc.double({ min: 0, max: 0.9, noNaN: true });
  const side = fc.double({ min: 0.02, max: 0.1, noNaN: true });
  return fc.array(
    fc.record({
      box: fc
        .tuple(edge, edge, side, side)
        .map(([x, y, w, h]) =>
          box<AnswerFrame>(
            x * canvas.width,
            y * canvas.height,
            (x + w) * canvas.width,
            (y + h) * canvas.height,
          ),
        ),
      label: fc.constantFrom("person", "rider"),
    }),
    { maxLength: 12 },
  );
}

describe.each(dialectNames)("dialect %s", (name) => {
  const dialect = dialectOf(name);

  it("reads what it writes, strictly, within one unit, labels and all", () => {
    fc.assert(
      fc.property(boxesFor(dialect.reading), (boxes) => {
        const sorted =
          dialect.form === "det-markers" || dialect.form === "box-markers"
            ? [...new Set(boxes.map(({ label }) => label))].flatMap((label) =>
                boxes.filter((one) => one.label === label),
              )
            : boxes;
        const text = renderDialect(boxes, dialect, model);
        const back = readDialect(text, dialect, model);
        // Marked forms have no way to say "none" but to say nothing.
        expect(back.grade).toBe(text === "" ? "none" : "strict");
        expect(back.mismatch).toBeUndefined();
        const found = back.answer?.boxes ?? [];
        expect(found).toHaveLength(boxes.length);
        const frame = profileOf(dialect.reading) === "absolute" ? model : { width: 1000, height: 1000 };
        const written = writtenCanvas(dialect.reading, model);
        // Rounding moves an edge by half a unit; shares are written with three digits.
        const unit = dialect.reading.scale === "norm1" ? 0.001 : 1;
        found.forEach((one, i) => {
          const there = sorted[i]!;
          const limit = (side: "width" | "height") => (0.5001 * unit * frame[side]) / written[side] + 1e-6;
          expect(Math.abs(one.box.x1 - there.box.x1)).toBeLessThanOrEqual(limit("width"));
          expect(Math.abs(one.box.y1 - there.box.y1)).toBeLessThanOrEqual(limit("height"));
          expect(Math.abs(one.box.x2 - there.box.x2)).toBeLessThanOrEqual(limit("width"));
          expect(Math.abs(one.box.y2 - there.box.y2)).toBeLessThanOrEqual(limit("height"));
          expect(one.label).toBe(dialect.form === "list" ? undefined : there.label);
          expect(text.slice(one.start, one.end)).toMatch(/^[[{].*[\]}]$/);
        });
      }),
      { numRuns: 40 },
    );
  });

  it("never throws, whatever is written, and is linear in it", () => {
    const piece = fc.constantFrom(
      ..."[]{}(),:\"'<>|/ ",
      "12",
      "0.5",
      "<|det|>",
      "<|/det|>",
      "<|ref|>",
      "<box>",
      "</box>",
      '"bbox_2d"',
      '"box_2d"',
      "<answer>",
      "</think>",
      "```json",
      "[1,2,30,40]",
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 60 }), (pieces) => {
        const back = readDialect(pieces.join(""), dialect, model);
        expect(back.answer === undefined).toBe(back.grade === "none");
        for (const { box: one } of back.answer?.boxes ?? []) {
          expect(one.x2).toBeGreaterThan(one.x1);
          expect(one.y2).toBeGreaterThan(one.y1);
        }
      }),
      { numRuns: 150 },
    );
    for (const part of ["[", "<|det|>[[", "<box>", '{"bbox_2d":', "<|ref|>a<|/ref|>", "<think>"])
      readDialect(part.repeat(100_000 / part.length), dialect, model);
  });

  it("asks for the labels", () => {
    expect(dialectPrompt(dialect, ["person"])).toContain("person");
    expect(dialectPrompt(dialect, ["cat", "dog"])).toMatch(/cat[^]*dog/);
    expect(() => dialectPrompt(dialect, [])).toThrow("at least one label");
    expect(() => dialectPrompt(dialect, ["<box>"])).toThrow("cannot be asked for");
  });

  it("keeps the boxes of a text that was cut off", () => {
    const boxes = [1, 2, 3].map((i) => ({
      box: box<AnswerFrame>(50 * i, 20, 50 * i + 40, 200),
      label: "person",
    }));
    const text = renderDialect(boxes, dialect, model);
    const back = readDialect(text.slice(0, text.lastIndexOf("[") + 4), dialect, model);
    expect(back.grade).toBe("truncated");
    expect(back.answer!.boxes.length).toBeGreaterThanOrEqual(2);
  });
});

describe("readDialect", () => {
  it("reads the published examples of each form", () => {
    const json = '```json\n[\n\t{"bbox_2d": [81, 50, 406, 252], "label": "person"}\n]\n```';
    expect(corners(read("qwen2.5-vl", json).answer?.boxes)).toEqual([[81, 50, 406, 252]]);
    expect(corners(read("qwen3-vl", json).answer?.boxes)).toEqual([[81, 50, 406, 252]]);
    const deepseek =
      "<|ref|>person<|/ref|><|det|>[[0, 0, 999, 999], [100, 200, 300, 400]]<|/det|><｜end▁of▁sentence｜>";
    const found = read("deepseek-vl2", deepseek);
    expect(found.grade).toBe("strict");
    expect(found.answer!.boxes.map(({ label }) => label)).toEqual(["person", "person"]);
    expect(corners(found.answer?.boxes)![0]).toEqual([0, 0, 1000, 1000]);
    const gemini = '[{"box_2d": [100, 200, 300, 450], "label": "person"}]';
    expect(corners(read("gemini", gemini).answer?.boxes)).toEqual([[200, 100, 450, 300]]);
    const internvl = "<ref>person</ref><box>[[10, 20, 30, 40]]</box>";
    expect(corners(read("internvl", internvl).answer?.boxes)).toEqual([[10, 20, 30, 40]]);
  });

  it("does not read another dialect's answer, and names it", () => {
    const answers = {
      bbox_2d: '[{"bbox_2d": [1, 2, 30, 40], "label": "person"}]',
      box_2d: '[{"box_2d": [1, 2, 30, 40], "label": "person"}]',
      det: "<|ref|>person<|/ref|><|det|>[[1, 2, 30, 40]]<|/det|>",
      tags: '<think>a</think><look>[[1,2,3,4]]</look><answer>[{"bbox_2d":[1,2,30,40]}]</answer>',
    };
    for (const [name, said] of [
      ["gemini", answers.bbox_2d],
      ["qwen3-vl", answers.box_2d],
      ["qwen2.5-vl", answers.det],
      ["qwen2.5-vl", answers.tags],
      ["internvl", answers.det],
      ["list-norm1000", answers.bbox_2d],
      ["dip-r1", answers.box_2d],
      ["dip-r1", answers.det],
    ] as const) {
      const back = read(name, said);
      expect(back.grade).toBe("none");
      expect(back.mismatch).toContain(`instead of`);
      expect(back.mismatch).toContain(name);
    }
  });

  it("reads bare numbers where only the wrapping is missing", () => {
    expect(read("qwen2.5-vl", "[[1, 2, 30, 40]]")).toMatchObject({ grade: "repaired" });
    expect(read("dip-r1", '[{"bbox_2d":[1,2,30,40],"label":"person"}]')).toMatchObject({ grade: "repaired" });
    const stripped = read("deepseek-vl2", "person[[1, 2, 30, 40], [5, 6, 70, 80]]");
    expect(stripped.answer!.boxes).toHaveLength(2);
    expect(stripped.mismatch).toContain("special tokens");
  });

  it("takes what a thinking model thought for no answer", () => {
    const text = '<think>maybe [[9, 9, 99, 99]]</think>\n[{"bbox_2d": [1, 2, 30, 40], "label": "person"}]';
    const back = read("qwen3-vl", text);
    expect(back).toMatchObject({ grade: "strict", think: "maybe [[9, 9, 99, 99]]" });
    expect(corners(back.answer?.boxes)).toEqual([[1, 2, 30, 40]]);
    const marked = read(
      "deepseek-vl2",
      "<think>x</think><|ref|>person<|/ref|><|det|>[[1, 2, 30, 40]]<|/det|>",
    );
    expect(marked.grade).toBe("strict");
    expect(marked.answer!.boxes[0]!.start).toBeGreaterThan(16);
  });

  it("reads every scale and layout that a calibration can find", () => {
    const there = box<AnswerFrame>(100, 200, 300, 450);
    for (const scale of writtenScales) {
      for (const layout of boxLayouts) {
        const reading = { scale, layout };
        const frame = profileOf(reading) === "absolute" ? model : { width: 1000, height: 1000 };
        const dialect = { name: "x", form: "bbox_2d" as const, reading };
        const text = renderDialect([{ box: there, label: "person" }], dialect, model);
        const [found] = readDialect(text, dialect, model).answer!.boxes;
        for (const key of ["x1", "y1", "x2", "y2"] as const)
          expect(Math.abs(found!.box[key] - there[key])).toBeLessThan(frame.width / 400);
        expect(toCorners(fromCorners([1, 2, 5, 9], layout), layout)).toEqual([1, 2, 5, 9]);
      }
    }
  });

  it("says nothing of a mismatch where nothing was found", () => {
    for (const name of dialectNames)
      expect(read(name, "There is nobody in this picture.")).toEqual({ grade: "none" });
  });
});

describe("dialects", () => {
  it("are told apart by their signs", () => {
    expect(formsSeen('{"bbox_2d": [1,2,3,4]}')).toEqual(["bbox_2d"]);
    expect(formsSeen('{"box_2d": [1,2,3,4]}')).toEqual(["box_2d"]);
    expect(formsSeen("[[1,2,3,4]]")).toEqual(["list"]);
    expect(formsSeen("[1,2,3]")).toEqual([]);
  });

  it("have names", () => {
    expect(() => dialectOf("qwen")).toThrow('no dialect named "qwen"');
    expect(() => dialectPrompt(dialectOf("gemini"), ["person"], "dip-r1")).toThrow("does not apply");
    expect(dialectPrompt(dialectOf("dip-r1-norm1000"), ["person"])).toContain("thousandths");
    expect(dialectPrompt(dialectOf("dip-r1"), ["person"], "dip-r1-short")).toBe("Detect every person.");
  });
});
