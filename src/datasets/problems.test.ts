import { describe, expect, it } from "vitest";
import { InputError } from "../base/errors.js";
import { AnnotationError, describeProblems, NO_PROBLEMS, Problems } from "./problems.js";

const bad = () => {
  throw new AnnotationError("empty-box", "f:1: bbox has no area", { hint: "Look at it." });
};

describe("Problems", () => {
  it("stops at the first bad record, with a word on how to go on, said once", () => {
    const problems = new Problems();
    expect(() => problems.attempt(() => problems.attempt(bad))).toThrow(
      expect.objectContaining({
        name: "InputError",
        kind: "empty-box",
        hint: expect.stringMatching(/^Look at it\. To go on .*--on-error skip[^-]*$/) as string,
      }),
    );
    expect(problems.report()).toMatchObject({ leftOut: 0, kinds: {} });
  });

  it("counts what it leaves out, by kind, with a few examples", async () => {
    const problems = new Problems("skip");
    for (let i = 0; i < 10; i++) expect(problems.attempt(bad)).toBeUndefined();
    await problems.attemptAsync(async () => {
      throw new AnnotationError("duplicate-id", "f:2: id 3 was used before");
    });
    expect(problems.attempt(() => 7)).toBe(7);
    const report = problems.report();
    expect(report).toMatchObject({ leftOut: 11, kinds: { "empty-box": 10, "duplicate-id": 1 } });
    expect(report.examples.length).toBe(4);
    expect(describeProblems(report)).toBe(
      "left out 11 bad records: 10 boxes without an area, 1 ids that came twice\n" +
        "  f:1: bbox has no area\n  f:1: bbox has no area\n  f:1: bbox has no area\n  f:2: id 3 was used before",
    );
  });

  it("lets through what is no record's fault", () => {
    const problems = new Problems("skip");
    const fail = (error: Error) => () =>
      problems.attempt(() => {
        throw error;
      });
    expect(fail(new InputError("no such file"))).toThrow("no such file");
    expect(fail(new TypeError("a bug"))).toThrow(TypeError);
  });

  it("says nothing where there is nothing to say", () => {
    expect(describeProblems(NO_PROBLEMS)).toBeUndefined();
    const problems = new Problems();
    problems.note("empty-box", "an ignore region without an area");
    expect(describeProblems(problems.report())).toMatch(/^noted: 1 boxes without an area\n/);
  });
});
