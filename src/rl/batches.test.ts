import { describe, expect, it } from "vitest";
import { generatedSource, shuffledSource } from "./batches.js";

describe("shuffledSource", () => {
  const samples = [0, 1, 2, 3, 4, 5, 6];

  it("gives each sample once an epoch, in another order each time", async () => {
    const source = shuffledSource(samples, 1);
    const first = await source.take(0, 7);
    const second = await source.take(7, 7);
    expect([...first].sort()).toEqual(samples);
    expect([...second].sort()).toEqual(samples);
    expect(second).not.toEqual(first);
  });

  it("gives the same samples for the same position, however one got there", async () => {
    const whole = await shuffledSource(samples, 5).take(0, 60);
    const source = shuffledSource(samples, 5);
    for (const cursor of [50, 3, 17, 5, 0])
      expect(await source.take(cursor, 10)).toEqual(whole.slice(cursor, cursor + 10));
  });

  it("refuses an empty dataset", () => {
    expect(() => shuffledSource([], 1)).toThrow(/no sample/);
  });
});

describe("generatedSource", () => {
  it("makes samples by their position", async () => {
    expect(await generatedSource((index) => Promise.resolve(index * 2)).take(3, 2)).toEqual([6, 8]);
  });
});
