import { describe, expect, it } from "vitest";
import { csv } from "../ui/download.js";
import type { ChartData } from "./chart-data.js";
import { chartRows, chartScene, logTicks, niceTicks } from "./chart-scene.js";
import { sceneSvg, xml } from "./scene.js";
import type { ChartSpec } from "./specs.js";

const spec: ChartSpec = { id: "x", title: "A <b> & B", note: "", unit: "number", curves: [] };
const data: ChartData = {
  axis: "step",
  x: [1, 2, 3],
  lines: [
    {
      label: '<script>alert("1")</script>',
      color: "--series-1",
      dash: [4, 2],
      values: [1, null, 3],
      raw: [1, null, 3],
      spread: [0.1, null, 0.2],
      low: [0.9, null, 2.8],
      high: [1.1, null, 3.2],
    },
  ],
};
const colors = { background: "#fff", ink: "#000", muted: "#666", grid: "#ddd", series: () => "#00f" };
const scene = (change = {}) =>
  chartScene({ spec, data, stretch: null, log: false, raw: false, colors, ...change });

describe("chartScene", () => {
  it("is SVG in which names are text", () => {
    const svg = sceneSvg(scene());
    expect(svg).toContain("&lt;script&gt;");
    expect(svg).not.toContain("<script");
    expect(svg).toContain("A &lt;b&gt; &amp; B");
    expect(svg).not.toMatch(/NaN|undefined|Infinity/);
  });

  it("breaks the line at a gap, and draws the band", () => {
    const lines = scene().shapes.filter((shape) => shape.kind === "line" && shape.width === 1.75);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatchObject({ pieces: [[expect.anything()], [expect.anything()]], dash: [4, 2] });
    expect(scene().shapes.filter(({ kind }) => kind === "area")).toHaveLength(1);
  });

  it.each([{ log: true }, { raw: true }, { stretch: [2, 3] }, { data: { ...data, x: [], lines: [] } }])(
    "holds only finite numbers with %j",
    (change) => {
      expect(sceneSvg(scene(change))).not.toMatch(/NaN|undefined|Infinity/);
    },
  );
});

describe("ticks", () => {
  it("are round", () => {
    expect(niceTicks(0, 1, 5)).toEqual([0, 0.2, 0.4, 0.6, 0.8, 1]);
    expect(niceTicks(-0.03, 0.11, 4)).toEqual([0, 0.05, 0.1]);
    expect(logTicks(1e-7, 2e-3)).toEqual([1e-7, 1e-6, 1e-5, 1e-4, 1e-3]);
    expect(logTicks(0.8, 1.6)).toEqual([0.8, 1, 1.2, 1.4, 1.6]);
  });
});

describe("chartRows", () => {
  it("gives the stretch that is shown, as CSV", () => {
    expect(csv(chartRows(data, [2, 3], false))).toBe(
      'step,"<script>alert(""1"")</script>","<script>alert(""1"")</script> (standard deviation)"\r\n2,,\r\n3,3,0.2\r\n',
    );
  });
  it("keeps formulas of spreadsheets text", () => {
    expect(csv([["=1+1", "-x", -1]])).toBe("'=1+1,'-x,-1\r\n");
  });
});

describe("xml", () => {
  it("replaces what XML cannot hold", () => {
    expect(xml('a\u0000"<\uD800')).toBe("a\uFFFD&quot;&lt;\uFFFD");
    expect(xml("crowd 👥")).toBe("crowd 👥");
  });
});
