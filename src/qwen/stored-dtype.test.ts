import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fromBf16, fromF16, roundHalfEven, toBf16, toF16 } from "./stored-dtype.js";

const all = Uint16Array.from({ length: 65536 }, (_, i) => i);

/** Every finite value of a 16-bit format in rising order, without -0. */
function finite(values: Float32Array): number[] {
  return [...new Set(Array.from(values).filter(Number.isFinite))].sort((a, b) => a - b);
}

describe.each([
  ["bf16", fromBf16, toBf16, 2 ** 127 * (2 - 2 ** -7), 0x7f80],
  ["fp16", fromF16, toF16, 65504, 0x7c00],
] as const)("%s", (_, widen, narrow, largest, infinity) => {
  const values = widen(all);

  it("keeps all 65536 patterns, NaN as NaN", () => {
    const back = narrow(values);
    const wrong = all.filter(
      (bits, i) => back[i] !== bits && !(Number.isNaN(values[i]) && Number.isNaN(widen(back)[i])),
    );
    expect([...wrong]).toEqual([]);
  });

  it("has the right extremes", () => {
    expect(Math.max(...finite(values))).toBe(largest);
    expect(narrow(new Float32Array([Infinity, -Infinity, -0]))).toEqual(
      new Uint16Array([infinity, infinity | 0x8000, 0x8000]),
    );
  });

  it("rounds to the nearest, ties to the even pattern", () => {
    const sorted = finite(values);
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: sorted.length - 2 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (i, t) => {
          const low = sorted[i]!;
          const high = sorted[i + 1]!;
          const x = Math.fround(low + (high - low) * t);
          const bits = narrow(new Float32Array([x]));
          const got = widen(bits)[0]!;
          const down = x - low;
          const up = high - x;
          if (down !== up) return got === (down < up ? low : high);
          return (got === low || got === high) && bits[0]! % 2 === 0;
        },
      ),
      { numRuns: 3000 },
    );
    const middle = (sorted[40000]! + sorted[40001]!) / 2;
    expect(narrow(new Float32Array([middle]))[0]! % 2).toBe(0);
  });
});

describe("roundHalfEven", () => {
  it("is Python's round", () => {
    expect([0.5, 1.5, 2.5, -0.5, -1.5, 2.4999, 2.5001].map(roundHalfEven)).toEqual(
      [0, 2, 2, 0, -2, 2, 3].map((x) => x + 0),
    );
  });
});
