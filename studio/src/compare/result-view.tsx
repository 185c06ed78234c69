/** @file The table of results: a group a set, a row an entry, sortable by every column. */
import { useMemo, useState } from "preact/hooks";
import type { Comparison } from "../../../src/server/studio/compare-api.js";
import { score } from "../format.js";
import { cellWords, changeText, intervalText, resultTable, sortedRows, type TableCell } from "./tables.js";

/** A number with its interval and its change. */
export function NumberCell({
  cell,
  level,
  baseline,
}: {
  readonly cell: TableCell | null;
  readonly level: number;
  /** Name of the baseline. */
  readonly baseline: string;
}) {
  if (cell === null || cell.number.value === null)
    return (
      <td class="number muted">
        <span aria-hidden="true">–</span>
        <span class="sr-only">not measured</span>
      </td>
    );
  const value = score(cell.number.value);
  const tone = cell.verdict === "better" ? "delta-up" : cell.verdict === "worse" ? "delta-down" : "muted";
  return (
    <td class="number" title={cellWords(cell, level, baseline)}>
      {cell.best ? (
        <strong class="nowrap">
          {value}{" "}
          <span class="compare-best" aria-hidden="true">
            ★
          </span>
          <span class="sr-only">, best</span>
        </strong>
      ) : (
        value
      )}
      <small class="muted">{intervalText(cell.number)}</small>
      {cell.change !== null && (
        <small class={tone}>
          {changeText(cell)}
          {cell.verdict !== "unclear" && <span class="sr-only"> clearly {cell.verdict}</span>}
        </small>
      )}
    </td>
  );
}

const ARROWS = { up: " ↑", down: " ↓", none: "" } as const;

/** @param props.all Every metric. */
export function ResultView({
  comparison,
  names,
  all,
}: {
  readonly comparison: Comparison;
  readonly names: readonly string[];
  readonly all: boolean;
}) {
  const table = useMemo(() => resultTable(comparison, all), [comparison, all]);
  const [sort, setSort] = useState<{
    readonly key: string;
    readonly direction: "ascending" | "descending";
  }>();
  const column = table.columns.findIndex(({ key }) => key === sort?.key);
  const baseline = names[comparison.baseline]!;
  const press = (key: string, better: "up" | "down" | "none") => {
    const first = better === "down" ? "ascending" : "descending";
    const second = first === "ascending" ? "descending" : "ascending";
    // Best first, then worst first, then as the entries stand.
    if (sort?.key !== key) setSort({ key, direction: first });
    else setSort(sort.direction === first ? { key, direction: second } : undefined);
  };
  return (
    <div class="table-box compare-table" tabIndex={0} role="region" aria-label="Table of results">
      <table class="table">
        <thead>
          <tr>
            <th scope="col">Entry</th>
            {table.columns.map(({ key, title, better }) => (
              <th
                key={key}
                scope="col"
                class="number"
                aria-sort={sort?.key === key ? sort.direction : undefined}
              >
                <button type="button" onClick={() => press(key, better)}>
                  {title}
                  <span aria-hidden="true">{ARROWS[better]}</span>
                  {sort?.key === key && (
                    <span aria-hidden="true">{sort.direction === "ascending" ? " ▵" : " ▿"}</span>
                  )}
                  {better !== "none" && (
                    <span class="sr-only">, {better === "up" ? "higher" : "lower"} is better</span>
                  )}
                </button>
              </th>
            ))}
          </tr>
        </thead>
        {table.groups.map((group) => (
          <tbody key={`${group.domain} ${group.title}`} class={group.mean ? "compare-mean" : undefined}>
            <tr class="compare-group">
              <th scope="rowgroup" colSpan={table.columns.length + 1}>
                <span class="compare-stick">
                  {group.title} <span class="muted">{group.note}</span>
                </span>
              </th>
            </tr>
            {(column < 0 || sort === undefined
              ? group.rows.map((_, k) => k)
              : sortedRows(group, column, sort.direction)
            ).map((k) => (
              <tr key={k}>
                <th scope="row">{names[k]}</th>
                {group.rows[k]!.map((cell, c) => (
                  <NumberCell
                    key={table.columns[c]!.key}
                    cell={cell}
                    level={comparison.level}
                    baseline={baseline}
                  />
                ))}
              </tr>
            ))}
          </tbody>
        ))}
      </table>
    </div>
  );
}
