import { describe, expect, it } from "vitest";
import type { MetricColumns } from "../../../src/server/studio/api.js";
import { addRows, tableOf } from "./metric-table.js";

const rows = (from: number, to: number, extra: Partial<MetricColumns> = {}): MetricColumns => ({
  epoch: 0,
  from,
  to,
  steps: Array.from({ length: to - from }, (_, i) => from + i + 1),
  columns: { kl: Array.from({ length: to - from }, (_, i) => (from + i) / 10) },
  ...extra,
});

describe("addRows", () => {
  it("adds what is new, once", () => {
    const table = tableOf(rows(0, 3));
    expect(addRows(table, rows(3, 5))).toBe("added");
    expect(addRows(table, rows(2, 5))).toBe("known");
    expect(addRows(table, rows(4, 6))).toBe("added");
    expect(table.steps).toEqual([1, 2, 3, 4, 5, 6]);
    expect(table.columns.kl).toEqual([0, 0.1, 0.2, 0.3, 0.4, 0.5]);
    expect(table.version).toBe(3);
  });

  it("fills columns that come late or stop", () => {
    const table = tableOf(rows(0, 2));
    addRows(table, rows(2, 3, { columns: { f1: [0.5] } }));
    expect(table.columns).toEqual({ kl: [0, 0.1, null], f1: [null, null, 0.5] });
  });

  it.each([
    ["a gap", rows(4, 5)],
    ["another epoch", rows(0, 3, { epoch: 1 })],
    ["fewer rows than known", rows(0, 2)],
  ])("asks where there is %s", (_, incoming) => {
    const table = tableOf(rows(0, 3));
    expect(addRows(table, incoming)).toBe("ask");
    expect(table.steps).toHaveLength(3);
  });
});
