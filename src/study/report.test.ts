import { describe, expect, it } from "vitest";
import type { Comparison } from "./comparison.js";
import { verdictOf } from "./comparison.js";
import { renderReport } from "./report.js";
import { comparisonTable, formatChange, formatInterval, renderTable } from "./table.js";

const at = (value: number, half = 0.02) => ({ value, low: value - half, high: value + half });
const change = (value: number) => ({ ...at(value), notAboveZero: 0 });
const comparison: Comparison = {
  policies: ["before", "after"],
  rows: [
    {
      set: "plaza",
      domain: "in",
      decoding: "greedy",
      images: 64,
      policies: [
        { f1: at(0.6), countError: at(1.1) },
        { f1: at(0.65), countError: at(1) },
      ],
      change: { f1: change(0.05), countError: change(-0.1) },
    },
  ],
};

describe("renderTable", () => {
  it("lines columns up whatever colours are in them", () => {
    expect(renderTable([["a", "b"], "heading", ["\u001b[32mlong\u001b[39m", "1"]])).toBe(
      "a     b\nheading\n\u001b[32mlong\u001b[39m  1",
    );
  });
});

describe("comparisonTable", () => {
  it("shows every policy, the change and a dash for what was not measured", () => {
    const text = comparisonTable(comparison, { colours: false });
    expect(text).toContain("plaza (in-domain, greedy, 64 images)");
    expect(text).toMatch(/before\s+-\s+-\s+0\.60 ±\.02/);
    expect(text).toMatch(/change\s+-\s+-\s+\+0\.05 ±\.02/);
    expect(Math.max(...text.split("\n").map((line) => line.length))).toBeLessThanOrEqual(80);
  });

  it("knows which way is better", () => {
    expect(verdictOf("f1", change(0.05))).toBe("better");
    expect(verdictOf("countError", change(-0.05))).toBe("better");
    expect(verdictOf("countError", change(0.05))).toBe("worse");
    expect(verdictOf("f1", change(0.01))).toBe("unclear");
    expect(comparisonTable(comparison, { colours: true })).toContain("\u001b[32m+0.05 ±.02");
  });

  it("formats without surprises", () => {
    expect(formatInterval(undefined)).toBe("-");
    expect(formatInterval({ value: NaN, low: NaN, high: NaN })).toBe("-");
    expect(formatInterval(at(1.5, 1.25))).toBe("1.50 ±1.25");
    expect(formatChange(change(-0.001))).toBe("+0.00 ±.02");
    expect(formatChange(change(-0.1))).toBe("-0.10 ±.02");
  });
});

describe("renderReport", () => {
  const report = {
    title: "a <b> & c",
    comparison,
    charts: [{ title: "F1", x: [1, 2], series: [{ label: "</script><i>", y: [0.1, null] }] }],
    pictures: [{ png: Uint8Array.of(1, 2, 3), caption: '"><img src=x>' }],
    recipe: "kind: grpo\n  indented: </pre><b>\n",
    facts: [["seed", "1"]] as const,
  };

  it("is one file that loads nothing", async () => {
    const page = await renderReport(report);
    const loads = [...page.matchAll(/(?:src|href)="([^"]*)"/g)].map(([, target]) => target!);
    expect(loads.length).toBeGreaterThan(0);
    for (const target of loads) expect(target).toMatch(/^data:/);
    expect(page).not.toMatch(/@import|url\(|<iframe|fetch\(|XMLHttpRequest|import\(/);
    expect(page).toContain("new uPlot(");
    expect(page).toContain("prefers-color-scheme: dark");
  });

  it("escapes every text and keeps the recipe's white space", async () => {
    const page = await renderReport(report);
    expect(page).toContain("<title>a &lt;b&gt; &amp; c</title>");
    expect(page).not.toContain("</script><i>");
    expect(page).not.toContain("<img src=x>");
    expect(page).toContain("kind: grpo\n  indented: &lt;/pre&gt;&lt;b&gt;\n");
    expect(page.match(/<script>/g)).toHaveLength(1);
    expect(page.match(/<\/script>/g)).toHaveLength(1);
  });

  it("needs no script without curves", async () => {
    expect(await renderReport({ title: "empty" })).not.toContain("<script>");
  });
});
