import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { honest, exploits, people, text, truth } from "../../test/support/exploits.js";
import { said, truthOf, type Corners } from "../../test/support/groups.js";
import { parseResponse } from "../response/index.js";
import { defaultRewardConfig, lookKinds } from "./config.js";
import { formFaults } from "./explain-form.js";
import { explainGroup } from "./explain.js";
import { formatReward } from "./format.js";
import { scoreGroup } from "./total.js";
import type { RewardConfig } from "./types.js";

const [A, B, C, D] = people as [Corners, Corners, Corners, Corners];
const off = ([x1, y1, x2, y2]: Corners, by: number): Corners => [x1 + by, y1, x2 + by, y2];

describe("explainGroup", () => {
  it("says what became of every box and every object", () => {
    const answer: Corners[] = [A, off(A, 2), off(C, 25), [600, 0, 620, 20], [2, 400, 30, 440]];
    const place = truthOf([A, C, D], [[0, 380, 60, 480]]);
    const { responses } = explainGroup(place, [text(answer), text([])]);
    const [first, second] = responses;
    expect(first!.answer.boxes).toMatchObject([
      { index: 0, verdict: "hit", object: 0, iou: 1 },
      { index: 1, verdict: "duplicate", object: 0, because: "taken" },
      { index: 2, verdict: "hit", object: 2 },
      { index: 3, verdict: "false-positive" },
      { index: 4, verdict: "ignored" },
    ]);
    expect(first!.answer.boxes[3]).not.toHaveProperty("object");
    // The nearest box to the missed one hit its neighbour.
    expect(first!.answer.missed).toMatchObject([{ object: 1, box: { x1: 300 }, nearest: { index: 2, because: "iou" } }]);
    expect(second!.answer).toMatchObject({ boxes: [], missed: [{ object: 0 }, { object: 1 }, { object: 2 }] });
    expect(second!.answer.missed[0]).not.toHaveProperty("nearest");
  });

  it("tells a wrong label from too little overlap", () => {
    const cars = text([A, off(B, 25)]).replace("person", "car");
    const [first] = explainGroup(truthOf([A, B]), [cars, text([])]).responses;
    expect(first!.answer.boxes).toMatchObject([
      { label: "car", verdict: "false-positive", object: 0, iou: 1, because: "label" },
      { verdict: "false-positive", object: 1, because: "iou" },
    ]);
    expect(first!.answer.missed[0]).toMatchObject({ nearest: { index: 0, because: "label" } });
  });

  it("adds up to the total of scoreGroup, for every kind and shape", () => {
    const texts = [...honest, ...exploits.map(([, response]) => response)];
    for (const kind of lookKinds)
      for (const over of ["group", "others"] as const)
        for (const shape of [defaultRewardConfig.accuracy.shape, { kind: "fbeta", beta: 2 } as const]) {
          const config: RewardConfig = {
            ...defaultRewardConfig,
            accuracy: { shape, iouThreshold: 0.5, soft: over === "others" },
            look: { kind, cells: 64, over },
          };
          const score = scoreGroup(truth, texts.map((one) => parseResponse(one, truth.size)), config);
          const { responses } = explainGroup(truth, texts, config);
          responses.forEach((response, i) => {
            const expected = score.responses[i]!;
            expect(response.total).toBe(expected.total);
            expect(response.terms.map(({ value }) => value)).toEqual([expected.format, expected.look, expected.accuracy]);
            expect(response.terms.reduce((sum, { adds }) => sum + adds, 0)).toBeCloseTo(expected.total, 12);
            expect(response.faults.length === 0).toBe(expected.format === 1);
            expect(response.answer.boxes.filter(({ verdict }) => verdict === "hit")).toHaveLength(expected.truePositives);
            const { look } = response;
            const value =
              look.kind === "grid"
                ? (2 * look.shared) / (look.squares + look.looked)
                : (2 * look.found) / (look.uncertain.length + look.regions.length);
            const any = look.kind === "grid" ? look.any : look.uncertain.length > 0;
            expect(look.regions.length > 0 && any ? value : expected.look).toBeCloseTo(expected.look, 12);
          });
        }
  });

  it("shows where the group disagrees and how much of it each region covers", () => {
    // Half of them have B: its 4 x 10 cells less what A shares disagree, all alike.
    const texts = [text([A, C], [C]), text([A], [A, off(C, 20)])];
    const { responses, spots, disagreement } = explainGroup(truthOf([A, C]), texts);
    expect(disagreement!.values.reduce((sum, v) => sum + v, 0)).toBe(40);
    expect(spots).toEqual([{ box: { x1: 300, y1: 120, x2: 340, y2: 220 }, share: 1, peak: 1 }]);
    expect(responses[0]!.look).toMatchObject({ share: 1, regions: [{ cells: 40, share: 1, mean: 1 }] });
    expect(responses[1]!.look).toMatchObject({ share: 0.5, regions: [{ share: 0 }, { cells: 40, share: 0.5, mean: 0.5 }] });
    expect(responses[0]!.terms[1]!.because).toContain("2 * 40.000 / (40.000 + 40 cells) = 1.000; 100%");
    const byHits = { ...defaultRewardConfig, look: { kind: "hit-variance", cells: 64 } } as const;
    const found = explainGroup(truthOf([A, C]), texts, byHits);
    expect(found.uncertain).toEqual([{ x1: 300, y1: 120, x2: 340, y2: 220 }]);
    expect(found.responses[0]!.look).toMatchObject({ found: 1, regions: [{ instance: 0, iou: 1 }] });
    expect(found).not.toHaveProperty("spots");
  });
}); // prettier-ignore

