/**
 * @file A comparison as one HTML file that asks nobody for anything: tables, figures as SVG, pictures embedded. It has no
 * script, and its own content policy would stop one. Pure: the page hands over what is drawn.
 */
import type { Comparison } from "../../../src/server/studio/compare-api.js";
import { escapeXml } from "../overlay/svg.js";
import {
  cellWords,
  changeText,
  dimensionTitles,
  intervalText,
  resultTable,
  sliceNumbers,
  sliceTable,
  type TableCell,
} from "./tables.js";
import { score } from "../format.js";

/** What goes into the file beside the tables. */
export interface HtmlExport {
  readonly comparison: Comparison;
  readonly names: readonly string[];
  /** When it was made, in words. */
  readonly made: string;
  /** SVG documents with what they show. */
  readonly figures: readonly { readonly title: string; readonly svg: string }[];
  /** Images side by side, each an SVG document with its picture embedded. */
  readonly pictures: readonly { readonly title: string; readonly caption: string; readonly svg: string }[];
  /** Above the pictures: how they were chosen. */
  readonly chosen: string;
}

const STYLE = `
:root { color-scheme: light dark; --bg:#fff; --fg:#171b23; --muted:#59616f; --line:#dde1e8; --card:#f5f6f8; --good:#14703c; --bad:#b3261e; }
@media (prefers-color-scheme: dark) { :root { --bg:#0e1116; --fg:#e8ebf0; --muted:#a2abb9; --line:#2b323d; --card:#161a21; --good:#6fd498; --bad:#ff9d94; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--bg); color: var(--fg); font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Liberation Sans", Arial, sans-serif; font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
main { max-width: 1200px; margin: 0 auto; padding: 24px 20px 64px; }
h1 { font-size: 1.6rem; line-height: 1.25; margin: 0 0 4px; overflow-wrap: anywhere; } h2 { font-size: 1.2rem; margin: 36px 0 10px; } h3 { font-size: 1rem; margin: 24px 0 8px; }
p { margin: 0 0 10px; } .muted { color: var(--muted); } ul { margin: 0 0 10px; padding-left: 1.2em; }
.scroll { overflow-x: auto; border: 1px solid var(--line); border-radius: 8px; }
table { border-collapse: collapse; width: 100%; font-size: .86rem; }
th, td { padding: 6px 10px; text-align: right; white-space: nowrap; vertical-align: baseline; } th:first-child, td:first-child { text-align: left; }
thead th { border-bottom: 1px solid var(--line); } tbody th[scope=rowgroup] { text-align: left; border-top: 1px solid var(--line); padding-top: 12px; } tbody:first-of-type th[scope=rowgroup] { border-top: 0; }
tbody th { font-weight: 500; } th span { font-weight: 400; color: var(--muted); } td small { display: block; color: var(--muted); font-size: .76rem; }
tbody th[scope=row], thead td { position: sticky; left: 0; background: var(--bg); } td .better { color: var(--good); } td .worse { color: var(--bad); } td strong { white-space: nowrap; }
.figures { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 460px), 1fr)); gap: 16px; align-items: start; }
figure { margin: 0; min-width: 0; padding: 10px; background: #fff; border: 1px solid var(--line); border-radius: 8px; overflow-x: auto; } figure > svg { display: block; max-width: 100%; height: auto; }
.pictures figure { margin-bottom: 16px; background: var(--card); } figcaption { font-size: .86rem; margin-bottom: 8px; overflow-wrap: anywhere; }
:focus-visible { outline: 2px solid #1f4fd1; outline-offset: 2px; }
`;

/** What the marks on pictures are, told without their colours. */
const MARKS =
  "Heavy boxes are answers: ✓ and a solid line hit, ✕ and dashes are false alarms, – and dots do not count. " +
  "Thin boxes are objects: ✓ found, ○ and dots missed. Corners with an eye are look regions; hatched regions are ignored.";

function cellHtml(cell: TableCell | null, level: number, baseline: string): string {
  if (cell === null || cell.number.value === null) return "<td>–</td>";
  const value = score(cell.number.value);
  const best = cell.best ? `<strong>${value} ★</strong>` : value;
  const change =
    cell.change === null
      ? ""
      : `<small><span class="${cell.verdict ?? "unclear"}">${escapeXml(changeText(cell))}</span></small>`;
  return `<td title="${escapeXml(cellWords(cell, level, baseline))}">${best}<small>${escapeXml(intervalText(cell.number))}</small>${change}</td>`;
}

const box = (label: string, table: string): string =>
  `<div class="scroll" tabindex="0" role="region" aria-label="${escapeXml(label)}">${table}</div>`;

