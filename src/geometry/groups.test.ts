import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { box, type Box } from "./box.js";
import { clusterLinked, consensusClusters, linkBoxes } from "./consensus.js";
import { connectedGroups } from "./groups.js";

const anyBox = fc
  .tuple(fc.nat(60), fc.nat(60), fc.integer({ min: 5, max: 30 }), fc.integer({ min: 5, max: 30 }))
  .map(([x, y, w, h]) => box<"model">(x, y, x + w, y + h));

describe("connected groups", () => {
  it("joins through a middle one, and needs more than the threshold", () => {
    const boxes = [box(0, 0, 10, 10), box(90, 0, 99, 9), box(10, 0, 20, 10), box(5, 0, 15, 10)];
    // Neighbours share 50 of 150: IoU 1/3.
    expect(connectedGroups(boxes, 0.3)).toEqual([[0, 2, 3], [1]]);
    expect(connectedGroups(boxes, 1 / 3)).toEqual([[0], [1], [2], [3]]);
    expect(connectedGroups([], 0.5)).toEqual([]);
  });
});

describe("consensus clusters", () => {
  const a = box(0, 0, 10, 10);
  const a2 = box(0, 0, 10, 12);
  const b = box(50, 50, 60, 60);

  it("takes one box of each list and averages corners", () => {
    const clusters = consensusClusters([[a, b], [a2], [b, b]]);
    expect(clusters).toHaveLength(3);
    expect(clusters.map((c) => c.members.length)).toEqual([2, 2, 1]);
    expect(clusters.find((c) => c.box.x1 === 0)?.box).toEqual(box(0, 0, 10, 11));
  });

  it("begins where most lists agree", () => {
    // The middle box overlaps both others enough; they do not overlap each other.
    const [left, middle, right] = [box(0, 0, 10, 10), box(3, 0, 13, 10), box(6, 0, 16, 10)];
    expect(consensusClusters([[left], [middle], [right]])[0]?.members).toHaveLength(3);
    expect(consensusClusters([[left], [right]])).toHaveLength(2);
  });

  it("does not hang on the order of lists or boxes, and loses no box", () => {
    const lists = fc.array(fc.array(anyBox, { maxLength: 4 }), { minLength: 2, maxLength: 4 });
    const key = (clusters: ReturnType<typeof consensusClusters>) =>
      clusters.map((c) => JSON.stringify([c.box, c.members.length])).sort();
    fc.assert(
      fc.property(lists, (all: Box<"model">[][]) => {
        const clusters = consensusClusters(all);
        expect(clusters.flatMap((c) => c.members)).toHaveLength(all.flat().length);
        for (const { members } of clusters)
          expect(new Set(members.map((m) => m.list)).size).toBe(members.length);
        const turned = [...all].reverse().map((list) => [...list].reverse());
        expect(key(consensusClusters(turned))).toEqual(key(clusters));
      }),
      { numRuns: 300 },
    );
  });

  it("clusters what lies apart as if the rest were not there, and leaves a list out as if it had not been given", () => {
    const lists = fc.array(fc.array(anyBox, { maxLength: 4 }), { minLength: 3, maxLength: 4 });
    const boxes = (clusters: readonly { readonly box: Box<"model"> }[]) =>
      clusters.map((c) => JSON.stringify(c.box)).sort();
    const far = ({ x1, y1, x2, y2 }: Box<"model">): Box<"model"> => box(x1, y1 + 1024, x2, y2 + 1024);
    fc.assert(
      fc.property(lists, lists, fc.nat(2), (here, there, left) => {
        const count = Math.min(here.length, there.length);
        const away = there.slice(0, count).map((list) => list.map(far));
        const both = here.slice(0, count).map((list, i) => [...list, ...away[i]!]);
        const alone = [...consensusClusters(here.slice(0, count)), ...consensusClusters(away)];
        expect(boxes(consensusClusters(both))).toEqual(boxes(alone));
        const linked = linkBoxes(here);
        clusterLinked(linked);
        expect(clusterLinked(linked, left).map((c) => c.box)).toEqual(
          consensusClusters(here.toSpliced(left, 1)).map((c) => c.box),
        );
      }),
      { numRuns: 300 },
    );
  });
});
