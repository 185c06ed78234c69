import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { evaluatedImages, type StandIn } from "../../test/support/evaluated-images.js";
import { InputError } from "../base/index.js";
import { cocoAp, precisionRecall } from "../metrics/index.js";
import { cocoImages, evaluationDetails, summarizeEvaluation, type EvaluatedImage } from "../rl/index.js";
import type { Decoding, EvaluationResult } from "../runs/index.js";
import { pairedMetrics, type PairedMetricName } from "./compare-metrics.js";
import { compareResults } from "./compare-results.js";
import { detailsTable, resultComparisonTable } from "./comparison-tables.js";

/** Those that need no benchmark. */
const every = (Object.keys(pairedMetrics) as PairedMetricName[]).filter(
  (name): name is Exclude<PairedMetricName, `${string}.${string}`> => !name.includes("."),
);

function result(
  source: string,
  images: readonly EvaluatedImage[],
  over: Partial<EvaluationResult> & { fingerprint?: string; set?: string; decoding?: Decoding } = {},
): EvaluationResult {
  const { fingerprint = "aaaa", set = "plaza", decoding = "greedy", ...rest } = over;
  return {
    source,
    sets: [{ set, decoding, fingerprint, images }],
    settings: { prompt: "dip-r1", maxTokens: 256 },
    code: { version: "0.1.0", sha256: "c0de" },
    ...rest,
  };
}
const of = (source: string, standIn: StandIn, over = {}) => result(source, evaluatedImages(standIn), over);

