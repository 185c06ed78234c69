import { describe, expect, it } from "vitest";
import {
  axisTicks,
  missRatePlot,
  precisionRecallPlot,
  renderCurvesPng,
  renderCurvesSvg,
} from "./curve-plots.js";

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

describe("axisTicks", () => {
  it("are round numbers, and decades where the axis is logarithmic", () => {
    const labels = (axis: Parameters<typeof axisTicks>[0]) => axisTicks(axis).map((tick) => tick.text);
    expect(labels({ label: "", scale: "linear", min: 0, max: 1 })).toEqual([
      "0.0",
      "0.2",
      "0.4",
      "0.6",
      "0.8",
      "1.0",
    ]);
    expect(labels({ label: "", scale: "linear", min: 0, max: 300 })).toEqual([
      "0",
      "50",
      "100",
      "150",
      "200",
      "250",
      "300",
    ]);
    expect(labels({ label: "", scale: "log", min: 0.001, max: 10 })).toEqual([
      "0.001",
      "0.01",
      "0.1",
      "1",
      "10",
    ]);
    expect(labels({ label: "", scale: "log", min: 0.05, max: 1 })).toEqual([
      "0.05",
      "0.1",
      "0.2",
      "0.5",
      "1",
    ]);
  });
});

describe("curves", () => {
  const x = Float64Array.from({ length: 100_000 }, (_, i) => i / 100_000);
  const y = x.map((value) => 1 - value * value);

  it("are drawn as PNG and as SVG, a long one with no more points than pixels", async () => {
    const plot = precisionRecallPlot("curves", [
      { label: "one", x, y },
      { label: "none", x: [], y: [] },
    ]);
    const png = await renderCurvesPng(plot);
    expect(Array.from(png.subarray(1, 4))).toEqual([0x50, 0x4e, 0x47]);
    const svg = text(renderCurvesSvg(plot));
    expect(svg).toMatch(/^(<\?xml[^>]*>\s*)?<svg/);
    expect(svg.length).toBeLessThan(300_000);
    // The same curve, the same picture.
    expect(text(renderCurvesSvg(plot))).toBe(svg);
  });

  it("take miss rates of 0 and curves without a false positive onto logarithmic axes", () => {
    const plot = missRatePlot("miss rate", [{ label: "a", x: [0, 0, 0.5], y: [0.5, 0, 0] }]);
    expect(plot.x.max).toBe(1);
    const svg = text(renderCurvesSvg(plot));
    expect(svg).not.toContain("NaN");
    expect(svg).not.toContain("Infinity");
    expect(missRatePlot("nothing", []).y.min).toBe(0.1);
  });
});
