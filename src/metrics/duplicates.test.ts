import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { box } from "../geometry/box.js";
import { falsePositives } from "./duplicates.js";
import { matchInstances, type PredictedBox, type TruthBoxes } from "./precision-recall.js";

const at = (x: number, label?: string, width = 10) => ({
  box: box<"image">(x, 0, x + width, 10),
  ...(label !== undefined && { label }),
});
const judged = (predictions: PredictedBox<"image">[], truth: TruthBoxes<"image">) => ({
  predictions,
  truth,
  matches: matchInstances(predictions, truth).matches,
});

describe("falsePositives", () => {
  it("tells the kinds apart", () => {
    const truth: TruthBoxes<"image"> = {
      objects: [
        { box: at(0).box, label: "person" },
        { box: at(50).box, label: "dog" },
      ],
      ignore: [at(200, undefined, 50).box],
    };
    const one = judged(
      [
        at(0, "person"), // hit
        at(1, "person"), // the same person again: IoU 9/11
        at(6, "person"), // IoU 4/16
        at(50, "person"), // a dog
        at(100, "person"), // nothing
        at(210, "person"), // in an ignore region
      ],
      truth,
    );
    expect(falsePositives([one])).toEqual({
      predictions: 5,
      duplicates: 1,
      mislabelled: 1,
      displaced: 1,
      background: 1,
      duplicateShare: 0.2,
    });
    expect(falsePositives([one, one])).toMatchObject({ predictions: 10, duplicates: 2, duplicateShare: 0.2 });
  });

  it("has nothing to say where nothing was said", () => {
    expect(falsePositives([judged([], { objects: [], ignore: [] })])).toMatchObject({
      predictions: 0,
      duplicateShare: 0,
    });
  });

  it("adds up to the predictions that count, whatever is said", () => {
    const boxes = fc.array(
      fc.record({ x: fc.nat(40), label: fc.constantFrom("person", "dog") }).map(({ x, label }) => ({
        box: at(x).box,
        label,
      })),
      { maxLength: 8 },
    );
    fc.assert(
      fc.property(boxes, boxes, (predictions, objects) => {
        const truth = { objects, ignore: [at(35).box] };
        const { matches, truePositives, predictions: counted } = matchInstances(predictions, truth);
        const kinds = falsePositives([{ predictions, truth, matches }]);
        expect(kinds.predictions).toBe(counted);
        expect(
          truePositives + kinds.duplicates + kinds.mislabelled + kinds.displaced + kinds.background,
        ).toBe(counted);
      }),
    );
  });

  it("counts k copies of a right answer as k - 1 duplicates", () => {
    const truth: TruthBoxes<"image"> = { objects: [{ box: at(0).box, label: "person" }], ignore: [] };
    const copies = Array.from({ length: 10 }, () => at(0));
    expect(falsePositives([judged(copies, truth)])).toMatchObject({ duplicates: 9, duplicateShare: 0.9 });
  });
});