describe("compareResults", () => {
  const weak = of("weak", { seed: 1, jitter: 10, missed: 0.4, doubled: 0.3, responses: 2 });
  const strong = of("strong", { seed: 2, jitter: 2, missed: 0.05, responses: 2 });

  it("has the numbers of the evaluation's own summary", () => {
    const { sets, notes } = compareResults(weak, strong, { metrics: every, resamples: 100 });
    expect(notes).toEqual([]);
    const [{ metrics, images }] = sets as [(typeof sets)[0]];
    expect(images).toBe(20);
    for (const [side, { sets: own }] of [["a", weak] as const, ["b", strong] as const]) {
      const judged = own[0]!.images;
      const summary = summarizeEvaluation(judged);
      const details = evaluationDetails(judged);
      const expected: Record<(typeof every)[number], number> = {
        f1: summary.f1,
        precision: summary.precision,
        recall: summary.recall,
        "precision@75": summary.at75.precision,
        "recall@75": summary.at75.recall,
        "f1@75": summary.at75.f1,
        "f1@50:95": details.curve.meanF1,
        ap50: summary.ap50!,
        ap: summary.ap!,
        mae: summary.counting.mae,
        rmse: summary.counting.rmse,
        bias: summary.counting.bias,
        duplicates: details.falsePositives.duplicateShare,
        accuracy: summary.rewards.accuracy,
        format: summary.rewards.format,
        tokens: summary.meanTokens,
      };
      for (const name of every) expect(metrics[name]![side]).toBeCloseTo(expected[name], 10);
    }
    for (const name of every) {
      const { a, b, difference } = metrics[name]!;
      expect(difference.value).toBeCloseTo(b - a, 12);
      expect(difference.low).toBeLessThanOrEqual(difference.value + 1e-12);
      expect(difference.high).toBeGreaterThanOrEqual(difference.value - 1e-12);
    }
    expect(metrics.f1!.bootstrapP).toBeLessThan(0.05);
    expect(metrics.f1!.permutationP).toBeLessThan(0.05);
    expect(metrics.duplicates!.difference.value).toBeLessThan(0);
  });

  it("is computed by hand on two images", () => {
    // F1 of A: 2*2/(3+4); of B: 2*4/(4+4).
    const image = (id: string, tp: number, n: number, m: number): EvaluatedImage => {
      const [base] = evaluatedImages({ seed: 1, images: 1 });
      const at50 = { truePositives: tp, predictions: n, truths: m };
      return { ...base!, id, responses: [{ ...base!.responses[0]!, at50 }] };
    };
    const a = result("a", [image("x", 1, 1, 2), image("y", 1, 2, 2)]);
    const b = result("b", [image("x", 2, 2, 2), image("y", 2, 2, 2)]);
    const { f1, mae } = compareResults(a, b, { metrics: ["f1", "mae"] }).sets[0]!.metrics;
    expect(f1).toMatchObject({ a: 4 / 7, b: 1, exact: true });
    // Exchanges: none and both give 3/7; one image alone gives less: 2 of 4.
    expect(f1!.permutationP).toBe(0.5);
    expect(mae).toMatchObject({ a: 0.5, b: 0, difference: { value: -0.5 } });
    expect(precisionRecall([{ truePositives: 2, predictions: 3, truths: 4 }]).f1).toBe(4 / 7);
  });

  it("finds nothing between a result and itself, whatever is measured", () => {
    const { sets } = compareResults(weak, weak, { metrics: every, resamples: 200 });
    for (const test of Object.values(sets[0]!.metrics)) {
      expect(test).toMatchObject({
        difference: { value: 0, low: 0, high: 0 },
        bootstrapP: 1,
        permutationP: 1,
      });
    }
  });

  it("does not see the order of images", () => {
    fc.assert(
      fc.property(fc.shuffledSubarray([...Array(20).keys()], { minLength: 20 }), (order) => {
        const moved = result(
          "strong",
          order.map((i) => strong.sets[0]!.images[i]!),
        );
        const metrics: PairedMetricName[] = ["f1", "ap50"];
        expect(compareResults(weak, moved, { metrics, resamples: 50 }).sets[0]!.metrics).toEqual(
          compareResults(weak, strong, { metrics, resamples: 50 }).sets[0]!.metrics,
        );
      }),
      { numRuns: 5 },
    );
  });

  it("ranks by the source of scores asked for", () => {
    for (const scoreSource of ["one", "logprob", "consensus"] as const) {
      const { sets } = compareResults(weak, strong, { metrics: ["ap50"], scoreSource, resamples: 20 });
      const rounds = scoreSource === "consensus" ? [0] : [0, 1];
      const aps = rounds.map((n) => cocoAp(cocoImages(weak.sets[0]!.images, n, scoreSource)).ap50!);
      expect(sets[0]!.metrics.ap50!.a).toBeCloseTo(aps.reduce((x, y) => x + y) / aps.length, 10);
    }
    const single = of("single", { seed: 1 });
    expect(() => compareResults(single, single, { metrics: ["ap"], scoreSource: "consensus" })).toThrow(
      /several responses|do not have what it takes/,
    );
  });

  it("refuses other data, unless what both have is asked for and its truth is the same", () => {
    const other = of("other", { seed: 2 }, { fingerprint: "bbbb" });
    const a = of("a", { seed: 1 });
    expect(() => compareResults(a, other)).toThrow(/other data: sha256 aaaa in a, bbbb in other/);
    const { sets, notes } = compareResults(a, other, { common: true, metrics: ["f1"], resamples: 20 });
    expect(sets[0]).toMatchObject({ images: 20, data: { a: "aaaa", b: "bbbb" } });
    expect(notes.join()).toContain("the data is not the same");
    const moved = other.sets[0]!.images.map((image) => ({
      ...image,
      truth: {
        ...image.truth,
        objects: image.truth.objects.map((one) => ({ ...one, box: { ...one.box, x2: one.box.x2 + 1 } })),
      },
    }));
    expect(() => compareResults(a, result("moved", moved), { common: true })).toThrow(
      /ground truth is another/,
    );
  });

  it("refuses other images, and compares the common ones where asked", () => {
    const a = of("a", { seed: 1, images: 20 });
    const b = result("b", evaluatedImages({ seed: 2 }).slice(3, 12));
    expect(() => compareResults(a, b)).toThrow(InputError);
    expect(() => compareResults(a, b)).toThrow(/image-0, image-1, image-2, \.\.\. \(11\) only in a/);
    const { sets, notes } = compareResults(a, b, { common: true, metrics: ["f1"], resamples: 20 });
    expect(sets[0]).toMatchObject({ images: 9, leftOut: { a: 11, b: 0 } });
    expect(notes.join()).toContain("only the 9 common images are compared; 11 of A and 0 of B are left out");
    const none = result(
      "none",
      evaluatedImages({ seed: 2 }).map((image) => ({ ...image, id: `x${image.id}` })),
    );
    expect(() => compareResults(a, none, { common: true })).toThrow(/no image in common/);
  });

  it("pairs sets by data and name, and says what there is where nothing fits", () => {
    const images = evaluatedImages({ seed: 1 });
    const two = (source: string): EvaluationResult => ({
      ...result(source, images),
      sets: [
        { set: "plaza", decoding: "greedy", fingerprint: "p", images },
        { set: "plaza", decoding: "sampled", fingerprint: "p", images },
        { set: "night", decoding: "greedy", fingerprint: "n", images },
      ],
    });
    const quick = { metrics: ["f1" as const], resamples: 20 };
    const names = (options = {}) =>
      compareResults(two("a"), two("b"), { ...quick, ...options }).sets.map(
        ({ set, decoding }) => `${set} ${decoding}`,
      );
    expect(names()).toEqual(["plaza greedy", "plaza sampled", "night greedy"]);
    expect(names({ set: "plaza" })).toEqual(["plaza greedy", "plaza sampled"]);
    expect(names({ decoding: "sampled" })).toEqual(["plaza sampled"]);
    // The same data under another name is the same set.
    const renamed = result("renamed", images, { set: "x", fingerprint: "n" });
    expect(compareResults(renamed, two("b"), quick).sets[0]!.set).toBe("x");
    expect(() => compareResults(two("a"), two("b"), { set: "moon" })).toThrow(
      /no set and decoding in common/,
    );
    const sampled = result("s", images, { decoding: "sampled" });
    expect(() => compareResults(of("g", { seed: 1 }), sampled)).toThrow(
      /g has plaza \(greedy\); s has plaza/,
    );
  });

  it("says what was not asked alike, and that the code has changed", () => {
    const a = of("a", { seed: 1 });
    const b = of(
      "b",
      { seed: 2 },
      { settings: { prompt: "dip-r1-short", seed: 3 }, code: { version: "0.2.0", sha256: "x" } },
    );
    const { notes } = compareResults(a, b, { metrics: ["f1"], resamples: 20 });
    expect(notes[0]).toContain('prompt is "dip-r1" in A and "dip-r1-short" in B');
    expect(notes[0]).not.toContain("seed");
    expect(notes[1]).toContain("0.1.0 and 0.2.0");
  });
});

