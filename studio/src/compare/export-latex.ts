/** @file The table of results as LaTeX (booktabs), to be put into a paper as it is. Pure. */
import type { Comparison } from "../../../src/server/studio/compare-api.js";
import { resultTable, type TableCell } from "./tables.js";

/** Text for LaTeX: names of runs are anybody's. */
export function latex(text: string): string {
  return text.replaceAll(/[\\{}$&#%_~^<>▲▼–×]/g, (sign) => SIGNS[sign] ?? sign);
}

const SIGNS: Readonly<Record<string, string>> = {
  "\\": "\\textbackslash{}",
  "{": "\\{",
  "}": "\\}",
  $: "\\$",
  "&": "\\&",
  "#": "\\#",
  "%": "\\%",
  _: "\\_",
  "~": "\\textasciitilde{}",
  "^": "\\textasciicircum{}",
  "<": "\\textless{}",
  ">": "\\textgreater{}",
  "–": "--",
  "×": "$\\times$",
};

function cellText(cell: TableCell | null): string {
  if (cell === null || cell.number.value === null) return "--";
  const { value, low, high } = cell.number;
  const number = cell.best ? `\\mathbf{${value.toFixed(3)}}` : value.toFixed(3);
  const mark = cell.verdict === "better" ? "^{\\uparrow}" : cell.verdict === "worse" ? "^{\\downarrow}" : "";
  const interval = low === null || high === null ? "" : `_{[${low.toFixed(3)},\\,${high.toFixed(3)}]}`;
  return `$${number}${mark}${interval}$`;
}

const ARROWS = { up: " $\\uparrow$", down: " $\\downarrow$", none: "" } as const;

/**
 * The table.
 * @param names of the entries @param all every metric, as on the page
 */
export function latexTable(comparison: Comparison, names: readonly string[], all = false): string {
  const { baseline, decoding, level, resamples, scoreSource } = comparison;
  const { columns, groups } = resultTable(comparison, all);
  const width = columns.length + 1;
  const lines = [
    "% \\usepackage{booktabs}",
    "\\begin{table}",
    "  \\centering",
    "  \\small",
    `  \\caption{${latex(decoding === "greedy" ? "Greedy" : "Sampled")} decoding. Brackets: ${Math.round(100 * level)}\\% bootstrap intervals over images (${resamples} resamples). ` +
      `Bold: best of its set.` +
      (names.length > 1
        ? ` $^{\\uparrow}$ and $^{\\downarrow}$: better and worse than ${latex(names[baseline]!)}, paired by image, with an interval that leaves out zero.`
        : "") +
      ` AP ranks boxes by the score source \`\`${latex(scoreSource)}''.}`,
    `  \\begin{tabular}{l${"r".repeat(columns.length)}}`,
    "    \\toprule",
    `     & ${columns.map(({ title, better }) => latex(title) + ARROWS[better]).join(" & ")} \\\\`,
  ];
  for (const { title, note, rows } of groups) {
    lines.push(
      "    \\midrule",
      `    \\multicolumn{${width}}{l}{\\textit{${latex(title)}} (${latex(note)})} \\\\`,
    );
    rows.forEach((cells, k) =>
      lines.push(`    ${latex(names[k]!)} & ${cells.map(cellText).join(" & ")} \\\\`),
    );
  }
  return [...lines, "    \\bottomrule", "  \\end{tabular}", "\\end{table}", ""].join("\n");
}
