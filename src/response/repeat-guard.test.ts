import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { InputError } from "../base/errors.js";
import { createRepeatGuard } from "./repeat-guard.js";

/** The piece at which the guard says stop, or -1. */
function stopsAt(pieces: readonly string[], limit: number): number {
  const guard = createRepeatGuard(limit);
  return pieces.findIndex((piece) => guard.push(piece));
}
const box = "[1,2,3,4]";

describe("repeat guard", () => {
  it("stops at the box that comes for the limit-th time", () => {
    for (const limit of [1, 2, 5]) {
      expect(
        stopsAt(
          Array.from({ length: 10 }, () => `${box},`),
          limit,
        ),
      ).toBe(limit - 1);
    }
  });

  it("counts a box also where others come between", () => {
    expect(stopsAt([box, "[5,6,7,8]", box, "[5,6,7,9]", box], 3)).toBe(4);
  });

  it("says the same however the text is cut", () => {
    const list = fc.array(
      fc.constantFrom(box, "[9, 9, 10, 10]", '{"bbox_2d": [1, 2, 3, 4]}', "[[7,7,8,8]]", "text "),
      {
        maxLength: 12,
      },
    );
    fc.assert(
      fc.property(list, fc.array(fc.nat(9), { minLength: 1, maxLength: 30 }), (parts, cuts) => {
        const text = parts.join(",");
        const pieces: string[] = [];
        for (let at = 0, i = 0; at < text.length; i++) {
          const size = 1 + cuts[i % cuts.length]!;
          pieces.push(text.slice(at, at + size));
          at += size;
        }
        expect(stopsAt(pieces, 3) >= 0).toBe(stopsAt([text], 3) >= 0);
      }),
    );
  });

  it("never stops a list of different boxes, however long", () => {
    const list = Array.from({ length: 3000 }, (_, i) => `[${i},0,${i + 1},9],`);
    expect(stopsAt(list, 2)).toBe(-1);
  });

  it("takes numbers as numbers: spaces and decimals do not make another box", () => {
    expect(stopsAt([box, "[ 1, 2.0,3 ,4 ]", '{"bbox_2d": [1,2,3,4], "label": "person"}'], 3)).toBe(2);
  });

  it("counts every section apart: what is looked at may be answered", () => {
    expect(stopsAt(["<look>", box, "</look><answer>", box, "</answer>"], 2)).toBe(-1);
    expect(stopsAt(["<look>", box, box], 2)).toBe(2);
  });

  it.each(["[1,2,3]", "[1,2,3,4,5]", "[a,b,c,d]", "[1,,3,4]", "[]", "1,2,3,4]", "[1,2,3,Infinity]"])(
    "does not take %s for a box",
    (text) => {
      expect(stopsAt([text, text, text], 2)).toBe(-1);
    },
  );

  it("holds no more of a list than a box can be long, and goes on after it", () => {
    const endless = "[" + "1".repeat(100_000);
    expect(stopsAt([endless, "]", box, box], 2)).toBe(3);
  });

  it("refuses a limit that would stop every response", () => {
    expect(() => createRepeatGuard(0)).toThrow(InputError);
    expect(() => createRepeatGuard(Number.NaN)).toThrow("NaN");
  });
});
