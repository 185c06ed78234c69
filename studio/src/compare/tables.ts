/** @file A comparison as tables: what the page, CSV, LaTeX and the HTML file all show. Pure. */
import type { SliceDimension } from "../../../src/metrics/index.js";
import type {
  CompareChange,
  CompareMetric,
  CompareNumber,
  CompareSet,
  CompareSlice,
  Comparison,
  PairedMetricName,
  SliceNumber,
} from "../../../src/server/studio/compare-api.js";
import { score, signed } from "../format.js";

/** A difference that its interval keeps away from zero, or not. */
export type Verdict = "better" | "worse" | "unclear";

/** One number of one entry. */
export interface TableCell {
  readonly number: CompareNumber;
  /** Less the baseline; null for the baseline, and where there is one entry. */
  readonly change: CompareChange | null;
  readonly verdict: Verdict | null;
  /** Best of its group; nobody is where neither way is better, or with one entry. */
  readonly best: boolean;
}

/** Rows that belong together: a set, or the mean of several. */
export interface TableGroup {
  readonly title: string;
  /** "in-domain, 192 images" */
  readonly note: string;
  readonly domain: "in" | "out";
  /** Whether it is a mean over sets. */
  readonly mean: boolean;
  /** By entry, by column. */
  readonly rows: readonly (readonly (TableCell | null)[])[];
}

/** One column. */
export interface TableColumn {
  readonly key: PairedMetricName;
  readonly title: string;
  readonly better: CompareMetric["better"];
}

/** The results of a comparison. */
export interface ResultTable {
  readonly columns: readonly TableColumn[];
  readonly groups: readonly TableGroup[];
}

/** Short titles of columns; others keep their own. */
const TITLES: Partial<Record<PairedMetricName, string>> = {
  "precision@75": "precision@.75",
  "recall@75": "recall@.75",
  "f1@75": "F1@.75",
  mae: "count error",
  bias: "count bias",
  duplicates: "duplicates",
  format: "format",
};

/** Shown where not all are asked for. */
const MAIN = new Set<PairedMetricName>(["precision", "recall", "f1", "f1@75", "ap50", "mae", "format"]);

/** A difference, judged. */
export function verdictOf(
  { low, high }: Pick<CompareNumber, "low" | "high">,
  better: CompareMetric["better"],
): Verdict {
  if (better === "none" || low === null || high === null || !(low > 0 || high < 0)) return "unclear";
  return low > 0 === (better === "up") ? "better" : "worse";
}

/** Cells of one metric, by entry. */
export function cellsOf(
  values: readonly CompareNumber[],
  changes: readonly (CompareChange | null)[],
  better: CompareMetric["better"],
): TableCell[] {
  const known = values.flatMap(({ value }) => (value === null ? [] : [value]));
  // Where all are alike nobody is best.
  const best =
    better === "none" || new Set(known).size < 2
      ? undefined
      : better === "up"
        ? Math.max(...known)
        : Math.min(...known);
  return values.map((number, k) => {
    const change = changes[k] ?? null;
    return {
      number,
      change,
      verdict: change && verdictOf(change, better),
      best: best !== undefined && number.value === best,
    };
  });
}

const domains = { in: "in-domain", out: "out of domain" } as const;

/**
 * The table of results: sets in-domain, means, sets out of domain, means.
 * @param all Every metric, not only those that matter most.
 */
export function resultTable(comparison: Comparison, all = false): ResultTable {
  const { entries, sets, means, scoreSource } = comparison;
  const metrics = new Map<PairedMetricName, CompareMetric>();
  for (const set of sets) for (const metric of set.metrics) metrics.set(metric.key, metric);
  // A benchmark's own numbers are why its files are used.
  const columns = [...metrics.values()]
    .filter(({ key }) => all || MAIN.has(key) || key.includes("."))
    .map(({ key, title, better, ranked }) => ({
      key,
      better,
      title: `${TITLES[key] ?? title}${ranked ? ` (${scoreSource})` : ""}`,
    }));
  const group = (
    of: { readonly metrics: readonly CompareMetric[]; readonly domain: "in" | "out" },
    words: Pick<TableGroup, "title" | "note" | "mean">,
  ): TableGroup => {
    const cells = columns.map(({ key }) => {
      const metric = of.metrics.find((one) => one.key === key);
      return metric && cellsOf(metric.values, metric.changes, metric.better);
    });
    return {
      ...words,
      domain: of.domain,
      rows: entries.map((_, k) => cells.map((column) => column?.[k] ?? null)),
    };
  };
  return {
    columns,
    groups: (["in", "out"] as const).flatMap((domain) => [
      ...sets
        .filter((set) => set.domain === domain)
        .map((set) =>
          group(set, {
            title: set.set,
            note: `${domains[domain]}, ${set.images} images${set.responses.some((n) => n > 1) ? `, ${responsesInWords(set)}` : ""}`,
            mean: false,
          }),
        ),
      ...means
        .filter((mean) => mean.domain === domain)
        .map((mean) =>
          group(mean, {
            title: `mean of ${mean.sets.length} sets`,
            note: `${domains[domain]}: ${mean.sets.join(", ")}`,
            mean: true,
          }),
        ),
    ]),
  };
}

