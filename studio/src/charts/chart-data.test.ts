import { describe, expect, it } from "vitest";
import { chartData, lineWords, shareAxis, valueWords, type ChartRun, type ChartStyle } from "./chart-data.js";
import { tableOf } from "./metric-table.js";
import type { ChartSpec } from "./specs.js";

const run = (label: string, steps: number[], columns: Record<string, (number | null)[]>): ChartRun => ({
  label,
  table: tableOf({ epoch: 0, from: 0, to: steps.length, steps, columns }),
});
const spec: ChartSpec = {
  id: "x",
  title: "X",
  note: "",
  unit: "number",
  curves: [
    { key: "a", label: "A", color: "--series-1", spread: "s" },
    { key: "b", label: "B", color: "--series-2" },
  ],
};
const plain: ChartStyle = { axis: "step", smoothing: 0, spread: true, log: false };
const data = (runs: ChartRun[], style = plain, chart = spec) =>
  chartData(chart, runs, shareAxis(runs, style.axis), style);

describe("chartData", () => {
  it("draws the curves of one run, with their bands", () => {
    const { x, lines } = data([run("r", [1, 2], { a: [1, 2], b: [3, 4], s: [0.5, 1] })]);
    expect(x).toEqual([1, 2]);
    expect(lines.map(({ label, color }) => [label, color])).toEqual([
      ["A", "--series-1"],
      ["B", "--series-2"],
    ]);
    expect(lines[0]).toMatchObject({ values: [1, 2], low: [0.5, 1], high: [1.5, 3] });
    expect(lines[1]!.low).toBeUndefined();
  });

  it("leaves out what a run has not recorded", () => {
    expect(data([run("r", [1], { b: [3] })]).lines.map(({ label }) => label)).toEqual(["B"]);
  });

  it("puts several runs on one axis; a place that a run lacks is no gap", () => {
    const { x, lines } = data([run("one", [1, 3], { a: [1, 3] }), run("two", [2, 3], { a: [2, null] })]);
    expect(x).toEqual([1, 2, 3]);
    expect(lines.map(({ label, values }) => [label, values])).toEqual([
      ["one", [1, undefined, 3]],
      ["two", [undefined, 2, null]],
    ]);
    expect(lines[0]!.color).not.toBe(lines[1]!.color);
    expect(lines[0]!.dash).not.toEqual(lines[1]!.dash);
  });

  it("counts minutes of training, rising even where a clock did not", () => {
    const { x } = data([run("r", [1, 2, 3], { trainedSeconds: [60, 60, 180], a: [1, 1, 1] })], {
      ...plain,
      axis: "minutes",
    });
    expect(x[0]).toBe(1);
    expect(x[1]).toBeGreaterThan(x[0]!);
    expect(x[2]).toBe(3);
  });

  it("stacks", () => {
    const { lines } = data([run("r", [1], { a: [0.25], b: [0.5] })], plain, { ...spec, stacked: true });
    expect(lines.map(({ values, raw }) => [values, raw])).toEqual([
      [[0.25], [0.25]],
      [[0.75], [0.5]],
    ]);
  });

  it("has no place on a logarithm for 0", () => {
    const { lines } = data([run("r", [1, 2], { b: [0, 2] })], { ...plain, log: true });
    expect(lines[0]!.values).toEqual([null, 2]);
    expect(lines[0]!.raw).toEqual([0, 2]);
  });
});

describe("words", () => {
  const drawn = data([run("r", [1, 2, 3], { a: [1, 3, 2], s: [0.5, 0.25, 0.5] })]);
  it("say a value with its spread, and what smoothing makes of it", () => {
    expect(valueWords(drawn.lines[0]!, 1, "number", { smoothed: false })).toBe("3.00 ± 0.250");
    expect(valueWords(drawn.lines[0]!, 1, "share", { smoothed: true })).toBe("300% ± 25.0% (smoothed 300%)");
    expect(valueWords(drawn.lines[0]!, 9, "number", { smoothed: false })).toBe("–");
  });
  it("tell a curve", () => {
    expect(lineWords(drawn.lines[0]!, drawn, "number")).toBe(
      "A: from 1.00 at step 1 to 2.00 at step 3; lowest 1.00 at step 1, highest 3.00 at step 2.",
    );
  });
});
