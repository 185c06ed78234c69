import { describe, expect, it } from "vitest";
import { silentLogger } from "../base/index.js";
import type { AuditReport } from "../rewards/index.js";
import { runCli } from "./program.js";

async function run(...args: string[]) {
  const lines: string[] = [];
  const code = await runCli(args, {
    logger: silentLogger,
    print: (line) => {
      lines.push(line);
      return Promise.resolve();
    },
  });
  return { code, text: lines.join("\n") };
}

describe("dip-r1 audit", () => {
  it("passes the recommended preset, every exploit tried", async () => {
    const { code, text } = await run("audit", "--recipe", "recommended", "--draws", "2", "--json");
    const report = JSON.parse(text) as AuditReport;
    expect(code).toBe(0);
    expect(report.passed).toBe(true);
    expect(report.rewards.look.over).toBe("others");
    expect(report.rows.map(({ name }) => name)).toEqual(
      expect.arrayContaining([
        "empty answer", "one safe box", "the usual number on a grid", "whole image", "each box ten times",
        "jittered copies", "unknown labels", "all merged in one", "look everywhere", "look nowhere", "look at own boxes",
        "tags inside think", "nested tags", "repeated tags", "truncated", "100,000 boxes", "NaN and huge numbers",
      ]),
    ); // prettier-ignore
  });

  it("exits with 1 and a table where an exploit pays, as it does under the paper preset", async () => {
    const { code, text } = await run("audit", "--recipe", "paper", "--draws", "1");
    expect(code).toBe(1);
    expect(text).toMatch(/own disagreement in crowds .*FAIL/);
    expect(text).toMatch(/one safe box .*WEAK/);
    expect(text).toMatch(/empty answer .*PASS/);
  });

  it("exits with 2 for a recipe that is none", async () => {
    expect((await run("audit", "--recipe", "nowhere.yaml")).code).toBe(2);
  });
});
