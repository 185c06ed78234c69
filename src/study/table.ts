/** @file Tables for terminals: columns that line up, and the before-and-after table of a comparison. */
import picocolors from "picocolors";
import { comparedMetrics, verdictOf, type Comparison } from "./comparison.js";
import type { DifferenceInterval, Interval } from "../metrics/index.js";

/** Options of {@link renderTable}. */
export interface TableOptions {
  /** By column; the last given goes on. @default left for the first column, right for the others */
  readonly align?: readonly ("left" | "right")[];
  /** Between columns. @default 2 */
  readonly gap?: number;
}

// eslint-disable-next-line no-control-regex
const COLOUR = /\u001b\[\d+m/g;
const widthOf = (text: string) => [...text.replaceAll(COLOUR, "")].length;

/** Rows of cells as lines of text; colour codes take no width. A row that is one string is a heading. */
export function renderTable(
  rows: readonly (readonly string[] | string)[],
  options: TableOptions = {},
): string {
  const { align = ["left", "right"], gap = 2 } = options;
  const widths: number[] = [];
  for (const row of rows)
    if (typeof row !== "string")
      row.forEach((cell, column) => (widths[column] = Math.max(widths[column] ?? 0, widthOf(cell))));
  return rows
    .map((row) => {
      if (typeof row === "string") return row;
      const cells = row.map((cell, column) => {
        const space = " ".repeat(widths[column]! - widthOf(cell));
        return (align[column] ?? align.at(-1)) === "left" ? cell + space : space + cell;
      });
      return cells.join(" ".repeat(gap)).trimEnd();
    })
    .join("\n");
}

/** "0.61 ±.03": the value and half the width of its interval; a dash where nothing was measured. */
export function formatInterval(interval: Interval | undefined): string {
  if (interval === undefined || Number.isNaN(interval.value)) return "-";
  const half = (interval.high - interval.low) / 2;
  return `${interval.value.toFixed(2)} ±${Number.isNaN(half) ? "?" : half.toFixed(2).replace(/^0/, "")}`;
}

/** "+0.04 ±.03" */
export function formatChange(change: DifferenceInterval | undefined): string {
  if (change === undefined || Number.isNaN(change.value)) return "-";
  return (change.value < 0 ? "" : "+") + formatInterval(change).replace(/^-0\.00/, "+0.00");
}

/**
 * The comparison as a table: a block a set and decoding, a line a policy, and the change, which is coloured where
 * its interval leaves out zero.
 * @param colours @default picocolors' own judgement of the terminal
 */
export function comparisonTable(
  comparison: Comparison,
  options: {
    readonly colours?: boolean;
    /** Say which sets are in-domain. @default true */ readonly domains?: boolean;
  } = {},
): string {
  const paint = options.colours === undefined ? picocolors : picocolors.createColors(options.colours);
  const rows: (readonly string[] | string)[] = [["", ...comparedMetrics.map(({ title }) => title)]];
  for (const row of comparison.rows) {
    const domain = options.domains === false ? "" : row.domain === "in" ? "in-domain, " : "out of domain, ";
    rows.push(paint.bold(`${row.set}`) + paint.dim(` (${domain}${row.decoding}, ${row.images} images)`));
    for (const [index, policy] of row.policies.entries())
      rows.push([
        `  ${comparison.policies[index]}`,
        ...comparedMetrics.map(({ key }) => formatInterval(policy[key])),
      ]);
    const { change } = row;
    if (change)
      rows.push([
        "  change",
        ...comparedMetrics.map(({ key }) => {
          const text = formatChange(change[key]);
          if (change[key] === undefined) return text;
          const verdict = verdictOf(key, change[key]);
          return verdict === "better"
            ? paint.green(text)
            : verdict === "worse"
              ? paint.red(text)
              : paint.dim(text);
        }),
      ]);
  }
  // No AP without the source of its scores.
  if (comparison.scoreSource !== undefined && comparison.rows.length > 0)
    rows.push(paint.dim(`AP50 ranks boxes by score source "${comparison.scoreSource}".`));
  return renderTable(rows);
}
