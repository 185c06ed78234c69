/** The properties that every reward of a group must have, whatever the options (beside those of single parts in their own tests). */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { said, truthOf, type Corners } from "../../test/support/groups.js";
import { lookKinds, lookOvers } from "./config.js";
import { scoreGroup } from "./total.js";
import type { RewardConfig } from "./types.js";

const corners = (width: number, height: number) =>
  fc
    .tuple(fc.nat(width - 20), fc.nat(height - 20), fc.integer({ min: 4, max: 120 }), fc.integer({ min: 4, max: 120 }))
    .map(([x, y, w, h]): Corners => [x, y, Math.min(width, x + w), Math.min(height, y + h)]); // prettier-ignore
const grade = fc.constantFrom("strict", "strict", "strict", "repaired", "truncated", "none");
const config = fc
  .record({
    weights: fc.record({ format: fc.nat(4), look: fc.nat(4), accuracy: fc.nat(4) }),
    accuracy: fc.record({
      shape: fc.constantFrom(
        { kind: "linear", precisionWeight: 1, recallWeight: 3 } as const,
        { kind: "fbeta", beta: 1 } as const,
      ),
      iouThreshold: fc.constantFrom(0.3, 0.5, 0.75),
      soft: fc.boolean(),
    }),
    look: fc.record({ kind: fc.constantFrom(...lookKinds), cells: fc.constantFrom(16, 64), over: fc.constantFrom(...lookOvers) }),
  })
  .map((made): RewardConfig => made); // prettier-ignore

/** Answers that are the scene's objects moved a little, and others; looks at some of them. */
const group = (width = 640, height = 480) =>
  fc.record({
    objects: fc.array(corners(width, height), { maxLength: 6 }),
    ignore: fc.array(corners(width, height), { maxLength: 2 }),
    responses: fc.array(
      fc.record({
        found: fc.array(fc.tuple(fc.nat(5), fc.integer({ min: -3, max: 3 })), { maxLength: 6 }),
        other: fc.array(corners(width, height), { maxLength: 3 }),
        look: fc.array(corners(width, height), { maxLength: 3 }),
        grade,
      }),
      { minLength: 2, maxLength: 5 },
    ),
  });
type Group = ReturnType<typeof group> extends fc.Arbitrary<infer T> ? T : never;

const answersOf = ({ objects }: Group, { found, other }: Group["responses"][number]): Corners[] => [
  ...found.flatMap(([i, d]): Corners[] => {
    const object = objects[i];
    return object === undefined ? [] : [[Math.max(0, object[0] + d), object[1], object[2], object[3]]];
  }),
  ...other,
];
const responsesOf = (g: Group, change = (c: Corners): Corners => c) =>
  g.responses.map((r) => said(answersOf(g, r).map(change), r.look.map(change), r.grade));
const totals = (g: Group, rewards: RewardConfig) =>
  scoreGroup(truthOf(g.objects, g.ignore), responsesOf(g), rewards).responses;

