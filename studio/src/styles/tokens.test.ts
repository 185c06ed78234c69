/** @file The contrast that tokens.css promises, worked out as WCAG 2.2 says. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";

const css = readFileSync(new URL("./tokens.css", import.meta.url), "utf8");

/** Colours of a block of the file. */
function colorsOf(selector: string): Map<string, string> {
  const start = css.indexOf(`${selector} {`);
  const block = css.slice(start, css.indexOf("}\n", start));
  return new Map(
    [...block.matchAll(/(--[\w-]+): (#[0-9a-f]{6});/g)].map(([, name, value]) => [name!, value!]),
  );
}
const light = colorsOf(":root");
const themes = { light, dark: new Map([...light, ...colorsOf(':root[data-theme="dark"]')]) };

function luminance(color: string): number {
  const [r, g, b] = [1, 3, 5].map((at) => {
    const channel = Number.parseInt(color.slice(at, at + 2), 16) / 255;
    return channel <= 0.04045 ? channel / 12.92 : ((channel + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(a: string, b: string): number {
  const [low, high] = [luminance(a), luminance(b)].toSorted((x, y) => x - y) as [number, number];
  return (high + 0.05) / (low + 0.05);
}

const text = [
  ...["--page", "--card", "--well", "--hover"].flatMap((ground) => [
    ["--ink", ground],
    ["--muted", ground],
  ]),
  ...["--page", "--card", "--well"].flatMap((ground) => [
    ["--accent", ground],
    ["--good", ground],
    ["--bad", ground],
  ]),
  ["--accent-ink", "--accent"],
  ["--accent", "--accent-soft"],
  ["--good", "--good-soft"],
  ["--warn", "--warn-soft"],
  ["--bad", "--bad-soft"],
] as [string, string][];
const marks = [...light.keys()]
  .filter((name) => /^--(series|look|answer|truth|ignore|edge|focus)/.test(name))
  .map((name) => [name, "--card"] as [string, string]);

describe.each(["light", "dark"] as const)("the %s theme", (theme) => {
  const colors = themes[theme];
  it.each(text)("writes %s on %s at 4.5:1", (ink, ground) => {
    expect(contrast(colors.get(ink)!, colors.get(ground)!)).toBeGreaterThanOrEqual(4.5);
  });
  it.each(marks)("draws %s on %s at 3:1", (ink, ground) => {
    expect(contrast(colors.get(ink)!, colors.get(ground)!)).toBeGreaterThanOrEqual(3);
  });
});
