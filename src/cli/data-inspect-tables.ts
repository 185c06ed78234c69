/** @file The report of `dip-r1 data inspect` as tables of text. */
import type { Bin, DatasetReport, ModelReport, Summary } from "../datasets/index.js";
import { renderTable } from "../study/table.js";

/** Sizes and labels beyond these are summed up in one row. */
const MOST_ROWS = 8;

const short = (value: number): string => (Number.isInteger(value) ? String(value) : value.toFixed(2));
const percent = (share: number): string => `${(100 * share).toFixed(1)}%`;

/** The most frequent entries as rows, the others as one. */
function topRows(counts: Readonly<Record<string, number>>, prefix: string): string[][] {
  const all = Object.entries(counts);
  const rest = all.slice(MOST_ROWS);
  const others = rest.reduce((sum, [, count]) => sum + count, 0);
  return [
    ...all.slice(0, MOST_ROWS).map(([name, count]) => [`${prefix}${name}`, short(count)]),
    ...(rest.length > 0 ? [[`${prefix}${rest.length} others`, short(others)]] : []),
  ];
}

function summaryTable(rows: readonly (readonly [title: string, summary: Summary])[]): string {
  const columns = ["min", "p5", "p25", "median", "mean", "p75", "p95", "max"] as const;
  return renderTable([
    ["", ...columns],
    ...rows.map(([title, summary]) => [
      title,
      ...columns.map((column) => (summary.count === 0 ? "-" : short(summary[column]))),
    ]),
  ]);
}

/** Bars of at most 32 characters. */
function histogramTable(title: string, bins: readonly Bin[]): string {
  const most = Math.max(1, ...bins.map(({ count }) => count));
  const total = Math.max(
    1,
    bins.reduce((sum, { count }) => sum + count, 0),
  );
  return renderTable(
    [
      title,
      ...bins.map(({ name, count }) => [
        `  ${name}`,
        String(count),
        percent(count / total),
        count === 0 ? "" : "#".repeat(Math.max(1, Math.round((32 * count) / most))),
      ]),
    ],
    { align: ["left", "right", "right", "left"] },
  );
}

function modelTables(model: ModelReport): string[] {
  const { tokens, small } = model;
  return [
    renderTable(
      [
        "as the model meets it",
        ...(model.refused > 0 ? [["  images too long to be resized", short(model.refused)]] : []),
        ["  images shrunk by over 5%", short(model.shrunk)],
        ["  images enlarged by over 5%", short(model.enlarged)],
        [`  objects under ${small.below} pixels high there`, `${small.objects} (${percent(small.share)})`],
        ["  tokens of the prompt's words", short(tokens.prompt)],
        ["  tokens an object costs", short(tokens.perObject)],
        ...model.cutOff.map(({ maxTokens, images, share }) => [
          `  responses over ${maxTokens} tokens`,
          `${images} (${percent(share)})`,
        ]),
      ],
      { align: ["left", "right"] },
    ),
    summaryTable([
      ["scale, model / original", model.scale],
      ["height there, pixels", model.height],
      ["response, tokens", tokens.response],
      ["picture, tokens", tokens.image],
      ["all, tokens", tokens.sequence],
    ]),
  ];
}

/** The report as tables, to be printed one below the other. */
export function reportTables(report: DatasetReport): string[] {
  const { crowding, known, outside } = report;
  const row = (title: string, count: number): string[][] => (count > 0 ? [[title, short(count)]] : []);
  return [
    renderTable(
      [
        ["images", short(report.images)],
        ["  without an object", short(report.empty)],
        ...topRows(report.sizes, "  size "),
        ["objects", short(report.objects)],
        ...topRows(report.labels, "  "),
        ...row("  with a visible box", known.visible),
        ...row("  with a visible share", known.visibility),
        ...row("  with a head box", known.head),
        ...row("  with an id", known.id),
        ...row("  partly outside the picture", outside.partly),
        ...row("  wholly outside the picture", outside.wholly),
        ["ignore regions", short(report.ignore)],
        ...topRows(report.ignoreLabels, "  "),
        ["pairs over IoU 0.3", short(crowding.pairsOver03)],
        ["  an image", short(crowding.pairsPerImage)],
        ["  images with one", percent(crowding.imagesWithPair)],
        ["pairs over IoU 0.5", short(crowding.pairsOver05)],
        ["objects overlapping over 0.15", percent(crowding.overlapping)],
        ...(report.visibility.count > 0
          ? [["objects less than 0.65 visible", percent(report.visibility.hidden)]]
          : []),
      ],
      { align: ["left", "right"] },
    ),
    summaryTable([
      ["objects an image", report.objectsPerImage],
      ["pairs an image", crowding.perImage],
      ["height, pixels", report.height],
      ["height, share", report.relativeHeight],
      ["visible share", report.visibility],
    ]),
    histogramTable("images by number of objects", report.objectsPerImage.bins),
    histogramTable("objects by height in pixels", report.height.bins),
    ...(report.visibility.count > 0
      ? [histogramTable("objects by visible share", report.visibility.bins)]
      : []),
    ...(report.model === undefined ? [] : modelTables(report.model)),
  ];
}