describe("rewards of a group", () => {
  it("are in [0, 1] each, and add up by their weights", () => {
    fc.assert(
      fc.property(group(), config, (g, rewards) => {
        for (const { format, look, accuracy, total } of totals(g, rewards)) {
          for (const part of [format, look, accuracy]) {
            expect(part).toBeGreaterThanOrEqual(0);
            expect(part).toBeLessThanOrEqual(1 + 1e-12);
          }
          const { weights } = rewards;
          expect(total).toBeCloseTo(
            weights.format * format + weights.look * look + weights.accuracy * accuracy,
            12,
          );
        }
      }),
      { numRuns: 300 },
    );
  });

  it("do not hang on the order of responses, of boxes, of objects or of regions", () => {
    fc.assert(
      fc.property(group(), config, (g, rewards) => {
        const turned: Group = {
          objects: g.objects.toReversed(),
          ignore: g.ignore.toReversed(),
          responses: g.responses.toReversed().map((r) => ({
            ...r,
            found: r.found.map(([i, d]): [number, number] => [g.objects.length - 1 - i, d]).toReversed(),
            other: r.other.toReversed(),
            look: r.look.toReversed(),
          })),
        };
        const before = totals(g, rewards).map(({ total }) => total);
        const after = totals(turned, rewards).map(({ total }) => total).toReversed();
        after.forEach((total, i) => expect(total).toBeCloseTo(before[i]!, 9));
      }),
      { numRuns: 300 },
    ); // prettier-ignore
  });

  it("do not change when everything is moved by whole cells, or made larger with its picture", () => {
    fc.assert(
      fc.property(group(320, 240), config, fc.nat(7), fc.nat(5), fc.constantFrom(2, 4), (g, rewards, right, down, factor) => {
        // 40 pixels are a whole number of cells for 16 and for 64 of them along 640. The picture's own border is left alone.
        const move = ([x1, y1, x2, y2]: Corners): Corners => [x1 + 40 * right, y1 + 40 * down, x2 + 40 * right, y2 + 40 * down];
        const grow = (c: Corners) => c.map((value) => value * factor) as unknown as Corners;
        const expected = totals(g, rewards).map(({ total }) => total);
        const moved = scoreGroup(truthOf(g.objects.map(move), g.ignore.map(move)), responsesOf(g, move), rewards);
        moved.responses.forEach(({ total }, i) => expect(total).toBeCloseTo(expected[i]!, 9));
        const truth = { ...truthOf(g.objects.map(grow), g.ignore.map(grow)), size: { width: 640 * factor, height: 480 * factor } };
        const grown = scoreGroup(truth, responsesOf(g, grow), rewards);
        grown.responses.forEach(({ total }, i) => expect(total).toBeCloseTo(expected[i]!, 9));
      }),
      { numRuns: 200 },
    ); // prettier-ignore
  });

  it("pay nothing for a look where the group agrees while it disagrees elsewhere, for every kind", () => {
    fc.assert(
      fc.property(group(320, 480), config, corners(320, 480), (g, rewards, region) => {
        // All answers stand in the right half; the first three differ there, whoever is left out; all look left.
        const right = ([x1, y1, x2, y2]: Corners): Corners => [x1 + 320, y1, x2 + 320, y2];
        const known: Corners = [330, 10, 370, 90];
        const other: Corners = [500, 300, 540, 380];
        const sure = g.objects.map(right);
        const responses = [[known], [known, other], [other], [known], [other]].map((more) => said([...sure, ...more], [region]));
        const truth = truthOf([...sure, known, other]);
        for (const { look } of scoreGroup(truth, responses, rewards).responses) expect(look).toBe(0);
      }),
      { numRuns: 100 },
    ); // prettier-ignore
  });

  it("with `others`, a response's own answer has no part in what its look is paid", () => {
    fc.assert(
      fc.property(group(), group(), config, (g, h, rewards) => {
        const over: RewardConfig = { ...rewards, look: { ...rewards.look, over: "others" } };
        const responses = [...responsesOf(g), said(g.objects)];
        const changed = [
          { ...responses[0]!, answer: said(answersOf(h, h.responses[0]!)).answer! },
          ...responses.slice(1),
        ];
        const look = (all: typeof responses) =>
          scoreGroup(truthOf(g.objects, g.ignore), all, over).responses[0]!.look;
        expect(look(changed)).toBeCloseTo(look(responses), 12);
      }),
      { numRuns: 200 },
    );
  });

  it("with two responses there are no others to disagree, and the group's disagreement counts", () => {
    fc.assert(
      fc.property(group(), config, (g, rewards) => {
        const two = { ...g, responses: g.responses.slice(0, 2) };
        const by = (over: "group" | "others") =>
          totals(two, { ...rewards, look: { ...rewards.look, over } }).map(({ look }) => look);
        expect(by("others")).toEqual(by("group"));
      }),
      { numRuns: 50 },
    );
  });
});
