/** @file The details of an evaluation and the comparison of two results as tables for terminals. */
import picocolors from "picocolors";
import type { Bounds, PairedTest, Slice, SliceDimension } from "../metrics/index.js";
import type { EvaluationDetails } from "../rl/index.js";
import { pairedMetrics, type PairedMetricName } from "./compare-metrics.js";
import type { ComparedResultSet, ResultComparison } from "./compare-results.js";
import { renderTable } from "./table.js";

const fixed = (value: number | null, digits = 3): string =>
  value === null || Number.isNaN(value) ? "-" : value.toFixed(digits);
/** Three digits with their sign; a zero that rounding left has none. */
const signed = (value: number): string => {
  const text = fixed(value);
  if (text === "-") return text;
  return Number(text) === 0 ? fixed(0) : value > 0 ? `+${text}` : text;
};
const between = (bounds: Bounds | null): string =>
  bounds === null ? "-" : `${fixed(bounds.worst)} to ${fixed(bounds.best)}`;

const sliceTitles: Record<SliceDimension, string> = {
  crowding: "crowding",
  height: "height",
  heightShare: "height of image",
  visibility: "visible share",
  label: "label",
  objects: "objects in image",
};

function sliceRows(slices: readonly Slice[]): (readonly string[] | string)[] {
  let last: SliceDimension | undefined;
  return slices.flatMap((slice) => {
    const heading = slice.by === last ? [] : [sliceTitles[slice.by]];
    last = slice.by;
    return [
      ...heading,
      [
        `  ${slice.bucket}`,
        String(slice.truths),
        fixed(slice.precision),
        fixed(slice.recall),
        fixed(slice.f1),
        fixed(slice.iou),
        slice.counting === undefined ? "" : fixed(slice.counting.mae, 2),
        slice.counting === undefined ? "" : signed(slice.counting.bias),
      ],
    ];
  });
}

/** Everything of {@link EvaluationDetails} in three tables: by slices, AP by score source, errors. */
export function detailsTable(title: string, details: EvaluationDetails): string {
  const { curve, averagePrecision, majority, localization, falsePositives, slices } = details;
  const share = (count: number) =>
    falsePositives.predictions === 0 ? "-" : `${((100 * count) / falsePositives.predictions).toFixed(1)}%`;
  const { edges, scale } = localization;
  const lines = [
    `F1 at IoU ${curve.iou.map((iou) => iou.toFixed(2).slice(1)).join(" ")}: ${curve.f1.map((f1) => f1.toFixed(2).replace(/^0/, "")).join(" ")}, mean ${fixed(curve.meanF1)}`,
    `matched boxes: 1 - IoU ${fixed(localization.error)}` +
      (edges === null || scale === null
        ? ""
        : `, mean offset left ${signed(edges.left.mean)} top ${signed(edges.top.mean)} right ${signed(edges.right.mean)} ` +
          `bottom ${signed(edges.bottom.mean)} of the object, size x${scale.width.toFixed(2)} by x${scale.height.toFixed(2)}`),
    `false alarms of ${falsePositives.predictions} boxes: duplicates ${share(falsePositives.duplicates)}, ` +
      `displaced ${share(falsePositives.displaced)}, mislabelled ${share(falsePositives.mislabelled)}, ` +
      `background ${share(falsePositives.background)}`,
    ...(majority === null
      ? []
      : [
          `boxes that at least half of the responses hold: precision ${fixed(majority.precision)}, ` +
            `recall ${fixed(majority.recall)}, F1 ${fixed(majority.f1)}`,
        ]),
  ];
  return [
    picocolors.bold(title),
    renderTable([
      ["", "objects", "precision", "recall", "F1", "IoU", "count err", "bias"],
      ...sliceRows(slices),
    ]),
    "",
    renderTable([
      ["scores from", "AP", "AP50", "AP75", "AP over ties", "AP50 over ties", "tied"],
      ...averagePrecision.map(({ scoreSource, ap, ap50, ap75, ties }) => [
        scoreSource,
        fixed(ap),
        fixed(ap50),
        fixed(ap75),
        between(ties.ap),
        between(ties.ap50),
        `${Math.round(100 * ties.tiedShare)}%`,
      ]),
    ]),
    "",
    ...lines,
  ].join("\n");
}

const pText = (p: number): string => (Number.isNaN(p) ? "-" : p < 0.001 ? "<0.001" : p.toFixed(3));

function changeColour(
  name: PairedMetricName,
  { low, high }: PairedTest["difference"],
): "green" | "red" | "dim" {
  const { better } = pairedMetrics[name];
  if (better === "none" || !(low > 0 || high < 0)) return "dim";
  return low > 0 === (better === "up") ? "green" : "red";
}

function setRows(
  { metrics }: ComparedResultSet,
  scoreSource: string,
  paint: ReturnType<typeof picocolors.createColors>,
): string[][] {
  return (Object.entries(metrics) as [PairedMetricName, PairedTest][]).map(([name, test]) => {
    const { low, high, value } = test.difference;
    const metric: { readonly title: string; readonly ranked?: boolean } = pairedMetrics[name];
    return [
      `  ${metric.title}${metric.ranked === true ? ` (${scoreSource})` : ""}`,
      fixed(test.a),
      fixed(test.b),
      paint[changeColour(name, test.difference)](signed(value)),
      `${signed(low)} to ${signed(high)}`,
      pText(test.bootstrapP),
      pText(test.permutationP),
    ];
  });
}

/** The comparison as a table: B less A with its interval, coloured where that leaves out zero, and both p-values. */
export function resultComparisonTable(
  comparison: ResultComparison,
  options: { /** @default as the terminal can */ readonly colours?: boolean } = {},
): string {
  const paint = options.colours === undefined ? picocolors : picocolors.createColors(options.colours);
  const level = Math.round(100 * comparison.level);
  return [
    `A  ${comparison.a}`,
    `B  ${comparison.b}`,
    renderTable([
      ["", "A", "B", "B - A", `${level}% interval`, "p (boot)", "p (perm)"],
      ...comparison.sets.flatMap((one) => [
        `${paint.bold(one.set)} ${paint.dim(`(${one.decoding}, ${one.images} images)`)}`,
        ...setRows(one, comparison.scoreSource, paint),
      ]),
    ]),
    ...comparison.notes.map((note) => `${paint.yellow("note:")} ${note}`),
  ].join("\n");
}
