import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { box, type Box } from "../geometry/box.js";
import { addTallies, matchInstances, precisionRecall } from "./precision-recall.js";

const person = (b: Box<"image">) => ({ box: b, label: "person" });
const at = (x: number, width = 10) => box<"image">(x, 0, x + width, 10);

describe("matchInstances", () => {
  it("takes each truth once: a duplicate is a false positive", () => {
    const result = matchInstances([person(at(0)), person(at(0)), person(at(0))], {
      objects: [person(at(0))],
      ignore: [],
    });
    expect(result).toMatchObject({ truePositives: 1, predictions: 3, truths: 1 });
  });

  it("gives up the best pair where that lets two pairs be", () => {
    // The first box overlaps both truths; greedy matching would take the left one from the second box.
    const result = matchInstances([person(at(1)), person(at(-2))], {
      objects: [person(at(0)), person(at(3))],
      ignore: [],
    });
    expect(result.matches).toEqual([1, 0]);
  });

  it("asks for the label, where there is one", () => {
    const truth = { objects: [person(at(0))], ignore: [] };
    expect(matchInstances([{ box: at(0), label: "dog" }], truth).truePositives).toBe(0);
    expect(matchInstances([{ box: at(0) }], truth).truePositives).toBe(1);
    const several = { objects: [person(at(0)), { box: at(50), label: "dog" }], ignore: [] };
    expect(matchInstances([{ box: at(0) }], several).truePositives).toBe(0);
  });

  it("takes out predictions of which half lies in an ignore region, unless they match", () => {
    const truth = { objects: [person(at(0))], ignore: [at(0, 100)] };
    const { matches, predictions } = matchInstances(
      [person(at(0)), person(at(50)), person(at(95)), person(at(96))],
      truth,
    );
    expect(matches).toEqual([0, -2, -2, -1]);
    expect(predictions).toBe(2);
  });

  it("counts pairs from the threshold on, that included", () => {
    const truth = { objects: [person(at(0))], ignore: [] };
    expect(matchInstances([person(at(0, 5))], truth, 0.5).truePositives).toBe(1);
    expect(matchInstances([person(at(0, 5))], truth, 0.75).truePositives).toBe(0);
  });

  it("does not see the order of the lists", () => {
    const boxes = fc.array(fc.integer({ min: 0, max: 60 }), { maxLength: 8 });
    fc.assert(
      fc.property(boxes, boxes, (predicted, actual) => {
        const forward = matchInstances(
          predicted.map((x) => person(at(x))),
          { objects: actual.map((x) => person(at(x))), ignore: [] },
        );
        const backward = matchInstances(
          [...predicted].reverse().map((x) => person(at(x))),
          { objects: [...actual].reverse().map((x) => person(at(x))), ignore: [] },
        );
        expect(backward.truePositives).toBe(forward.truePositives);
        const used = forward.matches.filter((match) => match >= 0);
        expect(new Set(used).size).toBe(used.length);
      }),
    );
  });
});

describe("precisionRecall", () => {
  it("adds before it divides", () => {
    const tallies = [
      { truePositives: 1, predictions: 1, truths: 10 },
      { truePositives: 5, predictions: 9, truths: 10 },
    ];
    expect(addTallies(tallies)).toEqual({ truePositives: 6, predictions: 10, truths: 20 });
    expect(precisionRecall(tallies)).toEqual({ precision: 0.6, recall: 0.3, f1: 0.4 });
  });

  it("has an answer where there is nothing to divide by", () => {
    expect(precisionRecall([])).toEqual({ precision: 1, recall: 1, f1: 1 });
    expect(precisionRecall([{ truePositives: 0, predictions: 0, truths: 3 }])).toEqual({
      precision: 0,
      recall: 0,
      f1: 0,
    });
    expect(precisionRecall([{ truePositives: 0, predictions: 2, truths: 0 }])).toEqual({
      precision: 0,
      recall: 0,
      f1: 0,
    });
  });
});
