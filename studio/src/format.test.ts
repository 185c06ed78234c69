import { describe, expect, it } from "vitest";
import {
  ago,
  count,
  dateTime,
  duration,
  fileName,
  leaf,
  NOTHING,
  number,
  percent,
  score,
  signed,
  tick,
} from "./format.js";

describe("number", () => {
  it.each([
    [0, "0"],
    [0.6484679, "0.648"],
    [0.05, "0.050"],
    [12.345, "12.3"],
    [999.4, "999"],
    [999.6, "1,000"],
    [1253.8, "1,254"],
    [-0.25, "−0.250"],
    [6.2337e-7, "6.2e−7"],
    [3e9, "3.00e9"],
    [null, NOTHING],
    [undefined, NOTHING],
    [Number.NaN, NOTHING],
  ])("writes %s as %s", (value, text) => {
    expect(number(value)).toBe(text);
  });
});

describe("other numbers", () => {
  it("writes ticks without zeros at the end", () => {
    expect([0, 0.5, 20, 1500, 1e-6, 1.25e-4, 2e5, -0.1].map(tick)).toEqual([
      "0",
      "0.5",
      "20",
      "1,500",
      "1e−6",
      "1.25e−4",
      "2e5",
      "−0.1",
    ]);
  });
  it("writes scores with three decimals", () => {
    expect([score(0.6), score(null), score(1)]).toEqual(["0.600", NOTHING, "1.000"]);
  });
  it("writes shares in percent", () => {
    expect([percent(0), percent(1), percent(0.0156), percent(0.9999), percent(undefined)]).toEqual([
      "0%",
      "100%",
      "1.6%",
      "100%",
      NOTHING,
    ]);
  });
  it("writes differences with a sign", () => {
    expect([signed(0.0525), signed(-0.04), signed(0.0001), signed(null)]).toEqual([
      "+0.052",
      "−0.040",
      "±0.000",
      NOTHING,
    ]);
  });
  it("counts", () => {
    expect([count(1, "run"), count(1200, "run"), count(2, "entry", "entries")]).toEqual([
      "1 run",
      "1,200 runs",
      "2 entries",
    ]);
  });
});

describe("times", () => {
  it("says how long", () => {
    expect([4.25, 59, 60, 302, 3600, 12_000].map(duration)).toEqual([
      "4.3 s",
      "59 s",
      "1 min",
      "5 min 2 s",
      "1 h",
      "3 h 20 min",
    ]);
  });
  it("says how long ago", () => {
    const now = Date.parse("2026-11-23T12:00:00Z");
    const at = (minutes: number) => ago(new Date(now - 60_000 * minutes).toISOString(), now);
    expect([at(0), at(5), at(130), at(60 * 24), at(60 * 72)]).toEqual([
      "just now",
      "5 min ago",
      "2 h ago",
      "yesterday",
      "3 days ago",
    ]);
    expect(at(60 * 24 * 30)).toBe("24 Oct 2026");
    expect(ago("never", now)).toBe(NOTHING);
    expect(dateTime("never")).toBe(NOTHING);
  });
});

describe("names", () => {
  it("makes a file's name of any text", () => {
    expect(fileName("a/b <x>", "f1")).toBe("a-b-x-f1");
    expect(fileName("../..", "")).toBe("..-..");
    expect(fileName("///")).toBe("dip-r1");
  });
  it("writes leaves of a configuration", () => {
    expect([leaf("a"), leaf(1e-8), leaf(["person"]), leaf(null), leaf(undefined)]).toEqual([
      "a",
      "1e-8",
      '["person"]',
      "null",
      NOTHING,
    ]);
  });
});
