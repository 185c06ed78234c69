import { describe, expect, it } from "vitest";
import { evaluatedImages, type StandIn } from "../../test/support/evaluated-images.js";
import { cocoAp } from "../metrics/index.js";
import { cocoImages, evaluationDetails, summarizeEvaluation, type EvaluatedImage } from "../rl/index.js";
import type { Decoding, EvaluationResult, ResultSet } from "../runs/index.js";
import { compareMany, defaultManyMetrics, type NamedResult } from "./compare-many.js";
import { compareResults } from "./compare-results.js";

const set = (images: readonly EvaluatedImage[], over: Partial<ResultSet> = {}): ResultSet => ({
  set: "plaza",
  decoding: "greedy" as Decoding,
  fingerprint: "aaaa",
  images,
  ...over,
});
const result = (
  source: string,
  sets: readonly ResultSet[],
  over: Partial<EvaluationResult> = {},
): EvaluationResult => ({
  source,
  sets,
  settings: { prompt: "dip-r1", maxTokens: 256, seed: 1 },
  code: { version: "0.1.0", sha256: "c0de" },
  ...over,
});
const named = (name: string, standIn: StandIn, over: Partial<ResultSet> = {}): NamedResult => ({
  name,
  result: result(name, [set(evaluatedImages(standIn), over)]),
});

const base = named("base", { seed: 1, jitter: 9, missed: 0.4, doubled: 0.3, responses: 2 });
const sft = named("SFT", { seed: 2, jitter: 5, missed: 0.2, doubled: 0.2, responses: 2 });
const dip = named("DIP-R1", { seed: 3, jitter: 2, missed: 0.05, responses: 2 });
const quick = { resamples: 100 } as const;

