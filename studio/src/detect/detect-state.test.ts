import { describe, expect, it } from "vitest";
import type { DetectEvent, DetectResponse } from "../../../src/server/studio/api.js";
import { afterEvent, asking, idle, isBusy, stateInWords, type DetectState } from "./detect-state.js";

const fold = (events: readonly DetectEvent[], from: DetectState = asking) => events.reduce(afterEvent, from);
const whole = (index: number, text: string): DetectResponse => ({
  index,
  text,
  stretches: [],
  grade: "strict",
  stopReason: "stop",
  tokens: 9,
  regions: [],
  answer: [{ box: [1, 2, 3, 4], label: "person" }],
});
const text = (index: number, delta: string): DetectEvent => ({
  event: "text",
  index,
  delta,
  regions: [[0, 0, 9, 9]],
  answer: [[1, 2, 3, 4]],
});
const opened: DetectEvent = { event: "opened", model: "m", canvas: { width: 10, height: 20 } };

describe("afterEvent", () => {
  it("puts a response's text together, whichever responses come between", () => {
    const state = fold([opened, text(1, "ab"), text(0, "x"), text(1, "cd")]);
    expect(state.responses.map((response) => response?.text)).toEqual(["x", "abcd"]);
    expect(state.responses[1]).toMatchObject({ regions: [[0, 0, 9, 9]], answer: [{ box: [1, 2, 3, 4] }] });
    expect(state.canvas).toEqual({ width: 10, height: 20 });
  });

  it("leaves a hole for a response of which nothing has come", () => {
    expect(fold([opened, text(2, "z")]).responses.map((response) => response?.index)).toEqual([
      undefined,
      undefined,
      2,
    ]);
  });

  it("takes the whole response for what was written before", () => {
    const state = fold([opened, text(0, "half"), { event: "response", response: whole(0, "whole") }]);
    expect(state.responses[0]).toMatchObject({ text: "whole", whole: { grade: "strict" } });
  });

  it("is busy from the request until its end", () => {
    const states = [
      idle,
      asking,
      fold([{ event: "queued", waiting: 2 }]),
      fold([opened]),
      fold([opened, { event: "done", seconds: 1, tokens: 9 }]),
      fold([{ event: "failed", error: { code: "x", message: "y" } }]),
    ];
    expect(states.map(isBusy)).toEqual([false, true, true, true, false, false]);
  });
});

describe("stateInWords", () => {
  it("tells how far it is", () => {
    expect(stateInWords(fold([{ event: "queued", waiting: 1 }]))).toBe(
      "Waiting for 1 detection before this one …",
    );
    expect(stateInWords(fold([{ event: "queued", waiting: 0 }]))).toBe("Opening the model …");
    expect(stateInWords(fold([opened]))).toBe("Looking at the picture …");
    expect(stateInWords(fold([opened, text(0, "x")]))).toBe("Writing: 1 box so far …");
  });

  it("sums up one response and several", () => {
    const done: DetectEvent = { event: "done", seconds: 2.04, tokens: 1200 };
    expect(stateInWords(fold([opened, { event: "response", response: whole(0, "x") }, done]))).toBe(
      "1 instance, 1,200 tokens in 2.0 s",
    );
    const heat = { columns: 1, rows: 1, cell: 1, values: "" };
    expect(
      stateInWords(fold([opened, { event: "consensus", instances: [], heat, counts: [3, 5] }, done])),
    ).toBe("3 to 5 instances in each of 2 responses, 1,200 tokens in 2.0 s");
  });
});
