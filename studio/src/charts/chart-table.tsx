/** @file A chart's numbers as a table, thinned out where there are many rows. */
import { placeWords, written, type ChartData } from "./chart-data.js";
import { decimate } from "./decimate.js";
import type { Stretch } from "./link.js";
import type { ChartSpec } from "./specs.js";

const MOST = 100;

/** @param props.stretch The part that is shown. */
export function ChartTable({
  spec,
  data,
  stretch,
}: {
  readonly spec: ChartSpec;
  readonly data: ChartData;
  readonly stretch: Stretch;
}) {
  const { x, lines, axis } = data;
  const [from, to] = stretch ?? [x[0] ?? 0, x.at(-1) ?? 0];
  const start = Math.max(
    0,
    x.findIndex((value) => value >= from),
  );
  const end = x.findLastIndex((value) => value <= to) + 1;
  const rows = decimate(
    lines.map(({ raw }) => raw),
    start,
    end,
    MOST,
  );
  return (
    <div class="table-box chart-table" tabIndex={0} role="region" aria-label={`${spec.title} as a table`}>
      <table class="table">
        <caption class="small muted">
          {rows.length < end - start
            ? `${rows.length} of ${end - start} rows: the first, lowest, highest and last of each stretch. CSV has all.`
            : `All ${rows.length} rows.`}
        </caption>
        <thead>
          <tr>
            <th scope="col">{axis === "step" ? "Step" : "Time"}</th>
            {lines.map(({ label, spread }) => (
              <th key={label} scope="col" class="number">
                {label}
                {spread && " (± spread)"}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((i) => (
            <tr key={i}>
              <th scope="row">{placeWords(x[i]!, axis)}</th>
              {lines.map(({ label, raw, spread }) => (
                <td key={label} class="number">
                  {written(raw[i], spec.unit)}
                  {spread && ` ± ${written(spread[i], spec.unit)}`}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
