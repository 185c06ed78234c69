import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { said, truthOf, type Corners } from "../../test/support/groups.js";
import { coordinateCredit, numberSpans } from "./coordinate-credit.js";

const corners = fc
  .tuple(fc.nat(20), fc.nat(6), fc.integer({ min: 6, max: 14 }), fc.integer({ min: 6, max: 14 }))
  .map(([x, y, w, h]): Corners => [x, y, x + w, y + h]);

describe("coordinateCredit", () => {
  it("by hand: only the edge that is off costs, and more than in the other try", () => {
    const truth = truthOf([[0, 0, 10, 10]]);
    // The right edge is at 20 (IoU 1/2) and at 10 (IoU 1): worths -1/2 and 0, their mean -1/4, differences -+1/4.
    const credits = coordinateCredit(truth, [said([[0, 0, 20, 10]]), said([[0, 0, 10, 10]])], 0.5);
    // Sample standard deviation of (0, 0, -1/4, 0, 0, 0, 1/4, 0) about 0.
    const z = 0.25 / Math.sqrt(0.125 / 7);
    expect(credits[0]![0]!.map((value) => +value.toFixed(12))).toEqual([0, 0, +(-z).toFixed(12), 0]);
    expect(credits[1]![0]!.map((value) => +value.toFixed(12))).toEqual([0, 0, +z.toFixed(12), 0]);
  });

  it("leaves boxes that come near no object, and tries without a rival, to the credit by box", () => {
    const truth = truthOf([[0, 0, 10, 10]]);
    expect(coordinateCredit(truth, [said([[50, 50, 60, 60]]), said([], [], "none")], 0.5)).toEqual([
      [undefined],
      [],
    ]);
    expect(coordinateCredit(truth, [said([[0, 0, 20, 10]])], 0.5)).toEqual([[[0, 0, 0, 0]]]);
  });

  it("does not praise a duplicate for fitting what another box of its response has found", () => {
    const truth = truthOf([
      [0, 0, 10, 10],
      [40, 0, 50, 10],
    ]);
    const twice = said([
      [0, 0, 10, 10],
      [0, 0, 10, 11],
      [43, 0, 57, 10],
    ]);
    const [own] = coordinateCredit(truth, [twice, said([[0, 0, 14, 10]])], 0.5);
    expect(own![0]).toBeDefined();
    expect(own![1]).toBeUndefined();
    // A miss (IoU 7/17) at an object that nothing else found is a try at it, and learns from its edges.
    expect(own![2]).toBeDefined();
  });

  it("takes a matched box as a try at its match, not at a neighbour that it overlaps more", () => {
    // Both boxes reach 0.5 with the first object; one-to-one matching gives the second box the second object.
    const truth = truthOf([
      [0, 0, 10, 10],
      [0, 0, 10, 16],
    ]);
    const [own] = coordinateCredit(
      truth,
      [
        said([
          [0, 0, 10, 10],
          [0, 0, 10, 12],
        ]),
        said([[0, 0, 10, 16]]),
      ],
      0.5,
    );
    // Its lower edge falls short of the second object's: the group's other try there did better.
    expect(own![1]![3]).toBeLessThan(0);
  });

  it("sums to nothing over the tries at an object, for each edge, and is standardised over the group", () => {
    const list = (max: number) => fc.array(corners, { maxLength: max });
    fc.assert(
      fc.property(
        list(5),
        fc.array(list(6), { minLength: 1, maxLength: 4 }),
        fc.boolean(),
        (truths, answers, mirrored) => {
          const responses = (mirrored ? answers.toReversed() : answers).map((boxes) => said(boxes));
          const all = coordinateCredit(truthOf(truths), responses, 0.5)
            .flat()
            .filter((own) => own !== undefined)
            .flat();
          const squares = all.reduce((sum, z) => sum + z * z, 0);
          expect(all.reduce((sum, z) => sum + z, 0)).toBeCloseTo(0, 6);
          expect(squares).toBeCloseTo(squares > 0 ? all.length - 1 : 0, 6);
        },
      ),
    );
  });
});

describe("numberSpans", () => {
  it("finds the four numbers of the bracket, not the digits of keys", () => {
    const text = 'x {"bbox_2d": [12, 3.5, 140, -7], "label": "p9"}';
    const spans = numberSpans(text, 2, text.length)!;
    expect(spans.map(({ start, end }) => text.slice(start, end))).toEqual(["12", "3.5", "140", "-7"]);
  });

  it.each([
    ["no bracket", '{"bbox_2d": 1}'],
    ["three numbers", "[1, 2, 3]"],
    ["a bracket behind the box", "abc"],
  ])("gives nothing for %s", (_, text) => {
    expect(numberSpans(`${text} [1,2,3,4]`, 0, text.length)).toBeUndefined();
  });
});
