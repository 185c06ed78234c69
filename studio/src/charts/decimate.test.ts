import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decimate } from "./decimate.js";

describe("decimate", () => {
  it("keeps all where there are few", () => {
    expect(decimate([[1, 2, 3, 4]], 1, 4, 10)).toEqual([1, 2, 3]);
    expect(decimate([[]], 0, 0, 10)).toEqual([]);
  });

  it("keeps ends and peaks, rising, within the limit", () => {
    fc.assert(
      fc.property(
        fc.array(fc.option(fc.integer({ min: -1000, max: 1000 })), { minLength: 200, maxLength: 600 }),
        fc.integer({ min: 8, max: 100 }),
        (values, most) => {
          const kept = decimate([values], 0, values.length, most);
          const known = values.filter((value) => value !== null);
          expect(kept.length).toBeLessThanOrEqual(most);
          expect(kept).toEqual([...new Set(kept)].toSorted((a, b) => a - b));
          const shown = kept.map((i) => values[i]);
          fc.pre(known.length > 0);
          expect(Math.min(...(shown as number[]))).toBe(Math.min(...known));
          expect(Math.max(...(shown as number[]))).toBe(Math.max(...known));
          expect(shown[0]).toBe(known[0]);
          expect(shown.at(-1)).toBe(known.at(-1));
        },
      ),
    );
  });

  it("keeps a peak of any of several curves", () => {
    const flat = Array.from({ length: 1000 }, () => 0);
    const kept = decimate([flat.with(333, 5), flat.with(777, -5)], 0, 1000, 40);
    expect(kept).toContain(333);
    expect(kept).toContain(777);
  });
});
