/** @file The report's style sheet and the script that draws its curves. */

/** Light and dark by the reader's setting; one column at 390 px. */
export const reportStyle = `
:root { color-scheme: light dark; --bg:#ffffff; --fg:#1b1e24; --muted:#5e6673; --line:#dfe3e8; --card:#f6f7f9; --good:#12733c; --bad:#b3261e; --accent:#b35c00; }
@media (prefers-color-scheme: dark) { :root { --bg:#15171c; --fg:#eceef1; --muted:#a0a8b4; --line:#2f343d; --card:#1d2027; --good:#57d08a; --bad:#ff8a80; --accent:#ff9a1f; } }
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body { margin: 0; background: var(--bg); color: var(--fg); font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 1200px; margin: 0 auto; padding: 24px 20px 64px; }
h1 { font-size: 1.7rem; line-height: 1.2; margin: 0 0 4px; } h2 { font-size: 1.2rem; margin: 40px 0 12px; } h3 { font-size: 1rem; margin: 0 0 8px; }
p { margin: 0 0 12px; } .scroll + p { margin-top: 10px; font-size: .88rem; } .muted { color: var(--muted); } .good { color: var(--good); } .bad { color: var(--bad); }
.headline { display: grid; grid-template-columns: repeat(auto-fit, minmax(160px, 1fr)); gap: 12px; margin: 20px 0; padding: 0; list-style: none; }
.headline li { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 12px 14px; }
.headline b { display: block; font-size: 1.35rem; font-variant-numeric: tabular-nums; }
.scroll { overflow-x: auto; border: 1px solid var(--line); border-radius: 10px; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; font-size: .92rem; }
th, td { text-align: right; padding: 6px 12px; white-space: nowrap; } th:first-child, td:first-child { text-align: left; }
thead th { border-bottom: 1px solid var(--line); font-weight: 600; }
tbody tr.set th { text-align: left; padding-top: 14px; border-top: 1px solid var(--line); } tbody:first-of-type tr.set th { border-top: 0; }
tbody tr.set span { font-weight: 400; } td small { display: block; color: var(--muted); font-size: .74rem; }
.charts { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 360px), 1fr)); gap: 16px; }
.chart { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 12px; min-width: 0; overflow: hidden; }
.gallery { display: grid; gap: 20px; } figure { margin: 0; } figure img { width: 100%; height: auto; border-radius: 10px; display: block; }
figcaption { color: var(--muted); font-size: .9rem; margin-top: 6px; }
pre { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 14px; overflow-x: auto; font-size: .82rem; line-height: 1.45; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 4px 16px; font-size: .9rem; } dt { color: var(--muted); } dd { margin: 0; overflow-wrap: anywhere; font-family: ui-monospace, monospace; font-size: .85em; }
details summary { cursor: pointer; font-weight: 600; }
.u-legend { font-size: .8rem; text-align: left !important; } .u-legend th { padding: 2px 4px; font-weight: 400; text-align: left; } .u-legend td { padding: 2px 4px; } .u-inline tr { margin-right: 6px !important; }
@media (max-width: 480px) { main { padding: 16px 12px 48px; } h1 { font-size: 1.35rem; } th, td { padding: 5px 8px; } dl { grid-template-columns: 1fr; } dt { margin-top: 6px; } }
`;

/** Draws every chart of `window.dipCharts` into its element; redraws when the width or the colours change. */
export const reportScript = `
(() => {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const colours = { light: ["#b35c00", "#0b6bcb", "#12733c", "#8e3bb5", "#5e6673"], dark: ["#ff9a1f", "#5db2ff", "#57d08a", "#d58bff", "#a0a8b4"] };
  let plots = [];
  const draw = () => {
    for (const plot of plots) plot.destroy();
    const palette = colours[dark.matches ? "dark" : "light"];
    const style = getComputedStyle(document.documentElement);
    const ink = style.getPropertyValue("--muted").trim(), line = style.getPropertyValue("--line").trim();
    const axis = { stroke: ink, grid: { stroke: line, width: 1 }, ticks: { stroke: line, width: 1 }, font: "12px system-ui, sans-serif" };
    plots = window.dipCharts.map((chart) => {
      const element = document.getElementById(chart.id);
      const width = element.clientWidth;
      const value = (u, v) => v == null ? "-" : Math.abs(v) >= 100 ? v.toFixed(0) : Math.abs(v) >= 1e-3 || v === 0 ? v.toFixed(3) : v.toExponential(1);
      const series = [{ label: "step", value: (u, v) => v ?? "-" }];
      for (const [i, one] of chart.series.entries()) {
        const colour = palette[i % palette.length];
        series.push({ label: one.label, stroke: colour, width: 2, value, points: { show: chart.x.length < 3 }, spanGaps: true });
      }
      const size = (u, values) => values == null ? 50 : 18 + 7 * Math.max(...values.map((v) => String(v ?? "").length));
      return new uPlot({ width, height: Math.max(190, Math.round(width * 0.5)), series, scales: { x: { time: false } }, axes: [axis, { ...axis, size }], cursor: { drag: { x: true, y: false } } }, [chart.x, ...chart.series.map((one) => one.y)], element);
    });
  };
  draw();
  dark.addEventListener("change", draw);
  let last = innerWidth;
  addEventListener("resize", () => { if (innerWidth !== last) { last = innerWidth; draw(); } });
})();
`;