function resultsHtml({ comparison, names }: HtmlExport): string {
  const { columns, groups } = resultTable(comparison, true);
  const baseline = names[comparison.baseline]!;
  const head = columns
    .map(
      ({ title, better }) =>
        `<th scope="col">${escapeXml(title)}${better === "none" ? "" : ` <span>${better === "up" ? "↑" : "↓"}</span>`}</th>`,
    )
    .join("");
  const body = groups
    .map(
      ({ title, note, rows }) =>
        `<tbody><tr><th scope="rowgroup" colspan="${columns.length + 1}">${escapeXml(title)} <span>${escapeXml(note)}</span></th></tr>` +
        rows
          .map(
            (cells, k) =>
              `<tr><th scope="row">${escapeXml(names[k]!)}</th>${cells.map((cell) => cellHtml(cell, comparison.level, baseline)).join("")}</tr>`,
          )
          .join("") +
        "</tbody>",
    )
    .join("");
  return box("Results", `<table><thead><tr><td></td>${head}</tr></thead>${body}</table>`);
}

function slicesHtml({ comparison, names }: HtmlExport): string {
  const baseline = names[comparison.baseline]!;
  return comparison.sets
    .map(({ set, slices }) => {
      const tables = (["f1", "recall"] as const)
        .map((number) => {
          const rows = sliceTable(slices, number);
          if (rows.length === 0) return "";
          let before = "";
          const body = rows
            .map(({ by, bucket, objects, cells }) => {
              const heading =
                by === before
                  ? ""
                  : `<tr><th scope="rowgroup" colspan="${names.length + 2}">${escapeXml(dimensionTitles[by])}</th></tr>`;
              before = by;
              return `${heading}<tr><th scope="row">${escapeXml(bucket)}</th><td>${Math.round(objects)}</td>${cells.map((cell) => cellHtml(cell, comparison.level, baseline)).join("")}</tr>`;
            })
            .join("");
          const head = names.map((name) => `<th scope="col">${escapeXml(name)}</th>`).join("");
          const title = `${set}: ${sliceNumbers[number].title} by parts of the data`;
          return `<h3>${escapeXml(title)}</h3>${box(title, `<table><thead><tr><td></td><th scope="col">objects</th>${head}</tr></thead><tbody>${body}</tbody></table>`)}`;
        })
        .join("");
      return tables;
    })
    .join("");
}

/** The file's text. */
export function comparisonHtml(input: HtmlExport): string {
  const { comparison, names, figures, pictures } = input;
  const { entries, baseline, decoding, level, resamples, scoreSource, notes, refused } = comparison;
  const title = names.join(" / ");
  const list = (items: readonly string[]) =>
    `<ul>${items.map((item) => `<li>${escapeXml(item)}</li>`).join("")}</ul>`;
  const about = entries.map(
    ({ runName, run, step, kind, seed }, k) =>
      `${names[k]}: run ${run} (${runName}, ${kind === "grpo" ? "GRPO" : "SFT"}, seed ${seed}) at step ${step}${k === baseline && entries.length > 1 ? ", the baseline" : ""}`,
  );
  const words = [
    ...notes,
    ...refused.map(({ message }) => `left out: ${message}`),
    ...comparison.sets.map(({ set, fingerprint }) => `data of ${set}: sha256 ${fingerprint}`),
  ];
  return [
    "<!doctype html>",
    '<html lang="en"><head><meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    `<meta http-equiv="content-security-policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">`,
    '<link rel="icon" href="data:,">',
    `<title>${escapeXml(title)}</title><style>${STYLE}</style></head><body><main>`,
    `<h1>${escapeXml(title)}</h1>`,
    `<p class="muted">${escapeXml(`${decoding === "greedy" ? "Greedy" : "Sampled"} decoding; made with dip-r1 studio, ${input.made}.`)}</p>`,
    list(about),
    "<h2>Results</h2>",
    resultsHtml(input),
    `<p class="muted">Under each value its ${Math.round(100 * level)}% bootstrap interval over images (${resamples} resamples)` +
      (entries.length > 1
        ? ` and the difference from ${escapeXml(names[baseline]!)}, paired by image: ▲ better, ▼ worse, no sign where its interval holds zero. ★ and bold: best of its set.`
        : ".") +
      ` AP and curves rank boxes by the score source “${escapeXml(scoreSource)}”.</p>`,
    figures.length > 0 ? "<h2>Figures</h2>" : "",
    `<div class="figures">${figures.map(({ title: name, svg }) => `<figure aria-label="${escapeXml(name)}">${svg}</figure>`).join("")}</div>`,
    "<h2>Parts of the data</h2>",
    slicesHtml(input),
    pictures.length > 0 ? `<h2>Pictures</h2><p class="muted">${escapeXml(input.chosen)} ${MARKS}</p>` : "",
    `<div class="pictures">${pictures.map(({ title: name, caption, svg }) => `<figure aria-label="${escapeXml(name)}"><figcaption><strong>${escapeXml(name)}</strong> ${escapeXml(caption)}</figcaption>${svg}</figure>`).join("")}</div>`,
    words.length > 0 ? `<h2>Notes</h2>${list(words)}` : "",
    "</main></body></html>\n",
  ].join("\n");
}