describe("formFaults", () => {
  const good = text([A]);
  it.each([
    ["a tag that is missing", good.replace("</look>", ""), /^<\/look> is missing$/],
    ["a tag too many", `${good}<answer>`, /^<answer> stands 2 times$/],
    ["tags in another order", "<look>[]</look><think>x</think><answer>[]</answer>", /^<look> stands where <think> should$/],
    ["text before", `Sure! ${good}`, /^text before <think>: "Sure!"$/],
    ["text behind", `${good} That is all.`, /^text behind <\/answer>: "That is all."$/],
    ["nothing thought", good.replace("people", " "), /^the think section is blank$/],
    ["an answer in prose", good.replace(/<answer>.*<\/answer>/, "<answer>a crowd</answer>"), /^the answer section .* "a crowd"$/],
    ["a look that is none", good.replace("<look>[]", "<look>here"), /^the look section .* "here"$/],
  ])("%s", (_, response, message) => {
    expect(formFaults(response, truth.size).join("; ")).toMatch(message);
  }); // prettier-ignore

  it("finds a fault exactly where there is no format reward", () => {
    const pieces = [
      "<think>",
      "</think>",
      "<look>",
      "</look>",
      "<answer>",
      "</answer>",
      "[]",
      "[[1,2,3,4]]",
      " x ",
      "people",
    ];
    const response = fc.oneof(
      fc.array(fc.constantFrom(...pieces), { maxLength: 10 }).map((all) => all.join("")),
      fc.tuple(fc.constantFrom("", " ", "x"), fc.constantFrom("[]", "x", "[[1,2,3,4]]", "[1]"), fc.constantFrom("[]", "[{}]", "```json []```"))
        .map(([a, b, c]) => `<think>${a}</think><look>${b}</look><answer>${c}</answer>`),
    ); // prettier-ignore
    fc.assert(
      fc.property(response, (one) => {
        const earned = formatReward(parseResponse(one, truth.size)) === 1;
        expect(formFaults(one, truth.size).length === 0).toBe(earned);
      }),
      { numRuns: 500 },
    );
  });
});

it("explains answers as scoreGroup has matched them", () => {
  const corners = fc.tuple(fc.nat(60), fc.nat(60), fc.integer({ min: 5, max: 30 }), fc.integer({ min: 5, max: 30 }))
    .map(([x, y, w, h]): Corners => [x, y, x + w, y + h]); // prettier-ignore
  fc.assert(
    fc.property(fc.array(corners, { maxLength: 6 }), fc.array(corners, { maxLength: 6 }), (objects, answers) => {
      const place = truthOf(objects);
      const { matches } = scoreGroup(place, [said(answers), said([])]).responses[0]!;
      const { boxes, missed } = explainGroup(place, [text(answers), text([])]).responses[0]!.answer;
      expect(boxes.map(({ verdict, object }) => (verdict === "hit" ? object : -1))).toEqual(matches);
      expect(missed.map(({ object }) => object)).toEqual(objects.map((_, i) => i).filter((i) => !matches.includes(i)));
    }),
    { numRuns: 100 },
  ); // prettier-ignore
});