function responsesInWords({ responses }: CompareSet): string {
  const [least, most] = [Math.min(...responses), Math.max(...responses)];
  return `${least === most ? most : `${least} to ${most}`} responses each`;
}

/** Dimensions in words. */
export const dimensionTitles: Readonly<Record<SliceDimension, string>> = {
  crowding: "crowding",
  height: "height",
  heightShare: "height of the image",
  visibility: "visible share (occlusion)",
  label: "label",
  objects: "objects in the image",
};

/** What slices can be shown by. */
export const sliceNumbers: Readonly<
  Record<SliceNumber, { readonly title: string; readonly better: "up" | "down" }>
> = {
  f1: { title: "F1", better: "up" },
  precision: { title: "precision", better: "up" },
  recall: { title: "recall", better: "up" },
  countError: { title: "count error", better: "down" },
};

/** One row of the table of slices. */
export interface SliceRow {
  readonly by: SliceDimension;
  readonly bucket: string;
  readonly objects: number;
  /** By entry; null where the slice does not have the number. */
  readonly cells: readonly (TableCell | null)[];
}

/** Slices by one number; those that do not have it are left out. */
export function sliceTable(slices: readonly CompareSlice[], number: SliceNumber): SliceRow[] {
  return slices.flatMap(({ by, bucket, objects, numbers }) => {
    const one = numbers.find(({ key }) => key === number);
    if (one === undefined || one.values.every(({ value }) => value === null)) return [];
    return [{ by, bucket, objects, cells: cellsOf(one.values, one.changes, sliceNumbers[number].better) }];
  });
}

/** "0.622 to 0.675" */
export function intervalText({ low, high }: CompareNumber): string {
  return low === null || high === null ? "" : `${score(low)} to ${score(high)}`;
}

/** "+0.045" with what is clear of it as a sign. */
export function changeText({ change, verdict }: TableCell): string {
  if (change === null) return "";
  return `${signed(change.value)}${{ better: " ▲", worse: " ▼", unclear: "" }[verdict ?? "unclear"]}`;
}

const level = (share: number) => `${Math.round(100 * share)}%`;

/** A cell in a sentence, for those who hear the page and for tooltips. */
export function cellWords(cell: TableCell, share: number, baseline: string): string {
  const { number, change, verdict, best } = cell;
  if (number.value === null) return "not measured";
  const parts = [`${score(number.value)}, ${level(share)} interval ${intervalText(number)}`];
  if (best) parts.push("best of its group");
  if (change !== null && change.value !== null) {
    const clear = { better: "clearly better", worse: "clearly worse", unclear: "not clear of chance" };
    const { bootstrapP, permutationP } = change;
    const p = typeof bootstrapP === "number" ? `, p ${pText(bootstrapP)} (bootstrap)` : "";
    const q = typeof permutationP === "number" ? `, ${pText(permutationP)} (permutation)` : "";
    parts.push(
      `${signed(change.value)} against ${baseline} (${signed(change.low)} to ${signed(change.high)}${p}${q}): ${clear[verdict ?? "unclear"]}`,
    );
  }
  return parts.join("; ");
}

/** A p-value. */
export const pText = (p: number): string => (p < 0.001 ? "<0.001" : p.toFixed(3));

/** Places of entries sorted by a column of a group; numbers that are not there come last. */
export function sortedRows(
  { rows }: Pick<TableGroup, "rows">,
  column: number,
  direction: "ascending" | "descending",
): number[] {
  const value = (k: number) => rows[k]![column]?.number.value ?? null;
  const sign = direction === "ascending" ? 1 : -1;
  return rows
    .map((_, k) => k)
    .toSorted((a, b) => {
      const [left, right] = [value(a), value(b)];
      if (left === null || right === null) return Number(left === null) - Number(right === null) || a - b;
      return sign * (left - right) || a - b;
    });
}