describe("tables", () => {
  it("name the results, the source of AP's scores and both p-values", () => {
    const a = of("a", { seed: 1, jitter: 10 });
    const b = of("b", { seed: 2, jitter: 1 });
    const comparison = compareResults(a, b, { resamples: 200 });
    const text = resultComparisonTable(comparison, { colours: false });
    expect(text).toContain("A  a\nB  b\n");
    expect(text).toMatch(/B - A +95% interval +p \(boot\) +p \(perm\)/);
    expect(text).toMatch(/AP50 \(order\) +0\.\d{3} +0\.\d{3} +\+0\.\d{3} +\+?-?0\.\d{3} to \+0\.\d{3}/);
    expect(Math.max(...text.split("\n").map((line) => line.length))).toBeLessThanOrEqual(100);
    expect(resultComparisonTable(comparison, { colours: true })).toContain("\u001b[32m+");
  });

  it("show every slice and AP with its bounds", () => {
    const images = evaluatedImages({ seed: 1, responses: 3, doubled: 0.2 });
    const text = detailsTable("plaza (sampled)", evaluationDetails(images));
    for (const part of [
      "crowding",
      "visible share",
      "consensus",
      "AP over ties",
      "duplicates",
      "half of the responses",
    ])
      expect(text).toContain(part);
    expect(text).toMatch(/logprob +0\.\d{3}/);
    expect(Math.max(...text.split("\n").map((line) => line.length))).toBeLessThanOrEqual(140);
    expect(detailsTable("nothing", evaluationDetails([]))).toContain("nothing");
  });
});
