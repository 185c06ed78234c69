/** @file What a run showed: comparisons with intervals, tables, overlays, charts, the report (loads canvas). */
export * from "./average-precision.js";
export * from "./compare-metrics.js";
export * from "./compare-results.js";
export * from "./compare.js";
export * from "./comparison.js";
export * from "./comparison-tables.js";
export * from "./metric-charts.js";
export * from "./overlay.js";
export * from "./report.js";
export * from "./run-report.js";
export * from "./table.js";
