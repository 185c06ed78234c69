import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fixture } from "../../test/qwen-fixture.js";
import { box } from "../geometry/index.js";
import { loadTokenizer } from "../qwen/index.js";
import type { ModelView } from "./inspect-model.js";
import { histogram, quantile, summarise } from "./inspect-numbers.js";
import { inspectSamples } from "./inspect.js";
import type { SampleTruth } from "./sample.js";
import { teacherResponse } from "./teacher.js";

const at = (x: number, h: number) => box<"image">(x, 0, x + 10, h);
const sample = (id: string, objects: SampleTruth["objects"], ignore = [at(0, 9)]): SampleTruth => ({
  id,
  width: 100,
  height: 50,
  objects,
  ignore,
  ignoreLabels: ignore.map(() => "crowd"),
});

describe("inspectSamples", () => {
  it("counts what can be counted by hand", async () => {
    const report = await inspectSamples([
      sample("a", [
        { box: at(0, 20), label: "person", visibility: 0.5, id: "1" },
        { box: at(2, 20), label: "person", visible: box<"image">(2, 0, 12, 18), head: at(2, 3) },
        { box: at(7, 20), label: "dog", attributes: { pose: "sits" } },
      ]),
      sample("b", []),
      sample("c", [
        { box: box<"image">(-5, 10, 5, 60), label: "person" },
        { box: box<"image">(100, 0, 110, 12), label: "person" },
      ]),
    ]);
    expect(report).toMatchObject({
      images: 3,
      empty: 1,
      objects: 5,
      ignore: 3,
      labels: { person: 4, dog: 1 },
      ignoreLabels: { crowd: 3 },
      sizes: { "100x50": 3 },
      known: { visible: 1, visibility: 1, head: 1, id: 1, attributes: 1 },
      objectsPerImage: { count: 3, min: 0, median: 2, max: 3 },
      height: { count: 5, min: 12, median: 20, mean: 24.4, p25: 20, p75: 20, max: 50 },
      // 0.5 as annotated, 0.9 from the visible box.
      visibility: { count: 2, min: 0.5, median: 0.7, max: 0.9, hidden: 0.5 },
      outside: { partly: 1, wholly: 1 },
      // IoU 8/12, 5/15, 3/17 in the first image.
      crowding: { pairsOver03: 2, pairsOver05: 1, perImage: { max: 2, median: 0 }, overlapping: 0.6 },
    });
    expect(report.crowding.pairsPerImage).toBeCloseTo(2 / 3);
    expect(report.crowding.imagesWithPair).toBeCloseTo(1 / 3);
    const bins = (list: typeof report.height.bins) =>
      Object.fromEntries(list.filter(({ count }) => count > 0).map(({ name, count }) => [name, count]));
    expect(bins(report.objectsPerImage.bins)).toEqual({ 0: 1, "2-5": 2 });
    expect(bins(report.height.bins)).toEqual({ "0-16": 1, "16-32": 3, "50-100": 1 });
    expect(bins(report.visibility.bins)).toEqual({ "0.2-0.65": 1, "0.9+": 1 });
    expect(report.model).toBeUndefined();
  });

  it("takes nothing for an answer", async () => {
    expect(await inspectSamples([])).toMatchObject({
      images: 0,
      objects: 0,
      crowding: { pairsPerImage: 0 },
      height: { count: 0 },
    });
  });
});

