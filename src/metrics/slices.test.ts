import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { box, type Box } from "../geometry/box.js";
import { addTallies, matchInstances } from "./precision-recall.js";
import { sliceResponses, type SliceDimension, type SlicedResponse } from "./slices.js";

const size = { width: 400, height: 400 };
interface Object {
  readonly box: Box<"image">;
  readonly label: string;
  readonly visibility?: number;
}
const person = (x: number, y: number, w: number, h: number, visibility?: number): Object => ({
  box: box(x, y, x + w, y + h),
  label: "person",
  ...(visibility !== undefined && { visibility }),
});
function judged(predictions: readonly Object[], objects: readonly Object[], ignore: Box<"image">[] = []) {
  const truth = { objects, ignore };
  const said = predictions.map(({ box: at, label }) => ({ box: at, label }));
  return { ...size, predictions: said, truth, matches: matchInstances(said, truth).matches };
}
const find = (responses: SlicedResponse[], by: SliceDimension, bucket: string) =>
  sliceResponses(responses).find((slice) => slice.by === by && slice.bucket.startsWith(bucket));

describe("sliceResponses", () => {
  // Two that overlap by 10 of 20 (IoU 1/3), one alone.
  const crowd = [person(0, 0, 20, 40, 1), person(10, 0, 20, 40, 0.5), person(200, 0, 20, 100, 0.7)];

  it("by crowding: objects in groups over IoU 0.3 or alone, false alarms with what they overlap", () => {
    const said = [
      person(0, 0, 20, 40), // hit in the crowd
      person(1, 0, 20, 40), // a second box there, whose best partner is the free second person or a duplicate
      person(200, 0, 20, 100), // hit alone
      person(300, 300, 20, 40), // nothing
    ];
    const one = judged(said, crowd);
    expect(one.matches).toEqual([0, -1, 2, -1]);
    expect(find([one], "crowding", "crowded")).toMatchObject({
      truths: 2,
      truePositives: 1,
      predictions: 2,
      precision: 0.5,
      recall: 0.5,
      f1: 0.5,
      iou: 1,
    });
    expect(find([one], "crowding", "isolated")).toMatchObject({
      truths: 1,
      truePositives: 1,
      predictions: 2,
      recall: 1,
    });
  });

  it("does not call an IoU of exactly 0.3 a crowd", () => {
    // 13 and 13 wide, 6 shared: 6/20.
    const two = [person(0, 0, 13, 10), person(7, 0, 13, 10)];
    expect(find([judged([], two)], "crowding", "isolated")!.truths).toBe(2);
  });

  it("by height in pixels and in shares of the image", () => {
    const objects = [
      person(0, 0, 10, 19),
      person(50, 0, 10, 31),
      person(100, 0, 10, 32),
      person(150, 0, 10, 96),
    ];
    const one = judged([objects[1]!, person(300, 0, 20, 300)], objects);
    expect(find([one], "height", "small")).toMatchObject({ truths: 2, truePositives: 1, predictions: 1 });
    expect(find([one], "height", "medium")).toMatchObject({ truths: 1, recall: 0, precision: null });
    expect(find([one], "height", "large")).toMatchObject({ truths: 1, predictions: 1, precision: 0 });
    expect(find([one], "heightShare", "small")!.truths).toBe(1);
    expect(find([one], "heightShare", "medium")!.truths).toBe(2);
    expect(find([one], "heightShare", "large")!.truths).toBe(1);
  });

  it("by visibility: recall alone, and only where it is known", () => {
    const one = judged([crowd[1]!], crowd);
    expect(find([one], "visibility", "heavy")).toMatchObject({
      truths: 1,
      recall: 1,
      precision: null,
      f1: null,
    });
    expect(find([one], "visibility", "partial")).toMatchObject({ truths: 1, recall: 0 });
    expect(find([one], "visibility", "bare")).toMatchObject({ truths: 1, recall: 0 });
    const blind = judged([], [person(0, 0, 10, 10)]);
    expect(sliceResponses([blind]).filter(({ by }) => by === "visibility")).toEqual([]);
  });

  it("by label, where there are several", () => {
    const objects = [person(0, 0, 10, 20), { ...person(50, 0, 10, 20), label: "dog" }];
    const one = judged([objects[0]!, { ...objects[0]!, label: "dog" }], objects);
    expect(find([one], "label", "person")).toMatchObject({ precision: 1, recall: 1 });
    expect(find([one], "label", "dog")).toMatchObject({ precision: 0, recall: 0 });
    expect(find([judged([], crowd)], "label", "person")).toBeUndefined();
  });

  it("by how many there are in an image, with counting", () => {
    const empty = judged([person(0, 0, 10, 10)], []);
    const few = judged(crowd.slice(0, 1), crowd);
    const slices = sliceResponses([empty, few, judged(crowd, crowd)]).filter(({ by }) => by === "objects");
    expect(slices.map(({ bucket }) => bucket)).toEqual(["none", "1-4"]);
    expect(slices[0]).toMatchObject({
      recall: null,
      precision: 0,
      counting: { responses: 1, mae: 1, bias: 1 },
    });
    expect(slices[1]).toMatchObject({ truths: 6, counting: { responses: 2, mae: 1, bias: -1 } });
  });

  it("leaves out what lies in ignore regions", () => {
    const one = judged([person(300, 300, 20, 40)], crowd, [box(280, 280, 400, 400)]);
    for (const slice of sliceResponses([one])) expect(slice.predictions ?? 0).toBe(0);
    expect(find([one], "objects", "1-4")!.counting).toMatchObject({ mae: 3, bias: -3 });
  });

  it("cuts without losing or doubling: every dimension adds up to the whole", () => {
    const boxes = fc.array(
      fc
        .tuple(fc.nat(300), fc.nat(300), fc.integer({ min: 5, max: 90 }), fc.integer({ min: 5, max: 99 }))
        .map(([x, y, w, h]) => person(x, y, w, h, (w % 10) / 10)),
      { maxLength: 10 },
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(boxes, boxes), { maxLength: 4 }), (pairs) => {
        const responses = pairs.map(([said, there]) => judged(said, there, [box(0, 0, 60, 60)]));
        const whole = addTallies(
          responses.map(({ predictions, truth }) => matchInstances(predictions, truth)),
        );
        const slices = sliceResponses(responses);
        for (const by of ["crowding", "height", "heightShare", "objects"] as const) {
          const own = slices.filter((slice) => slice.by === by);
          const sum = (key: "truths" | "truePositives" | "predictions") =>
            own.reduce((total, slice) => total + slice[key]!, 0);
          expect([sum("truths"), sum("truePositives"), sum("predictions")]).toEqual([
            whole.truths,
            whole.truePositives,
            whole.predictions,
          ]);
        }
      }),
    );
  });
});