describe("compareMany", () => {
  const comparison = compareMany([base, sft, dip], { ...quick, scoreSource: "order" });
  const [plaza] = comparison.sets as [(typeof comparison.sets)[0]];

  it("has each evaluation's own numbers within their intervals", () => {
    expect(comparison.systems).toEqual(["base", "SFT", "DIP-R1"]);
    expect(plaza.metrics.map(({ metric }) => metric)).toEqual(defaultManyMetrics);
    [base, sft, dip].forEach(({ result: { sets } }, k) => {
      const { images } = sets[0]!;
      const summary = summarizeEvaluation(images);
      const expected: Record<string, number> = {
        f1: summary.f1,
        "precision@75": summary.at75.precision,
        "recall@75": summary.at75.recall,
        ap50: summary.ap50!,
        mae: summary.counting.mae,
        format: summary.rewards.format,
        duplicates: evaluationDetails(images).falsePositives.duplicateShare,
      };
      for (const [name, value] of Object.entries(expected)) {
        const one = plaza.metrics.find(({ metric }) => metric === name)!.values[k]!;
        expect(one.value).toBeCloseTo(value, 10);
        expect(one.low).toBeLessThanOrEqual(one.value + 1e-12);
        expect(one.high).toBeGreaterThanOrEqual(one.value - 1e-12);
      }
    });
  });

  it("says of every pair what `dip-r1 compare` says", () => {
    for (const [k, other] of [sft, dip].entries()) {
      const pair = compareResults(base.result, other.result, { ...quick, metrics: defaultManyMetrics });
      for (const { metric, changes, values } of plaza.metrics) {
        const test = pair.sets[0]!.metrics[metric]!;
        expect(changes[0]).toBeNull();
        expect(changes[k + 1]).toMatchObject({ ...test.difference, permutationP: test.permutationP });
        expect(values[k + 1]!.value).toBeCloseTo(test.b, 12);
      }
    }
  });

  it("compares with the baseline that is asked for", () => {
    const turned = compareMany([base, sft, dip], { ...quick, scoreSource: "order", baseline: 2 });
    const f1 = turned.sets[0]!.metrics.find(({ metric }) => metric === "f1")!;
    const before = plaza.metrics.find(({ metric }) => metric === "f1")!;
    expect(f1.changes[2]).toBeNull();
    expect(f1.changes[0]!.value).toBeCloseTo(-before.changes[2]!.value, 12);
    // The same resamples: the interval is the mirror image.
    expect(f1.changes[0]!.low).toBeCloseTo(-before.changes[2]!.high, 12);
    expect(f1.values).toEqual(before.values);
  });

  it("has the slices of an evaluation's details, with intervals", () => {
    for (const [k, { result: one }] of [base, sft, dip].entries()) {
      for (const slice of evaluationDetails(one.sets[0]!.images).slices) {
        const found = plaza.slices.find(({ by, bucket }) => by === slice.by && bucket === slice.bucket);
        for (const { number, values } of found?.numbers ?? []) {
          const expected = number === "countError" ? slice.counting!.mae : slice[number];
          const { value } = values[k]!;
          const off = expected === null ? Number(!Number.isNaN(value)) : Math.abs(value - expected);
          expect(off).toBeLessThan(1e-10);
        }
      }
    }
    const dimensions = new Set(plaza.slices.map(({ by }) => by));
    expect([...dimensions]).toEqual(["crowding", "height", "heightShare", "visibility", "objects"]);
    const crowded = plaza.slices.find(({ bucket }) => bucket === "crowded")!;
    expect(crowded.numbers.map(({ number }) => number)).toEqual(["precision", "recall", "f1"]);
    expect(crowded.numbers[1]!.changes[2]!.low).toBeGreaterThan(0);
    // Objects are counted once an image, not once a response.
    const counted = plaza.slices
      .filter(({ by }) => by === "objects")
      .reduce((sum, { truths }) => sum + truths, 0);
    expect(counted).toBe(plaza.objects);
  });

  it("draws curves whose mean is COCO's AP", () => {
    for (const { iou, systems } of plaza.curves) {
      systems.forEach((curve, k) => {
        const { images } = [base, sft, dip][k]!.result.sets[0]!;
        const aps = [0, 1].map((n) => {
          const { ap50, ap75 } = cocoAp(cocoImages(images, n, "order"));
          return (iou === 0.5 ? ap50 : ap75)!;
        });
        const mean = curve!.precision.reduce((sum, value) => sum + value, 0) / 101;
        expect(mean).toBeCloseTo((aps[0]! + aps[1]!) / 2, 10);
        expect(
          curve!.precision.every((value, i) => i === 0 || value <= curve!.precision[i - 1]! + 1e-12),
        ).toBe(true);
      });
    }
    const { recall, precision } = summarizeEvaluation(dip.result.sets[0]!.images);
    expect(plaza.curves[0]!.systems[2]!.point).toEqual({ recall, precision });
  });

  it("counts every response once, and the right number of boxes on the diagonal", () => {
    const perfect = named("perfect", { seed: 4, jitter: 0, missed: 0 });
    const [only] = compareMany([perfect], quick).sets;
    const [{ cells, means }] = only!.counting as [(typeof plaza.counting)[0]];
    expect(cells.every(({ actual, predicted }) => actual === predicted)).toBe(true);
    expect(means.every(({ actual, predicted }) => actual === predicted)).toBe(true);
    expect(cells.reduce((sum, { responses }) => sum + responses, 0)).toBe(20);
  });

  it("averages over the sets of a domain", () => {
    const two = (name: string, seed: number, jitter: number): NamedResult => ({
      name,
      domains: { plaza: "in" },
      result: result(name, [
        set(evaluatedImages({ seed, jitter })),
        set(evaluatedImages({ seed: seed + 10, jitter, images: 12 }), { set: "night", fingerprint: "n" }),
        set(evaluatedImages({ seed: seed + 20, jitter, images: 8 }), { set: "fog", fingerprint: "f" }),
      ]),
    });
    const { sets, means } = compareMany([two("a", 1, 10), two("b", 2, 1)], quick);
    expect(sets.map(({ set: name, domain }) => [name, domain])).toEqual([
      ["plaza", "in"],
      ["night", "out"],
      ["fog", "out"],
    ]);
    expect(means).toHaveLength(1);
    expect(means[0]).toMatchObject({ domain: "out", sets: ["night", "fog"] });
    const f1 = (of: { metrics: (typeof plaza)["metrics"] }) =>
      of.metrics.find(({ metric }) => metric === "f1")!;
    const mean = f1(means[0]!);
    expect(mean.values[0]!.value).toBeCloseTo(
      (f1(sets[1]!).values[0]!.value + f1(sets[2]!).values[0]!.value) / 2,
      12,
    );
    expect(mean.changes[1]!.low).toBeGreaterThan(0);
    // Narrower than the widest of its parts: they are drawn each by itself.
    const width = ({ low, high }: { low: number; high: number }) => high - low;
    expect(width(mean.values[0]!)).toBeLessThan(
      Math.max(width(f1(sets[1]!).values[0]!), width(f1(sets[2]!).values[0]!)),
    );
  });

  it("refuses other data set by set, in words, and compares the rest", () => {
    const images = evaluatedImages({ seed: 1 });
    const a: NamedResult = {
      name: "a",
      result: result("a", [
        set(images),
        set(images, { set: "night", fingerprint: "n1" }),
        set(images, { set: "fog" }),
      ]),
    };
    const b: NamedResult = {
      name: "b",
      result: result("b", [set(images), set(images, { set: "night", fingerprint: "n2" })]),
    };
    const { sets, refused } = compareMany([a, b], quick);
    expect(sets.map((one) => one.set)).toContain("plaza");
    expect(refused.map((one) => one.set)).toContain("night");
    expect(refused[0]!.message).toMatch(
      /night, greedy: the results are of other data: sha256 n1 in a, n2 in b/,
    );
    expect(() => compareMany([a, b], { ...quick, set: "night" })).toThrow(/other data/);
    expect(compareMany([a, b], { ...quick, set: "night", common: true }).notes.join()).toContain(
      "the data is not the same",
    );
  });

  it("says what is missing, changed or asked for twice", () => {
    expect(() => compareMany([])).toThrow(/nothing to compare/);
    expect(() => compareMany([base, base])).toThrow(/named "base"/);
    expect(() => compareMany([base, sft], { decoding: "sampled" })).toThrow(/base has plaza \(greedy\)/);
    const short = named("short", { seed: 2, images: 5, responses: 2 });
    expect(() => compareMany([base, short], quick)).toThrow(/other images: image-5/);
    const { notes, sets } = compareMany([base, short], { ...quick, common: true });
    expect(sets[0]).toMatchObject({ images: 5, leftOut: [15, 0] });
    expect(notes.join()).toContain("only the 5 common images are compared; 15 of base left out");
    const stale = evaluatedImages({ seed: 1 }).map((image) => ({
      ...image,
      responses: image.responses.map((one) => ({ ...one, at50: { ...one.at50, truePositives: 0 } })),
    }));
    const again = compareMany([base, { name: "stale", result: result("stale", [set(stale)]) }], {
      ...quick,
      metrics: ["f1"],
    });
    expect(again.notes.join()).toMatch(/plaza: \d+ responses of stale are matched otherwise/);
    expect(again.sets[0]!.metrics[0]!.values[1]!.value).toBeGreaterThan(0);
  });

  it("notes a seed only where it changes the answers", () => {
    const other = { ...sft.result, settings: { prompt: "x", maxTokens: 256, seed: 2 } };
    const { notes } = compareMany([base, { name: "other", result: other }], quick);
    expect(notes[0]).toContain('prompt is "dip-r1" in base and "x" in other');
    expect(notes[0]).not.toContain("seed");
  });
});