describe("inspectSamples with a model", () => {
  const image = { patchSize: 14, mergeSize: 2, minPixels: 56 * 56, maxPixels: 112 * 112 };
  const words: ModelView = { image, countTokens: (text) => text.length, promptTokens: 10 };

  it("sees each picture at the size and scale of smart-resize", async () => {
    // 224 x 448 is over the budget of 112 x 112: 56 x 140, a scale of sqrt(7840 / 100352).
    const big: SampleTruth = {
      id: "big",
      width: 224,
      height: 448,
      ignore: [],
      objects: [
        { box: box<"image">(0, 0, 40, 52), label: "person" },
        { box: box<"image">(0, 0, 40, 51), label: "person" },
      ],
    };
    const long = { ...big, id: "long", width: 20_000, height: 10, objects: [] };
    const { model } = await inspectSamples([big, long], { model: { ...words, maxTokens: [10, 10_000] } });
    expect(model).toMatchObject({
      refused: 1,
      shrunk: 1,
      enlarged: 0,
      small: { below: 16, objects: 1, share: 0.5 },
      tokens: { image: { count: 1, max: 10 }, prompt: 10 },
      cutOff: [
        { maxTokens: 10, images: 1, share: 1 },
        { maxTokens: 10_000, images: 0, share: 0 },
      ],
    });
    expect(model!.scale.max).toBeCloseTo(Math.sqrt(7840 / 100_352));
    expect(model!.height.max).toBeCloseTo((52 * 140) / 448);
    const { text } = teacherResponse(big, { modelSize: { width: 56, height: 140 } });
    expect(model!.tokens.response.max).toBe(text.length + 1);
    expect(model!.tokens.sequence.max).toBe(10 + 10 + text.length + 1);
  });

  it("lets the model write in the numbers it speaks", async () => {
    const truth: SampleTruth = {
      id: "a",
      width: 112,
      height: 112,
      ignore: [],
      objects: [{ box: box<"image">(28, 56, 84, 112), label: "person" }],
    };
    const texts: string[] = [];
    const countTokens = (text: string) => texts.push(text);
    await inspectSamples([truth], { model: { ...words, countTokens } });
    await inspectSamples([truth], { model: { ...words, countTokens, profile: "norm1000" } });
    const said = texts.filter((text) => text.includes('person"'));
    expect(said.map((text) => /\[[\d,]+\]/.exec(text)?.[0])).toEqual([
      "[28,56,84,112]",
      "[250,500,750,1000]",
    ]);
  });

  it("counts the teacher's tokens as the model's own tokenizer does, of the labels that are asked for", async () => {
    const tokenizer = await loadTokenizer(fixture("model"));
    const truth: SampleTruth = {
      id: "a",
      width: 112,
      height: 112,
      ignore: [],
      objects: [
        { box: box<"image">(1, 2, 30, 80), label: "person" },
        { box: box<"image">(50, 2, 90, 80), label: "dog" },
      ],
    };
    const view = { ...words, countTokens: (text: string) => tokenizer.encode(text).length };
    const all = (await inspectSamples([truth], { model: view })).model!;
    const one = (await inspectSamples([truth], { model: { ...view, labels: ["dog"] } })).model!;
    const { text } = teacherResponse(truth, { modelSize: { width: 112, height: 112 } });
    expect(all.tokens.response.max).toBe(tokenizer.encode(text).length + 1);
    expect(one.tokens.response.max).toBeLessThan(all.tokens.response.max);
    expect(one.height.count).toBe(1);
    expect(all.tokens.perObject).toBeGreaterThan(4);
  });
});

describe("summarise", () => {
  it("is bounded, ordered and counts everything", () => {
    fc.assert(
      fc.property(fc.array(fc.double({ noNaN: true, min: -1e6, max: 1e6 }), { minLength: 1 }), (values) => {
        const s = summarise(values);
        const order = [s.min, s.p5, s.p25, s.median, s.p75, s.p95, s.p99, s.max];
        expect(order).toEqual(order.toSorted((a, b) => a - b));
        expect(s.min).toBe(Math.min(...values));
        expect(s.max).toBe(Math.max(...values));
        const low = Math.min(...values);
        const bins = histogram(
          values,
          [low, 0].sort((a, b) => a - b).filter((v, i, all) => all.indexOf(v) === i),
          false,
        );
        expect(bins.reduce((sum, { count }) => sum + count, 0)).toBe(values.length);
      }),
    );
  });

  it("takes NumPy's default quantiles", () => {
    expect(quantile([1, 2, 3, 4], 0.25)).toBe(1.75);
    expect(quantile([7], 0.99)).toBe(7);
  });
});
