import { describe, expect, it } from "vitest";
import { defaultRewardConfig, explainGroup } from "../../../src/rewards/index.js";
import { parseResponse } from "../../../src/response/index.js";
import { heatOf } from "./heat.js";
import { partnerOf, responseMarks } from "./response-marks.js";

const size = { width: 100, height: 100 };
const truth = {
  size,
  objects: [
    { box: { x1: 0, y1: 0, x2: 20, y2: 20 }, label: "person" },
    { box: { x1: 60, y1: 60, x2: 80, y2: 90 }, label: "person" },
  ],
  ignore: [{ x1: 0, y1: 80, x2: 20, y2: 100 }],
};
const corners = (box: { x1: number; y1: number; x2: number; y2: number }) =>
  [box.x1, box.y1, box.x2, box.y2] as const;
const wire = {
  objects: truth.objects.map(({ box, label }) => ({ box: corners(box), label })),
  ignore: truth.ignore.map(corners),
};
const text =
  "<think>a</think><look>[[60,60,80,90]]</look><answer>[[0,0,20,19],[1,0,20,20],[40,40,50,50],[2,82,18,98]]</answer>";
const other = "<think>a</think><look>[]</look><answer>[[0,0,20,19]]</answer>";
const parsed = parseResponse(text, size);
const explained = explainGroup(truth, [text, other], defaultRewardConfig).responses[0]!;
const response = {
  regions: parsed.look!.boxes.map(({ box }) => ({ box: corners(box) })),
  answer: parsed.answer!.boxes.map(({ box }) => ({ box: corners(box) })),
  matches: explained.answer.boxes.map(({ verdict, object }) =>
    verdict === "hit" ? object! : verdict === "ignored" ? -2 : -1,
  ),
  explained,
};

describe("responseMarks", () => {
  const marks = responseMarks(response, wire);
  const state = (id: string) => marks.find((mark) => mark.id === id)?.state;

  it("tells hits, duplicates, false alarms and ignored boxes apart", () => {
    const answers = [0, 1, 2, 3].map((index) => state(`answer:${index}`));
    expect(answers.slice(0, 2).toSorted()).toEqual(["duplicate", "hit"]);
    expect(answers.slice(2)).toEqual(["false-positive", "ignored"]);
  });

  it("tells found objects from missed ones, and says why", () => {
    expect(state("truth:0")).toBe("found");
    expect(marks.find(({ id }) => id === "truth:1")).toMatchObject({
      state: "missed",
      words: "Object 2, person, missed: no answer is near, [60, 60, 80, 90]",
    });
  });

  it("counts from 1 in words and numbers", () => {
    expect(marks.find(({ id }) => id === "answer:2")).toMatchObject({
      number: 3,
      words: "Answer 3, false alarm: nothing is there, [40, 40, 50, 50]",
    });
    expect(marks.find(({ id }) => id === "look:0")!.words).toMatch(/^Look region 1, covers \d+% of/);
  });

  it("goes by the matches where nothing was explained", () => {
    const bare = responseMarks({ ...response, explained: undefined }, wire);
    expect(bare.filter(({ layer }) => layer === "answer").map((mark) => mark.state)).toEqual(
      response.matches.map((match) => (match >= 0 ? "hit" : match === -2 ? "ignored" : "false-positive")),
    );
  });

  it("judges nothing where no ground truth is known", () => {
    const detected = responseMarks({ ...response, explained: undefined, matches: [] });
    expect(new Set(detected.map((mark) => mark.state))).toEqual(new Set(["plain"]));
  });
});

describe("partnerOf", () => {
  it("links an answer with its object, both ways", () => {
    expect(partnerOf("answer:1", [-1, 4])).toBe("truth:4");
    expect(partnerOf("truth:4", [-1, 4])).toBe("answer:1");
    expect(partnerOf("answer:0", [-1, 4])).toBeUndefined();
    expect(partnerOf("truth:9", [-1, 4])).toBeUndefined();
    expect(partnerOf(undefined, [])).toBeUndefined();
  });
});

describe("heatOf", () => {
  it("unpacks bytes to shares, and takes torn ones for none", () => {
    const grid = { columns: 2, rows: 2, cell: 8, values: btoa(String.fromCharCode(0, 51, 255, 102)) };
    const values = Array.from(heatOf(grid)!.values, (value) => Math.round(1000 * value) / 1000);
    expect(values).toEqual([0, 0.2, 1, 0.4]);
    expect(heatOf({ ...grid, rows: 3 })).toBeUndefined();
    expect(heatOf(undefined)).toBeUndefined();
  });
});
