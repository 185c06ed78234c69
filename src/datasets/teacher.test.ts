import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { boundingBox, clipBox, compareReadingOrder, iou, type Box } from "../geometry/index.js";
import { parseResponse } from "../response/parser.js";
import type { GroundTruthObject, Sample } from "./sample.js";
import { CROWD_IOU, TEACHER_VOCABULARY, teacherResponse, visibilityOf } from "./teacher.js";

type Corners = readonly [number, number, number, number];
const person = ([x1, y1, x2, y2]: Corners, more: Partial<GroundTruthObject> = {}): GroundTruthObject => ({
  box: { x1, y1, x2, y2 },
  label: "person",
  ...more,
});
const sampleOf = (objects: readonly GroundTruthObject[]): Sample => ({
  id: "s",
  image: { kind: "file", path: "s.png" },
  width: 400,
  height: 200,
  objects,
  ignore: [],
});
const isWithin = (inner: Box, outer: Box) =>
  inner.x1 >= outer.x1 && inner.y1 >= outer.y1 && inner.x2 <= outer.x2 && inner.y2 <= outer.y2;
const modelSize = { width: 200, height: 100 };

describe("teacherResponse", () => {
  it("looks at groups that overlap and at single boxes hardly seen, reads left to right", () => {
    const sample = sampleOf([
      person([300, 20, 340, 100], { visibility: 0.5 }),
      person([40, 20, 80, 100]),
      person([20, 20, 60, 100], { visibility: 0.3 }),
      person([120, 20, 160, 100], { visibility: 0.6 }),
    ]);
    const teacher = teacherResponse(sample, { modelSize });
    expect(teacher.look).toEqual([
      { x1: 10, y1: 10, x2: 40, y2: 50 },
      { x1: 150, y1: 10, x2: 170, y2: 50 },
    ]);
    expect(teacher.answer.map(({ box }) => box.x1)).toEqual([10, 20, 60, 150]);
    expect(teacher.think).toBe("4 people, crowded, mostly top.");
    expect(teacher.text).toBe(
      '<think>4 people, crowded, mostly top.</think><look>[{"bbox_2d":[10,10,40,50]},{"bbox_2d":[150,10,170,50]}]</look>' +
        '<answer>[{"bbox_2d":[10,10,30,50],"label":"person"},{"bbox_2d":[20,10,40,50],"label":"person"},' +
        '{"bbox_2d":[60,10,80,50],"label":"person"},{"bbox_2d":[150,10,170,50],"label":"person"}]</answer>',
    );
  });

  it("says what the scene is", () => {
    const say = (...objects: GroundTruthObject[]) => teacherResponse(sampleOf(objects), { modelSize }).think;
    expect(say()).toBe("no people.");
    expect(say(person([10, 150, 30, 190]))).toBe("1 person, apart, mostly bottom left.");
    expect(say(person([190, 90, 210, 110]), person([180, 60, 230, 80]))).toBe(
      "2 people, apart, mostly middle.",
    );
    expect(say(person([0, 0, 20, 20]), person([380, 180, 400, 200]))).toBe("2 people, apart, spread.");
    const row = [0, 1, 2, 3].map((i) => person([i * 100, 80, i * 100 + 20, 120]));
    expect(say(...row, person([300, 80, 320, 121], { visibility: 0.1 }))).toBe(
      "5 people, partly crowded, spread.",
    );
    expect(say(person([0, 0, 20, 20], { label: "car" }))).toBe("1 object, apart, mostly top left.");
    expect(teacherResponse(sampleOf([person([0, 0, 9, 9])]), { modelSize, labels: ["car"] }).think).toBe(
      "no objects.",
    );
  });

  it("takes visibility from the annotation, else from the visible box", () => {
    expect(visibilityOf(person([0, 0, 10, 10]))).toBe(1);
    const visible: Box<"image"> = { x1: 0, y1: 0, x2: 10, y2: 5 };
    expect(visibilityOf(person([0, 0, 10, 10], { visible }))).toBe(0.5);
    expect(visibilityOf(person([0, 0, 10, 10], { visible, visibility: 0.9 }))).toBe(0.9);
  });

  it("is strict, within the vocabulary, in order, complete and inside the picture, whatever the sample", () => {
    const object = fc
      .tuple(
        fc.integer({ min: -40, max: 420 }),
        fc.integer({ min: -40, max: 220 }),
        fc.integer({ min: 1, max: 120 }),
        fc.integer({ min: 1, max: 120 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
      )
      .map(([x, y, w, h, visibility]) => person([x, y, x + w, y + h], { visibility }));
    const words = new Set<string>(TEACHER_VOCABULARY);
    fc.assert(
      fc.property(fc.array(object, { maxLength: 15 }), (objects) => {
        const teacher = teacherResponse(sampleOf(objects), { modelSize });
        const read = parseResponse<"model">(teacher.text, modelSize);
        expect(read.grade).toBe("strict");
        expect(read.answer).toMatchObject({ dropped: 0 });
        expect(read.answer!.boxes.map(({ box }) => box)).toEqual(teacher.answer.map(({ box }) => box));
        expect(read.look!.boxes.map(({ box }) => box)).toEqual(teacher.look);
        for (const word of teacher.think.slice(0, -1).split(/,? /)) {
          expect(words.has(word) || /^\d+$/.test(word)).toBe(true);
        }
        const boxes = teacher.answer.map(({ box }) => box);
        expect(boxes.toSorted(compareReadingOrder)).toEqual(boxes);
        const inside = objects.flatMap(({ box }) => clipBox(box, { width: 400, height: 200 }) ?? []);
        expect(boxes).toHaveLength(inside.length);
        const crowded = inside.filter((a) => inside.some((b) => a !== b && iou(a, b) > CROWD_IOU));
        expect(crowded.length === 0 || teacher.look.length > 0).toBe(true);
        for (const region of teacher.look) {
          const held = boxes.filter((b) => isWithin(b, region));
          expect(boundingBox(held)).toEqual(region);
        }
      }),
      { numRuns: 200 },
    );
  });
});
