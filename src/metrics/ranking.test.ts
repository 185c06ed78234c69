import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createRng } from "../base/rng.js";
import { recallAtReferences } from "./citypersons/miss-rate.js";
import { interpolatedAp } from "./coco/evaluate.js";
import { crowdHumanMissRate, trapezoidAp } from "./crowdhuman/ap-mr.js";
import { logAverage, vocAp } from "./curves.js";
import { descendingOrder, hasMixedTies, orderBounds, rankOutcomes } from "./ranking.js";

const expected = (scores: readonly number[]) =>
  scores.map((_, i) => i).sort((a, b) => scores[b]! - scores[a]! || a - b);

describe("descendingOrder", () => {
  it("is a stable sort, short and long", () => {
    const rng = createRng(2);
    for (const count of [0, 1, 7, 5000]) {
      const scores = Array.from({ length: count }, () =>
        rng.pick([
          0,
          -0,
          1,
          -1,
          0.5,
          rng.normal(),
          -1e-300 * rng.next(),
          1e300 * rng.normal(),
          Infinity,
          -Infinity,
        ]),
      );
      expect(Array.from(descendingOrder(Float64Array.from(scores)))).toEqual(
        scores
          .map((_, i) => i)
          .sort((a, b) => (scores[a] === scores[b] ? a - b : scores[b]! > scores[a]! ? 1 : -1)),
      );
    }
  });

  it("keeps the order of images among equal scores", () => {
    const ranked = rankOutcomes([
      { scores: [0.5, 0.9], hits: [1, 0] },
      { scores: [0.5], hits: [0] },
    ]);
    expect(Array.from(ranked.scores)).toEqual([0.9, 0.5, 0.5]);
    expect(Array.from(ranked.hits)).toEqual([0, 1, 0]);
    expect(expected([0.5, 0.9, 0.5])).toEqual([1, 0, 2]);
  });
});

/** All hits that reordering equal scores can give. */
function* allOrders(scores: readonly number[], hits: readonly number[]): Generator<number[]> {
  if (scores.length === 0) {
    yield [];
    return;
  }
  const size = scores.filter((score) => score === scores[0]).length;
  const arrange = function* (block: readonly number[]): Generator<number[]> {
    if (block.length < 2) {
      yield [...block];
      return;
    }
    for (const kind of new Set(block)) {
      const rest = [...block];
      rest.splice(rest.indexOf(kind), 1);
      for (const tail of arrange(rest)) yield [kind, ...tail];
    }
  };
  for (const head of arrange(hits.slice(0, size)))
    for (const tail of allOrders(scores.slice(size), hits.slice(size))) yield [...head, ...tail];
}

describe("orderBounds", () => {
  const positives = 6;
  const metrics: Record<string, (hits: Uint8Array) => number | null> = {
    coco: (hits) => interpolatedAp(hits, positives),
    voc: (hits) => vocAp(hits, positives),
    "CrowdHuman AP": (hits) => trapezoidAp(hits, positives),
    "CrowdHuman MR": (hits) => crowdHumanMissRate(hits, positives, 3),
    "CityPersons, with the quirk": (hits) =>
      logAverage(recallAtReferences(hits, positives, 3, "official").map((recall) => 1 - recall)),
    "CityPersons, without": (hits) =>
      logAverage(recallAtReferences(hits, positives, 3, "corrected").map((recall) => 1 - recall)),
  };
  it.each(Object.entries(metrics))("are the least and the greatest over all orders: %s", (_, metric) => {
    const detections = fc.array(fc.record({ score: fc.integer({ min: 1, max: 3 }), hit: fc.boolean() }), {
      minLength: 1,
      maxLength: 9,
    });
    fc.assert(
      fc.property(detections, (list) => {
        let found = 0;
        const kept = list.filter(({ hit }) => !hit || ++found <= positives);
        const ranked = rankOutcomes([
          { scores: kept.map(({ score }) => score), hits: kept.map(({ hit }) => (hit ? 1 : 0)) },
        ]);
        const values = [...allOrders([...ranked.scores], [...ranked.hits])].map((hits) =>
          metric(Uint8Array.from(hits))!,
        );
        const { low, high } = orderBounds(ranked, metric);
        expect(low).toBeCloseTo(Math.min(...values), 12);
        expect(high).toBeCloseTo(Math.max(...values), 12);
        expect(hasMixedTies(ranked) || values.length === 1).toBe(true);
      }),
      { numRuns: 150 },
    );
  });
});
