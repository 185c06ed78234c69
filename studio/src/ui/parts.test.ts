import { describe, expect, it } from "vitest";
import { shellQuote } from "./command.js";
import { progressShare, progressWords, secondsLeft } from "./progress.js";
import { resumeCommand } from "./resume-command.js";
import { sparkPath } from "./sparkline.js";

describe("progress", () => {
  const far = { step: 20, steps: 100, trainedSeconds: 60, status: "training" as const };
  it("goes by steps, or by time where that is further", () => {
    expect(progressShare(far)).toBe(0.2);
    expect(progressShare({ ...far, minutes: 2 })).toBe(0.5);
    expect(progressShare({ ...far, status: "done" })).toBe(1);
    expect(progressShare({ ...far, steps: 0 })).toBe(0);
  });
  it("says so", () => {
    expect(progressWords({ ...far, minutes: 2 })).toBe("20 of 100 steps, 1 min of at most 2 min");
    expect(progressWords({ ...far, status: "done" })).toBe("20 steps in 1 min");
    expect(secondsLeft({ ...far, minutes: 2 })).toBe(60);
    expect(secondsLeft({ ...far, step: 1 })).toBeUndefined();
    expect(secondsLeft({ ...far, status: "stopped" })).toBeUndefined();
  });
});

describe("resumeCommand", () => {
  it("quotes what a shell would take apart", () => {
    expect(resumeCommand({ id: "a b", source: { path: "r.yaml", set: ["name=it's"] } }, "runs/")).toBe(
      `dip-r1 train r.yaml --set 'name=it'\\''s' --out 'runs/a b' --resume`,
    );
    expect(shellQuote("$(rm -rf .)")).toBe("'$(rm -rf .)'");
  });
});

describe("sparkPath", () => {
  it("draws from left to right, with gaps, and nothing of one point", () => {
    expect(sparkPath([0, 1])).toBe("M0.0 26.0L100.0 2.0");
    expect(sparkPath([0, null, 1, 1])).toMatch(/^M0\.0 26\.0M66\.7 2\.0L100\.0 2\.0$/);
    expect(sparkPath([1, null])).toBe("");
  });
});
